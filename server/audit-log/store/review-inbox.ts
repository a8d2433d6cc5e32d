import type { JournalEntry } from '../journal/journal.ts'
import type { InboxWriter } from './inbox-writer.ts'
import type { PurgeBook } from './purge-book.ts'

/** A purge was asked for of which this replica does not know: its entries are to be looked through first. */
export class PurgeUnknown extends Error {
  override readonly name = 'PurgeUnknown'
}

/**
 * Where several replicas put what their webhooks received, for the one that holds the Lease to record. Each replica moves
 * its own journal here, entry by entry, and releases its journal's segments once `put` has resolved; the holder reads on
 * for each writer behind the seq that the store has of it (`AuditStore.position`), hands the entries to the same join as
 * those of a journal of its own, commits them with the writer's new position, and then releases them here. What is
 * delivered twice is recorded once, by its id. A store with one replica needs none: its recorder reads the journal itself.
 *
 * There is no order between writers, and none is needed: a cursor for each of them loses nothing, however long another's
 * transaction takes. Rejects with StoreGone and StoreFull as the store does.
 */
export interface ReviewInbox {
  /** Takes a writer's number for its journal's volume; false where another journal has it. A retry with the same owner is true. */
  claim(writer: number, owner: string, now: number): Promise<boolean>
  /**
   * Keeps a writer's next entries, in their order, and tells that it is there (with none: only that). Entries that are
   * here, or were released, are left out. `now` is the time up to which these are all that was synced, and `purge` the
   * number of the last purge whose values are in none of them: PurgeUnknown, and nothing kept, where there is a later one.
   */
  put(writer: number, entries: readonly JournalEntry[], now: number, purge: number): Promise<void>
  writers(): Promise<readonly InboxWriter[]>
  /** At most `limit` entries of each writer behind its cursor (0: from the beginning), in their order. */
  read(
    cursors: ReadonlyMap<number, number>,
    limit: number,
  ): Promise<ReadonlyMap<number, readonly JournalEntry[]>>
  /** Deletes a writer's entries up to a seq, which the store has kept; a bounded number in one transaction. */
  release(writer: number, upTo: number): Promise<void>
  /** Forgets writers of which nothing was heard since a time (epoch milliseconds) and all is released, and purges of before that all others have seen to. */
  forget(before: number): Promise<readonly number[]>
  readonly purges: PurgeBook
  close(): Promise<void>
}
