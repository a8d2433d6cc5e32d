import { DatabaseSync } from 'node:sqlite'
import { DeckError } from '../../../src/core/lib/errors.ts'
import { isBusy } from './sqlite-error.ts'

/**
 * Takes a lock that ends with the process, however that ends; gives how to give it up. It is SQLite's own lock of an
 * empty database beside the store: Node has no flock, and a lock of the store itself could not outlast the moment in
 * which a damaged file is set aside.
 */
export function lockStore(file: string, waitMs: number): () => void {
  const lock = new DatabaseSync(file, { timeout: waitMs })
  try {
    lock.exec('BEGIN EXCLUSIVE')
  } catch (cause) {
    lock.close()
    if (!isBusy(cause)) throw cause
    throw new DeckError('STORE_LOCKED', `another process keeps its data in this folder: it holds ${file}`, {
      hint: 'Two processes must not share a store: wait until the other has ended, or give this one a --data of its own.',
      cause,
    })
  }
  return () => lock.close()
}
