import { StoreGone, StoreFull } from './store.ts'

/** The address is wrong, or its user may not: nothing that passes by itself. */
const REFUSED = new Set(['28000', '28P01', '3D000', '42501'])

/**
 * SQLSTATEs of a database that may be back later (https://www.postgresql.org/docs/current/errcodes-appendix.html):
 * connection exceptions, too many connections, shutdowns, a standby that became none yet, timeouts.
 */
const GONE = /^(?:08...|53300|57P0.|57014|25006|25P03|58...|XX...)$/

/** disk_full, out_of_memory, configuration_limit_exceeded. */
const FULL = new Set(['53100', '53400'])

/** The same error, or what it means to whoever keeps something there; messages of the driver hold no password. */
export function asPostgresError(error: unknown): unknown {
  if (!(error instanceof Error)) return error
  const code = 'code' in error && typeof error.code === 'string' ? error.code : ''
  if (FULL.has(code)) return new StoreFull('the database has no space left', { cause: error })
  if (REFUSED.has(code)) return error
  if (GONE.test(code) || isConnectionFault(error, code)) {
    return new StoreGone(`the database cannot be reached: ${error.message}`, { cause: error })
  }
  return error
}

/** What is no answer of the server: errors of sockets, and those that the driver tells without a code. */
function isConnectionFault(error: Error, code: string): boolean {
  if (/^E[A-Z]+$/.test(code)) return true
  if (code !== '') return false
  return /^(?:Connection terminated|timeout exceeded|Query read timeout|Client has encountered a connection error|Client was closed|Cannot use a pool after)/.test(
    error.message,
  )
}
