import type { Clock } from '../../../src/core/lib/time.ts'
import type { Recorder } from '../recorder/recorder.ts'
import type { AuditStore, PurgeFilter } from '../store/audit-store.ts'
import { within } from './within.ts'

/** What a purge came to. */
export interface PurgeOutcome {
  /** From how many changes something was taken. */
  readonly changes: number
  /** Of several replicas: how many were away, and do their part when they are back. */
  readonly away?: number
  /** What could not be overwritten, in one clause; left out where nothing is left. */
  readonly remains?: string
}

/** What purging stands on. */
export interface PurgeHistoryDeps {
  readonly store: Pick<AuditStore, 'purge' | 'scrub'>
  readonly recorder: Pick<Recorder, 'counts' | 'between'>
  readonly clock: Clock
}

/** Where reviews come from that may hold what is to go. */
export interface PurgedReviews {
  /** Whether all that had come when it was asked is in the store. */
  isTaken(): Promise<boolean>
  /** Lets go of all of that; told from how many changes of the store something was taken, gives how many to tell. */
  release(changes: number): Promise<number>
}

/** Reviews are decided after 30 s at most. */
const TAKEN_MS = 60_000
/** On a busy cluster there may always be some: by then those of before are decided. */
const DECIDED_MS = 8000

/**
 * Takes values out of the store and out of what came before it. What came is moved into the store first, so that nothing
 * is lost but these values; rejects, and may be called again, where that takes too long.
 */
export async function purgeHistory(
  { store, recorder, clock }: PurgeHistoryDeps,
  filter: PurgeFilter,
  reviews: PurgedReviews,
  signal: AbortSignal,
): Promise<PurgeOutcome> {
  const wait = { clock, signal }
  if (!(await within(TAKEN_MS, () => reviews.isTaken(), wait)))
    throw new Error(`what was received before was not in the store within ${TAKEN_MS / 1000} s`)
  await within(DECIDED_MS, () => recorder.counts.waiting === 0, wait)
  // What is decided in a round is kept at its end: not in the middle of one.
  const taken = await recorder.between(() => store.purge(filter))
  const changes = await reviews.release(taken)
  const remains = await store.scrub()
  return { changes, ...(remains === undefined ? {} : { remains }) }
}
