const MINUTE_MS = 60_000
const MINUTES = 60

/** Counts of the last hour, to the minute, in a fixed amount of memory. */
export class HourlyCounts<Name extends string> {
  readonly #now: () => number
  readonly #minutes = new Map<number, Map<Name, number>>()

  constructor(now: () => number) {
    this.#now = now
  }

  add(name: Name, count = 1): void {
    if (count <= 0) return
    const minute = this.#forgetOld()
    const counts = this.#minutes.get(minute) ?? new Map<Name, number>()
    counts.set(name, (counts.get(name) ?? 0) + count)
    this.#minutes.set(minute, counts)
  }

  /** Of the last hour, or of so many minutes, the one that has just begun among them. */
  of(name: Name, minutes = MINUTES): number {
    const minute = this.#forgetOld()
    let sum = 0
    for (const [at, counts] of this.#minutes) if (at > minute - minutes) sum += counts.get(name) ?? 0
    return sum
  }

  /** Gives the minute that it is, and lets go of those that are more than an hour ago, or to come where a clock was set back. */
  #forgetOld(): number {
    const minute = Math.floor(this.#now() / MINUTE_MS)
    for (const kept of this.#minutes.keys())
      if (kept <= minute - MINUTES || kept > minute) this.#minutes.delete(kept)
    return minute
  }
}
