import { readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { type Kysely, queriesOver } from '../../kit/store/query-builder.ts'
import { openStore, type StoreDeps } from '../../kit/store/open-store.ts'
import type { Store } from '../../kit/store/store.ts'
import type { AuditEngine } from './audit-engine.ts'
import { AUDIT_MIGRATIONS } from './audit-migrations.ts'
import { type AuditTables, type MetaRow, TABLE_SHAPES } from './audit-tables.ts'
import { type TableWrite, write } from './table-write.ts'

/** The file's name without its ending. */
const NAME = 'audit-log'
const VACUUM_PAGES = 200

/** The audit log's tables in an SQLite file, of which this process is the only one that has it. */
export class SqliteEngine implements AuditEngine {
  readonly db: Kysely<AuditTables>
  readonly shared = false
  readonly setAside: string | undefined
  readonly #store: Store
  readonly #folder: string

  /** Opens or makes the file in the folder; throws as openStore does. */
  constructor(folder: string, deps: StoreDeps) {
    this.#store = openStore({ folder, name: NAME, migrations: AUDIT_MIGRATIONS }, deps)
    this.#folder = folder
    this.setAside = this.#store.setAside?.reason
    // What a trimmed row held is overwritten in its page.
    this.#store.database.exec('PRAGMA secure_delete = FAST; PRAGMA cache_size = -65536')
    this.db = queriesOver<AuditTables>(this.#store.database)
  }

  async begin(meta: MetaRow): Promise<void> {
    await this.write([write('insert', 'meta', [meta])])
  }

  async write(steps: readonly TableWrite[]): Promise<void> {
    this.#store.write(() => {
      for (const step of steps) this.#run(step)
    })
  }

  #run({ step, table, rows }: TableWrite): void {
    const [first] = rows
    if (!first) return
    const { key } = TABLE_SHAPES[table]
    const columns = Object.keys(first)
    const others = columns.filter((column) => !key.includes(column))
    const ordered = step === 'update' ? [...others, ...key] : step === 'delete' ? key : columns
    const statement = this.#store.statement(textOf(step, table, key, columns, others))
    for (const row of rows) statement.run(...ordered.map((column) => row[column] ?? null))
  }

  async claim(): Promise<number> {
    return 0
  }

  async usedBytes(): Promise<number> {
    return this.#store.usedBytes()
  }

  async reclaim(): Promise<void> {
    this.#store.vacuum(VACUUM_PAGES)
  }

  async scrub(): Promise<undefined> {
    // Copies from before a migration, and files that were damaged, hold it too.
    for (const file of readdirSync(this.#folder)) {
      if (/^audit-log\.(?:backup-schema|damaged)-/.test(file))
        rmSync(join(this.#folder, file), { force: true })
    }
    this.#store.rewrite()
  }

  async close(): Promise<void> {
    this.#store.close()
  }
}

function textOf(
  step: TableWrite['step'],
  table: string,
  key: readonly string[],
  columns: readonly string[],
  others: readonly string[],
): string {
  const where = key.map((column) => `${column} = ?`).join(' AND ')
  const values = columns.map(() => '?').join(', ')
  const into = `INTO ${table} (${columns.join(', ')}) VALUES (${values})`
  switch (step) {
    case 'insert':
      return `INSERT OR IGNORE ${into}`
    case 'put':
      return `INSERT ${into} ON CONFLICT (${key.join(', ')}) DO UPDATE SET ${others.map((column) => `${column} = excluded.${column}`).join(', ')}`
    case 'update':
      return `UPDATE ${table} SET ${others.map((column) => `${column} = ?`).join(', ')} WHERE ${where}`
    case 'delete':
      return `DELETE FROM ${table} WHERE ${where}`
  }
}
