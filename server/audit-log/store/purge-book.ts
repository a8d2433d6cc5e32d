import type { PurgeFilter } from './audit-store.ts'
import type { InboxWriter } from './inbox-writer.ts'

/** A purge that replicas have to see to, by its number, which rises. */
export interface BookedPurge {
  readonly number: number
  readonly filter: PurgeFilter
  /** Epoch milliseconds, by the clock of whoever booked it. */
  readonly asked: number
}

/**
 * What several replicas know of purges, in the database that they share. From the moment at which one is booked no replica
 * hands anything over before it has heard of it (`ReviewInbox.put`); what was handed over before is there to be seen.
 */
export interface PurgeBook {
  /** Books a request, once, however often it is asked for; the writers are told as they are right after. */
  book(
    request: { readonly id: string; readonly filter: PurgeFilter },
    now: number,
  ): Promise<{ readonly number: number; readonly writers: readonly InboxWriter[] }>
  /** The last number that was given, and those that a writer's journal is not known to be rid of, in their order. */
  due(writer: number): Promise<{ readonly known: number; readonly purges: readonly BookedPurge[] }>
  /** A writer's journal is rid of all up to this one. */
  acknowledge(writer: number, number: number): Promise<void>
  /** Adds to the number of changes of which something was taken; gives the sum over all attempts. */
  count(number: number, changes: number): Promise<number>
}
