import type { Clock } from '../../../src/core/lib/time.ts'
import type { Log } from '../../kit/log.ts'
import { type PurgeHistoryDeps, purgeHistory, type PurgeOutcome } from '../purge/purge-history.ts'
import { within } from '../purge/within.ts'
import type { AuditStore, PurgeFilter } from '../store/audit-store.ts'
import type { InboxWriter } from '../store/inbox-writer.ts'
import type { ReviewInbox } from '../store/review-inbox.ts'
import { SILENT_MS } from './live-writers.ts'

/** What the one who records is asked to purge. */
export interface ReplicasPurge {
  /** Of the request: whoever takes over goes on with the same. */
  readonly id: string
  readonly filter: PurgeFilter
}

/** What leading a purge stands on. */
export interface LeadPurgeDeps extends PurgeHistoryDeps {
  readonly store: Pick<AuditStore, 'position' | 'purge' | 'scrub'>
  readonly inbox: Pick<ReviewInbox, 'writers' | 'release' | 'purges'>
  readonly clock: Clock
  readonly log: Log
}

/** A replica that is there looks for purges with each sign of life, twice a second. */
const RID_MS = 60_000

/**
 * Purges what several replicas have: books it, so that nothing of it is handed over from then on; waits until every replica
 * that is there has rid its journal; and takes it out of the store and of what was handed over before. Who is away finds it
 * booked. Each step may be done again, by another replica too.
 */
export async function leadPurge(
  deps: LeadPurgeDeps,
  { id, filter }: ReplicasPurge,
  signal: AbortSignal,
): Promise<PurgeOutcome> {
  const { store, inbox, clock, log } = deps
  const { number, writers } = await inbox.purges.book({ id, filter }, clock.now())
  log.info({ purge: number, id }, 'a purge is booked: every replica rids its journal of it')
  const present = new PresentWriters(clock)
  let away: readonly InboxWriter[] = []
  let late: readonly InboxWriter[] = []
  const isRid = async (): Promise<boolean> => {
    const due = (await inbox.writers()).filter(({ purged }) => purged < number)
    late = present.among(due)
    away = due.filter((writer) => !late.includes(writer))
    return late.length === 0
  }
  if (!(await within(RID_MS, isRid, { clock, signal })))
    throw new Error(
      `the replica of journal ${late[0]?.writer} has not purged it within ${RID_MS / 1000} s, though it is there`,
    )
  // One that came at the same moment as the booking is told here only.
  const booked = new Map(writers.map((writer) => [writer.writer, writer]))
  const before = (await inbox.writers()).map((writer) => booked.get(writer.writer) ?? writer)
  const outcome = await purgeHistory(
    deps,
    filter,
    {
      async isTaken() {
        for (const { writer, seq } of before)
          if (seq > 0 && ((await store.position(writer))?.seq ?? 0) < seq) return false
        return true
      },
      async release(changes) {
        const sum = await inbox.purges.count(number, changes)
        for (const { writer, seq } of before) await inbox.release(writer, seq)
        return sum
      },
    },
    signal,
  )
  return { ...outcome, ...(away.length > 0 ? { away: away.length } : {}) }
}

/** Which replicas are there: clocks may differ, so what counts is that a sign of life comes. */
class PresentWriters {
  readonly #clock: Pick<Clock, 'now'>
  readonly #known = new Map<number, { heartbeat: number; at: number }>()

  constructor(clock: Pick<Clock, 'now'>) {
    this.#clock = clock
  }

  among(writers: readonly InboxWriter[]): readonly InboxWriter[] {
    const now = this.#clock.now()
    return writers.filter(({ writer, heartbeat }) => {
      const known = this.#known.get(writer)
      if (known?.heartbeat !== heartbeat) {
        // One whose last sign is long ago is waited for no more; where only its clock is behind, the next brings it back.
        const at = known || now - heartbeat < SILENT_MS ? now : Number.NEGATIVE_INFINITY
        this.#known.set(writer, { heartbeat, at })
      }
      const { at = now } = this.#known.get(writer) ?? {}
      return heartbeat !== 0 && now - at < SILENT_MS
    })
  }
}
