import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { DeckError } from '../../../src/core/lib/errors.ts'
import { type Clock, rfc3339Seconds } from '../../../src/core/lib/time.ts'
import type { Log } from '../log.ts'
import { migrate, refuseNewerSchema, schemaVersion } from './migrate.ts'
import { asStoreError, isDamage } from './sqlite-error.ts'
import { SqliteStore } from './sqlite-store.ts'
import { lockStore } from './store-lock.ts'
import type { SetAside, Store, StoreOptions } from './store.ts'

/** What opening a store needs besides its options. */
export interface StoreDeps {
  readonly clock: Clock
  readonly log: Log
  /** How long another process may take to give the store up, in milliseconds; 2 s where left out. */
  readonly lockWaitMs?: number
}

/**
 * Opens a room's store, brings its schema up to date and checks it; what is damaged is set aside and a new one begun.
 * Throws STORE_LOCKED while another process has it, STORE_NEWER where a later version wrote it, STORE_FAILED where the
 * folder cannot be used; its cause is a StoreFull where only space is missing.
 */
export function openStore(options: StoreOptions, deps: StoreDeps): Store {
  const { folder, name } = options
  const log = deps.log.child({ store: name })
  const file = join(folder, `${name}.sqlite`)
  const damageMark = `${file}.damaged`
  let unlock: (() => void) | undefined
  try {
    mkdirSync(folder, { recursive: true })
    unlock = lockStore(join(folder, `${name}.lock`), deps.lockWaitMs ?? 2000)
    const found = readMark(damageMark) ?? isNoFile(file) ?? whatIsWrong(options, file)
    const setAside = found === undefined ? undefined : moveAside(options, found, deps.clock)
    if (setAside) {
      log.error({ ...setAside }, 'the store was damaged: it is set aside and a new one begun')
      rmSync(damageMark, { force: true })
    }
    const database = openDatabase(options, file)
    try {
      migrate(database, options, log)
    } catch (error) {
      database.close()
      throw error
    }
    return new SqliteStore({ database, setAside, damageMark, log, unlock })
  } catch (error) {
    // One that could not be begun, as for want of space, is not to be taken for one that was lost.
    if (unlock && isNoFile(file) === EMPTY) rmSync(file)
    unlock?.()
    if (error instanceof DeckError) throw error
    throw storeFailed(file, asStoreError(error))
  }
}

function openDatabase(options: StoreOptions, file: string): DatabaseSync {
  const database = new DatabaseSync(file, { timeout: 5000 })
  try {
    // No other process has business here, and so no shared memory file, which a full disk or a network volume refuses.
    database.exec('PRAGMA locking_mode = EXCLUSIVE')
    refuseNewerSchema(schemaVersion(database), file, options)
    // These two hold from the first page on only, and the second writes, which needs space, each time that it is said.
    if (Number(database.prepare('PRAGMA page_count').get()?.['page_count']) === 0)
      database.exec('PRAGMA page_size = 8192; PRAGMA auto_vacuum = INCREMENTAL')
    database.exec(`
      PRAGMA journal_mode = WAL;
      PRAGMA synchronous = FULL;
      PRAGMA cache_size = -16384;
      PRAGMA temp_store = MEMORY;
      -- After a burst the write-ahead log is cut back to this.
      PRAGMA journal_size_limit = 16777216;
    `)
    return database
  } catch (error) {
    database.close()
    throw error
  }
}

/** What makes the file unfit to go on with; undefined where it is sound or not there. */
function whatIsWrong(options: StoreOptions, file: string): string | undefined {
  let database: DatabaseSync | undefined
  try {
    database = openDatabase(options, file)
    const answers = database.prepare('PRAGMA quick_check(3)').all()
    const faults = answers.map((row) => String(row['quick_check'])).filter((answer) => answer !== 'ok')
    return faults.length > 0 ? faults.join('; ') : undefined
  } catch (error) {
    if (isDamage(error) && error instanceof Error) return error.message
    throw error
  } finally {
    database?.close()
  }
}

const EMPTY = 'the file is empty'

/** What SQLite would not call damage: it takes an empty file for a new database, and cannot say what a folder is. */
function isNoFile(file: string): string | undefined {
  const found = statSync(file, { throwIfNoEntry: false })
  if (!found) return undefined
  if (!found.isFile()) return 'it is no file'
  return found.size === 0 ? EMPTY : undefined
}

function readMark(damageMark: string): string | undefined {
  try {
    return readFileSync(damageMark, 'utf8')
  } catch {
    return undefined
  }
}

/** Moves the file and its companions out of the way, under the time's name; of such only the latest is kept. */
function moveAside({ folder, name }: StoreOptions, reason: string, clock: Clock): SetAside {
  const prefix = `${name}.damaged-`
  for (const old of readdirSync(folder))
    if (old.startsWith(prefix)) rmSync(join(folder, old), { recursive: true })
  const target = join(folder, `${prefix}${rfc3339Seconds(clock.now()).replaceAll(':', '-')}.sqlite`)
  for (const suffix of ['-wal', '-shm', '']) {
    try {
      renameSync(join(folder, `${name}.sqlite${suffix}`), target + suffix)
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error
    }
  }
  return { file: target, reason }
}

function storeFailed(file: string, cause: unknown): DeckError {
  const why = cause instanceof Error ? cause.message : String(cause)
  return new DeckError('STORE_FAILED', `cannot open the store ${file}: ${why}`, {
    hint: 'The folder of --data must exist or be makeable, belong to the user that runs this, and have free space.',
    cause,
  })
}
