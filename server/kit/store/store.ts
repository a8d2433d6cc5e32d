import type { DatabaseSync, StatementSync } from 'node:sqlite'

/** One step of a schema's history; steps are never changed once released, only added. */
export interface Migration {
  /** What it brings, for the log: `events by image`. */
  readonly name: string
  readonly sql: string
}

/** What a store is opened with. */
export interface StoreOptions {
  /** The folder of the volume; made where it is missing. */
  readonly folder: string
  /** The file's name without `.sqlite`: the room's name. */
  readonly name: string
  /** All steps from an empty file; the file's `user_version` is how many it has had. */
  readonly migrations: readonly Migration[]
}

/** A damaged file that was set aside at the start, and where it is now. */
export interface SetAside {
  readonly file: string
  /** What SQLite found. */
  readonly reason: string
}

/**
 * One room's database: an SQLite file in WAL mode with synchronous=FULL, so that what `write` returned from survives
 * `kill -9` and power loss. All calls are synchronous; reads are by index and short.
 */
export interface Store {
  /** Statements are prepared once and kept by their text. */
  statement(sql: string): StatementSync
  /** Runs the function in one transaction; rolled back where it throws. StoreFull where the disk or a limit is. */
  write<T>(work: () => T): T
  /** Pages in use times page size: what limits are measured by. */
  usedBytes(): number
  /** Gives up to so many free pages back to the file system. */
  vacuum(pages: number): void
  /**
   * Writes the whole file anew, so that nothing of what was deleted is left in it or in the write-ahead log; needs as much
   * space again while it runs. StoreFull where there is none.
   */
  rewrite(): void
  /** Set where the file found at the start was damaged and a new one was begun. */
  readonly setAside: SetAside | undefined
  readonly database: DatabaseSync
  /** Checkpoints and closes; further calls throw. */
  close(): void
}

/** A write found no space: nothing of it was kept, reads go on, and it may be tried again. */
export class StoreFull extends Error {
  override readonly name = 'StoreFull'
}

/** A database in another place could not be reached: nothing is known to be lost, and it may be tried again. */
export class StoreGone extends Error {
  override readonly name = 'StoreGone'
}
