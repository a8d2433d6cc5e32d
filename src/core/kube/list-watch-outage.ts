import type { DeckError, ErrorCode } from '../lib/errors.ts'
import type { ListWatchEvent } from './list-watch-event.ts'

type OutageEvent = Extract<ListWatchEvent<unknown>, { readonly type: 'interrupted' | 'failing' | 'resumed' }>

/** A server that starts refuses in many ways for a moment; a reason that comes so often in a row lasts. */
const LASTING_ATTEMPTS = 3

/** What is told of outages: that one begins, why it lasts when that has changed, and that it is over. */
export class Outage {
  #since: number | undefined
  #told: ErrorCode | undefined
  #latest: ErrorCode | undefined
  #inARow = 0

  /** Whether there is one now. */
  get lasts(): boolean {
    return this.#since !== undefined
  }

  /** An attempt has failed; undefined when that is no news. `at` is epoch milliseconds. */
  failed({ code, message }: DeckError, at: number): OutageEvent | undefined {
    this.#inARow = code === this.#latest ? this.#inARow + 1 : 1
    this.#latest = code
    if (this.#since === undefined) {
      this.#since = at
      this.#told = code
      return { type: 'interrupted', at, reason: message }
    }
    if (code === this.#told || this.#inARow < LASTING_ATTEMPTS) return undefined
    this.#told = code
    return { type: 'failing', at, reason: message }
  }

  /** All is well again; undefined when it was before. */
  over(at: number, how: 'watch' | 'relist'): OutageEvent | undefined {
    if (this.#since === undefined) return undefined
    // The clock may have been set back meanwhile.
    const downMs = Math.max(0, at - this.#since)
    this.#since = undefined
    this.#latest = undefined
    return { type: 'resumed', at, downMs, how }
  }
}
