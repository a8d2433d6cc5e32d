import type { Kysely } from '../../kit/store/query-builder.ts'
import type { Clock } from '../../../src/core/lib/time.ts'
import type { Log } from '../../kit/log.ts'
import {
  openPostgres,
  type Postgres,
  type PostgresSession,
  type PostgresValue,
} from '../../kit/store/postgres.ts'
import { migratePostgres } from '../../kit/store/postgres-migrate.ts'
import type { AuditEngine } from './audit-engine.ts'
import { StoreGone, StoreTaken } from './audit-store.ts'
import { type AuditTables, type MetaRow, TABLE_SHAPES } from './audit-tables.ts'
import { POSTGRES_MIGRATIONS } from './postgres-migrations.ts'
import { rewriteTables } from './rewrite-tables.ts'
import type { TableWrite, WriteRow } from './table-write.ts'

/** More rows are not put into one statement. */
const ROWS = 500
/** After so long the size is looked up again, which reads all changes. */
const SIZE_MS = 60 * 60_000
/** What a row takes beside its long value, with all its index entries (PostgreSQL 15). */
const ROW_BYTES = { change: 650, object: 350, touch: 150 } as const

const TYPES = { number: 'bigint', text: 'text', bytes: 'bytea' } as const

/** The audit log's tables in a database that several replicas share; one of them writes, the one that claimed last. */
export class PostgresEngine implements AuditEngine {
  readonly db: Kysely<AuditTables>
  readonly shared = true
  readonly setAside = undefined
  readonly #database: Postgres
  readonly #clock: Pick<Clock, 'now'>
  #size: { readonly bytes: number; readonly changes: number; readonly at: number } | undefined

  private constructor(database: Postgres, clock: Pick<Clock, 'now'>) {
    this.#database = database
    this.#clock = clock
    this.db = database.queries<AuditTables>()
  }

  /** Connects and brings the schema up to date; StoreGone while the database cannot be reached. */
  static async open(
    url: string,
    { clock, log }: { readonly clock: Pick<Clock, 'now'>; readonly log: Log },
  ): Promise<PostgresEngine> {
    const database = await openPostgres(url)
    try {
      await migratePostgres(database, POSTGRES_MIGRATIONS, log)
      return new PostgresEngine(database, clock)
    } catch (error) {
      await database.close()
      throw error
    }
  }

