/** So many numbers are one block. */
const BLOCK = 1000

/**
 * The latest time in each block of numbers: where a moment is in the journal, without a look at all of its events. A
 * clock that was set back makes times fall while numbers rise, so that neither an order of times nor halving would do.
 */
export class EventTimes {
  /** By block, lowest first. */
  readonly #latest = new Map<number, number>()

  /** Takes an event in; numbers must rise. */
  add(number: number, time: number): void {
    const block = Math.floor(number / BLOCK)
    this.#latest.set(block, Math.max(time, this.#latest.get(block) ?? time))
  }

  /** Forgets events up to a number, as far as they fill blocks. */
  forget(upTo: number): void {
    for (const block of this.#latest.keys()) {
      if ((block + 1) * BLOCK - 1 > upTo) return
      this.#latest.delete(block)
    }
  }

  /** A number from which to look for the first event of this moment or later; undefined where there is none. */
  lookFrom(time: number): number | undefined {
    for (const [block, latest] of this.#latest) if (latest >= time) return block * BLOCK
    return undefined
  }
}
