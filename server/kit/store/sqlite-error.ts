import { StoreFull } from './store.ts'

// https://sqlite.org/rescode.html
const SQLITE_BUSY = 5
const SQLITE_CORRUPT = 11
const SQLITE_FULL = 13
const SQLITE_NOTADB = 26
/** SQLite gives SQLITE_FULL for ENOSPC only; a used-up quota (EDQUOT) comes as this one. */
const SQLITE_IOERR_WRITE = 778

function extendedCode(error: unknown): number | undefined {
  const code = error instanceof Error && 'errcode' in error ? error.errcode : undefined
  return typeof code === 'number' ? code : undefined
}

function primaryCode(error: unknown): number | undefined {
  const code = extendedCode(error)
  return code === undefined ? undefined : code & 0xff
}

/** Whether another process has the file. */
export function isBusy(error: unknown): boolean {
  return primaryCode(error) === SQLITE_BUSY
}

/** Whether SQLite found that the file is no database, or no sound one. */
export function isDamage(error: unknown): boolean {
  const code = primaryCode(error)
  return code === SQLITE_CORRUPT || code === SQLITE_NOTADB
}

/** The same error, or a StoreFull where it says that there was no space. */
export function asStoreError(error: unknown): unknown {
  const code = extendedCode(error)
  if (code !== SQLITE_FULL && code !== SQLITE_IOERR_WRITE) return error
  return new StoreFull('there is no space left on the volume of the store', { cause: error })
}
