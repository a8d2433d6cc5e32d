import type { Clock } from '../../../src/core/lib/time.ts'
import type { JournalReader, SealedJournal } from '../journal/journal.ts'
import type { AuditStore, PurgeFilter } from '../store/audit-store.ts'

/** What the recorder's thread is asked to purge. */
export interface PurgeCall {
  readonly filter: PurgeFilter
  /** Where the journal's segments ended when it was asked. */
  readonly sealed: SealedJournal
}

/** What purging stands on. */
export interface PurgeHistoryDeps {
  readonly store: Pick<AuditStore, 'position' | 'purge'>
  readonly journal: Pick<JournalReader, 'release'>
  /** Of the journal. */
  readonly writer: number
  /** How many observed writes are not decided, whose objects are held in memory. */
  readonly waiting: () => number
  readonly clock: Clock
}

/** Reviews are decided after 30 s at most. */
const TAKEN_MS = 60_000
/** On a busy cluster there may always be some: by then those of before are decided. */
const DECIDED_MS = 5000
const LOOK_MS = 100

/**
 * Takes values out of the store and out of the journal as it was when it was sealed. What was in the journal is moved into
 * the store first, so that nothing is lost but these values; rejects, and may be called again, where that takes too long.
 */
export async function purgeHistory(
  { store, journal, writer, waiting, clock }: PurgeHistoryDeps,
  { filter, sealed }: PurgeCall,
  signal: AbortSignal,
): Promise<number> {
  const until = async (is: () => Promise<boolean> | boolean, withinMs: number): Promise<boolean> => {
    for (const limit = clock.now() + withinMs; ;) {
      if (await is()) return true
      if (clock.now() >= limit) return false
      await clock.sleep(LOOK_MS, signal)
    }
  }
  const isTaken = async (): Promise<boolean> => ((await store.position(writer))?.seq ?? 0) >= sealed.seq
  if (!(await until(isTaken, TAKEN_MS)))
    throw new Error(`what the journal holds was not in the store within ${TAKEN_MS / 1000} s`)
  await until(() => waiting() === 0, DECIDED_MS)
  const changes = await store.purge(filter)
  journal.release({ segment: sealed.segment, offset: 0 })
  return changes
}
