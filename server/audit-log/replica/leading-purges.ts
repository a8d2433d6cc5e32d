import type { Clock } from '../../../src/core/lib/time.ts'
import type { PurgeOutcome } from '../purge/purge-history.ts'
import { within } from '../purge/within.ts'
import { StoreTaken } from '../store/audit-store.ts'
import type { ReplicasPurge } from './lead-purge.ts'

/** One term of recording, as far as purging goes. */
export interface PurgingTerm {
  /** Whether it records: before that, this process may not be the one who writes. */
  readonly records: () => boolean
  readonly purge: (asked: ReplicasPurge, signal: AbortSignal) => Promise<PurgeOutcome>
}

/** The replica that holds the Lease records soon, or its database is away. */
const BEGIN_MS = 60_000
const RETRY_MS = 1000

/** Purges with whatever term of recording there is; where one ends in the middle, with the next. */
export class LeadingPurges {
  readonly #clock: Clock
  #term: PurgingTerm | undefined

  constructor(clock: Clock) {
    this.#clock = clock
  }

  begin(term: PurgingTerm): void {
    this.#term = term
  }

  end(): void {
    this.#term = undefined
  }

  /** Rejects with why it could not be done by this replica, and when the signal aborts. */
  async purge(asked: ReplicasPurge, signal: AbortSignal): Promise<PurgeOutcome> {
    const clock = this.#clock
    for (;;) {
      if (!(await within(BEGIN_MS, () => this.#term?.records() === true, { clock, signal })))
        throw new Error(`nothing is recorded by the replica that is to, since ${BEGIN_MS / 1000} s`)
      const term = this.#term
      if (!term) continue
      try {
        return await term.purge(asked, signal)
      } catch (error) {
        signal.throwIfAborted()
        if (this.#term === term && !(error instanceof StoreTaken)) throw error
        await clock.sleep(RETRY_MS, signal)
      }
    }
  }
}
