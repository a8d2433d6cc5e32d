import { closeSync, fsyncSync, openSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { DatabaseSync } from 'node:sqlite'
import { DeckError } from '../../../src/core/lib/errors.ts'
import type { Log } from '../log.ts'
import type { StoreOptions } from './store.ts'

/** How many steps the file has had. */
export function schemaVersion(database: DatabaseSync): number {
  return Number(database.prepare('PRAGMA user_version').get()?.['user_version'])
}

/** Throws STORE_NEWER where a later version of deckwatch has written the file. */
export function refuseNewerSchema(version: number, file: string, { migrations }: StoreOptions): void {
  if (version <= migrations.length) return
  throw new DeckError(
    'STORE_NEWER',
    `${file} was written by a later version: its schema is ${version}, this version knows ${migrations.length}`,
    { hint: 'Run that version again, or one after it; or move the file away to begin without its data.' },
  )
}

/** Brings the schema up to date, one transaction a step, after a backup of what is there. */
export function migrate(database: DatabaseSync, options: StoreOptions, log: Log): void {
  const from = schemaVersion(database)
  const to = options.migrations.length
  if (from === to) return
  if (from > 0)
    log.info({ file: backUp(database, from, options) }, 'backup before the migration of the store')
  for (const [index, { name, sql }] of options.migrations.entries()) {
    if (index < from) continue
    database.exec('BEGIN IMMEDIATE')
    try {
      database.exec(sql)
      database.exec(`PRAGMA user_version = ${index + 1}`)
      database.exec('COMMIT')
    } catch (error) {
      if (database.isTransaction) database.exec('ROLLBACK')
      throw error
    }
    if (from > 0) log.info({ step: name, schema: index + 1 }, 'migrated the store')
  }
}

/** Writes a whole copy beside the store; there is one at a time, the latest. */
function backUp(database: DatabaseSync, version: number, { folder, name }: StoreOptions): string {
  const prefix = `${name}.backup-schema-`
  const backup = join(folder, `${prefix}${version}.sqlite`)
  const unfinished = `${backup}.tmp`
  rmSync(unfinished, { force: true })
  try {
    database.prepare('VACUUM INTO ?').run(unfinished)
    // SQLite itself does not sync what VACUUM INTO writes.
    const descriptor = openSync(unfinished, 'r+')
    fsyncSync(descriptor)
    closeSync(descriptor)
    renameSync(unfinished, backup)
  } catch (error) {
    rmSync(unfinished, { force: true })
    throw error
  }
  for (const other of readdirSync(folder)) {
    if (other.startsWith(prefix) && join(folder, other) !== backup) rmSync(join(folder, other))
  }
  return backup
}