  async begin(meta: MetaRow): Promise<void> {
    const columns = Object.keys(TABLE_SHAPES.meta.columns)
    const row = meta as unknown as WriteRow
    const values = columns.map((column) => row[column] ?? null)
    await this.#database.run(
      `INSERT INTO meta (${columns.join(', ')}) VALUES (${values.map((_, i) => `$${i + 1}`).join(', ')}) ON CONFLICT DO NOTHING`,
      values,
    )
  }

  async claim(): Promise<number> {
    const { rows } = await this.#database.run(
      'UPDATE meta SET epoch = epoch + 1 WHERE id = 1 RETURNING epoch',
    )
    return Number(rows[0]?.['epoch'])
  }

  async write(
    steps: readonly TableWrite[],
    { epoch, revision }: { readonly epoch: number; readonly revision: number },
  ): Promise<void> {
    await this.#database.transaction(async (session) => {
      // Locks the row: whoever claims meanwhile waits until this has ended, and whoever did is seen here.
      const { rows } = await session.run(
        'UPDATE meta SET revision = revision + 1 WHERE id = 1 AND epoch = $1 RETURNING revision',
        [epoch],
      )
      if (!rows[0]) throw new StoreTaken('another process writes the audit log now')
      if (rows[0]['revision'] !== revision + 1)
        throw new StoreGone('an earlier write came through after all: it is to be planned anew')
      for (const step of steps) await runStep(session, step)
    })
    this.#resize(steps)
  }

  /**
   * What the rows take, which is not what the files do: those keep the room of deleted rows for new ones, and limits are
   * to be met by deleting.
   */
  async usedBytes(): Promise<number> {
    if (this.#size && Math.abs(this.#clock.now() - this.#size.at) < SIZE_MS) return this.#size.bytes
    const { rows } = await this.#database.run(`
      SELECT
        (SELECT count(*) FROM change) AS changes,
        (SELECT coalesce(sum(octet_length(detail)), 0) FROM change) AS details,
        (SELECT count(*) FROM object) AS objects,
        (SELECT coalesce(sum(octet_length(body)), 0) FROM object) AS bodies,
        (SELECT count(*) FROM touch) AS touches
    `)
    const number = (name: string): number => Number(rows[0]?.[name])
    const changes = number('changes')
    const bytes =
      changes * ROW_BYTES.change +
      number('details') +
      number('objects') * ROW_BYTES.object +
      number('bodies') +
      number('touches') * ROW_BYTES.touch
    this.#size = { bytes, changes, at: this.#clock.now() }
    return bytes
  }

  /** Follows the size until it is looked up again: a deleted change had the mean one. */
  #resize(steps: readonly TableWrite[]): void {
    if (!this.#size) return
    let { bytes, changes } = this.#size
    for (const { step, table, rows } of steps) {
      if (table !== 'change') continue
      if (step === 'insert') {
        changes += rows.length
        for (const { detail } of rows)
          bytes += ROW_BYTES.change + (detail instanceof Uint8Array ? detail.length : 0)
      } else if (step === 'delete') {
        bytes -= (bytes / Math.max(1, changes)) * rows.length
        changes -= rows.length
      }
    }
    this.#size = { ...this.#size, bytes, changes }
  }

  /** The database's own vacuum does that. */
  async reclaim(): Promise<void> {}

  async scrub(): Promise<string | undefined> {
    this.#size = undefined
    return rewriteTables(this.#database, ['change', 'object', 'touch', 'term', 'inbox'])
  }

  async close(): Promise<void> {
    await this.#database.close()
  }
}

async function runStep(session: PostgresSession, { step, table, rows }: TableWrite): Promise<void> {
  const { key, columns: types } = TABLE_SHAPES[table]
  const columns = Object.keys(rows[0] ?? {})
  // One statement cannot write a row twice: the last one holds.
  const latest = new Map(rows.map((row) => [key.map((column) => String(row[column])).join('\0'), row]))
  const distinct = step === 'insert' ? rows : [...latest.values()]
  for (let from = 0; from < distinct.length; from += ROWS) {
    const some = distinct.slice(from, from + ROWS)
    const values = some.flatMap((row) => columns.map((column) => valueOf(row, column)))
    const tuple = (row: number): string =>
      columns
        .map((column, i) => `$${row * columns.length + i + 1}::${TYPES[types[column] ?? 'text']}`)
        .join(', ')
    const tuples = some.map((_, row) => `(${tuple(row)})`).join(', ')
    await session.run(textOf(step, table, key, columns, tuples), values)
  }
}

function textOf(
  step: TableWrite['step'],
  table: string,
  key: readonly string[],
  columns: readonly string[],
  tuples: string,
): string {
  const names = columns.join(', ')
  const others = columns.filter((column) => !key.includes(column))
  const set = (from: string): string => others.map((column) => `${column} = ${from}.${column}`).join(', ')
  const same = key.map((column) => `${table}.${column} = given.${column}`).join(' AND ')
  switch (step) {
    case 'insert':
      return `INSERT INTO ${table} (${names}) VALUES ${tuples} ON CONFLICT (${key.join(', ')}) DO NOTHING`
    case 'put':
      return `INSERT INTO ${table} (${names}) VALUES ${tuples} ON CONFLICT (${key.join(', ')}) DO UPDATE SET ${set('excluded')}`
    case 'update':
      return `UPDATE ${table} SET ${set('given')} FROM (VALUES ${tuples}) AS given (${names}) WHERE ${same}`
    case 'delete':
      return `DELETE FROM ${table} USING (VALUES ${tuples}) AS given (${names}) WHERE ${same}`
  }
}

/** PostgreSQL keeps no NUL in a text. */
function valueOf(row: WriteRow, column: string): PostgresValue {
  const value = row[column] ?? null
  return typeof value === 'string' ? value.replaceAll('\0', '\ufffd') : value
}
