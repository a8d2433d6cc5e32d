const HOUR = 60 * 60 * 1000
const DAY = 24 * HOUR

/** How fast the store has grown since a moment. */
export class StoreGrowth {
  readonly #bytes: number
  readonly #now: () => number
  readonly #since: number

  /** Begins now, with so many bytes in use. */
  constructor(bytes: number, now: () => number) {
    this.#bytes = bytes
    this.#now = now
    this.#since = now()
  }

  /** Bytes a day, given how many are in use now; undefined before an hour has passed. */
  perDay(bytes: number): number | undefined {
    const passed = this.#now() - this.#since
    return passed < HOUR ? undefined : Math.max(0, Math.round(((bytes - this.#bytes) * DAY) / passed))
  }
}
