import type { Log } from './log.ts'

/** So long must a clock have run evenly before anything is removed for its age, in milliseconds. */
export const EVEN_MS = 24 * 60 * 60_000

/** Between two looks no more time passes than this, in milliseconds; more is a leap, or a process that was stopped. */
const MOST_BETWEEN_LOOKS_MS = 10 * 60_000

/** A clock that is set back by less, in milliseconds, is corrected, as machines do all the time. */
const MOST_BACK_MS = 60_000

/** What a belief begins with; times in epoch milliseconds. */
export interface BelievableAgeOptions {
  readonly now: number
  /** The time of the oldest record; undefined where there is none. */
  readonly oldest: number | undefined
  /** How long records are kept. */
  readonly keptMs: number
  readonly log: Log
}

/**
 * Tells whether the clock may be believed when it says that something is too old to be kept. A clock that leapt ahead
 * would have all that was recorded removed at once, and nothing brings it back. So age counts only once the clock has
 * run evenly for a day; from the start where hardly anything is overdue, as after every short downtime.
 */
export class BelievableAge {
  readonly #log: Log
  #last: number
  /** Since when it runs evenly, in epoch milliseconds. */
  #evenSince: number

  constructor({ now, oldest, keptMs, log }: BelievableAgeOptions) {
    this.#log = log
    this.#last = now
    const overdueMs = oldest === undefined ? 0 : now - keptMs - oldest
    this.#evenSince = overdueMs <= EVEN_MS ? now - EVEN_MS : now
  }

  /** Takes a look at the clock, which is to be done every few minutes at least; whether ages count. */
  look(now: number): boolean {
    const passedMs = now - this.#last
    this.#last = now
    if (passedMs < -MOST_BACK_MS || passedMs > MOST_BETWEEN_LOOKS_MS) {
      this.#evenSince = now
      this.#log.warn(
        { leapSeconds: Math.round(passedMs / 1000) },
        'the clock was set, or the process stood still: for a day nothing is removed for its age',
      )
    }
    return now - this.#evenSince >= EVEN_MS
  }
}
