import type { Clock } from '../../../src/core/lib/time.ts'
import { BelievableAge } from '../../kit/believable-age.ts'
import type { Log } from '../../kit/log.ts'
import { RareWarning } from '../../kit/rare-warning.ts'
import { StoreFull } from '../../kit/store/store.ts'
import type { AuditStore, AuditStoreState, RecordBatch, RetentionLimits } from '../store/audit-store.ts'
import { StoreGone } from '../store/audit-store.ts'

/** What commits stand on. */
export interface BatchCommitDeps {
  readonly store: Pick<AuditStore, 'commit' | 'trim'>
  readonly clock: Clock
  readonly log: Log
  readonly limits: RetentionLimits
  /** Called when a commit failed and is tried again. */
  readonly told?: () => void
}

const RETRY_MS = 1000
const TRIM_EACH_MS = 60_000
/** Nothing is so old. */
const NO_AGE = { maxAgeMs: Number.MAX_SAFE_INTEGER, secretsMaxAgeMs: Number.MAX_SAFE_INTEGER }

/** Keeps batches, however long that takes, and lets go of what is beyond the limits. */
export class BatchCommit {
  readonly #deps: BatchCommitDeps
  readonly #warning: RareWarning
  readonly counts = { commits: 0, commitSeconds: 0, retries: 0 }
  /** Why nothing can be kept now; undefined where all is well. */
  failing: string | undefined
  #trimAt = 0
  #age: BelievableAge | undefined

  constructor(deps: BatchCommitDeps) {
    this.#deps = deps
    this.#warning = new RareWarning('changes cannot be kept; trying again, nothing is lost', deps)
  }

  /** Recording goes on: what the clock says of ages is held against when it was last done, in epoch milliseconds. */
  begin(heartbeat: number | undefined): void {
    const { clock, log } = this.#deps
    this.#age = new BelievableAge({ now: clock.now(), oldest: heartbeat, keptMs: 0, log })
  }

  /** Tries until there is space and a database; rejects with what no waiting heals, and when the signal aborts. */
  async commit(batch: RecordBatch, signal: AbortSignal): Promise<AuditStoreState> {
    const { store, clock, log } = this.#deps
    for (let retries = 0; ; retries += 1) {
      const began = performance.now()
      try {
        const state = await store.commit(batch)
        this.failing = undefined
        this.counts.commits += 1
        this.counts.commitSeconds += (performance.now() - began) / 1000
        if (retries > 0) log.info({ retries }, 'changes are kept again, nothing was lost')
        return state
      } catch (error) {
        if (!mayPass(error)) throw error
        this.#warning.warn({ err: error })
        this.counts.retries += 1
        this.failing = error instanceof StoreFull ? 'no space is left' : 'the database cannot be reached'
        this.#deps.told?.()
        // A full disk is emptied by what is beyond the limits in bytes.
        if (error instanceof StoreFull) await this.#trim(clock.now())
        await clock.sleep(RETRY_MS, signal)
      }
    }
  }

  /** A bounded step, about each minute or as long as there is more to let go. */
  async trim(now: number): Promise<void> {
    if (now >= this.#trimAt || now < this.#trimAt - TRIM_EACH_MS) await this.#trim(now)
  }

  async #trim(now: number): Promise<void> {
    const { store, limits } = this.#deps
    const believed = this.#age?.look(now) ?? true
    try {
      this.#trimAt = (await store.trim(believed ? limits : { ...limits, ...NO_AGE }, now))
        ? now
        : now + TRIM_EACH_MS
    } catch (error) {
      if (!mayPass(error)) throw error
      this.#trimAt = now + TRIM_EACH_MS
    }
  }
}

function mayPass(error: unknown): error is StoreFull | StoreGone {
  return error instanceof StoreFull || error instanceof StoreGone
}
