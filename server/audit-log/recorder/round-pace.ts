import { setImmediate } from 'node:timers/promises'
import type { Clock } from '../../../src/core/lib/time.ts'
import type { Feed } from '../feed.ts'
import type { ReviewSource } from './review-intake.ts'

/** What the time between rounds depends on. */
export interface RoundPaceDeps {
  readonly clock: Clock
  readonly reviews: Pick<ReviewSource, 'moved'>
  readonly feed: Pick<Feed, 'arrived'>
}

/** A round that is over. */
export interface RoundDone {
  /** Of performance.now. */
  readonly began: number
  /** How many reviews and steps had come. */
  readonly done: number
  /** Whether more steps could be taken. */
  readonly takesSteps: boolean
}

/** Rounds begin no oftener: a commit for each review would take more time than all the rest. */
const ROUND_MS = 30
/** Where so much had come, more may wait. */
const FULL_ROUND = 100
/** So long it is waited for news. */
const LOOK_MS = 250

/** When the recorder begins its next round. */
export class RoundPace {
  readonly #deps: RoundPaceDeps
  #moved: Promise<void> | undefined

  constructor(deps: RoundPaceDeps) {
    this.#deps = deps
  }

  /** Resolves when there is something to do, or after a while. */
  async rest({ began, done, takesSteps }: RoundDone, signal: AbortSignal): Promise<void> {
    if (done === 0) await this.#news(takesSteps, signal)
    const left = ROUND_MS - (performance.now() - began)
    if (done < FULL_ROUND && left > 0) await this.#deps.clock.sleep(left, signal).catch(() => undefined)
    else await setImmediate()
  }

  /** Waits for news of either witness, or for a while. */
  async #news(takesSteps: boolean, signal: AbortSignal): Promise<void> {
    const { clock, reviews, feed } = this.#deps
    const over = new AbortController()
    const both = AbortSignal.any([signal, over.signal])
    // Where something came since it was read, there is nothing to wait for.
    this.#moved ??= reviews.moved(LOOK_MS).finally(() => {
      this.#moved = undefined
    })
    await Promise.race([
      this.#moved,
      ...(takesSteps ? [feed.arrived(both)] : []),
      clock.sleep(LOOK_MS, both).catch(() => undefined),
    ])
    over.abort()
  }
}
