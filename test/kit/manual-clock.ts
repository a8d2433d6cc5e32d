import type { Clock } from '../../src/core/lib/time.ts'

interface Sleeper {
  readonly ms: number
  wakesAt: number
  wake(): void
}

/** A clock that stands still until a test turns it. */
export class ManualClock implements Clock {
  #now: number
  readonly #sleepers = new Set<Sleeper>()
  readonly #watchers = new Set<() => void>()

  /** Begins at the given epoch milliseconds. */
  constructor(startMs = Date.UTC(2026, 10, 21, 2, 14, 7)) {
    this.#now = startMs
  }

  now(): number {
    return this.#now
  }

  /** The lengths of the sleeps that are under way, in milliseconds. */
  get sleeping(): readonly number[] {
    return [...this.#sleepers].map((sleeper) => sleeper.ms)
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      signal?.throwIfAborted()
      const abort = (): void => {
        this.#sleepers.delete(sleeper)
        reject(signal?.reason as Error)
      }
      const sleeper: Sleeper = {
        ms,
        wakesAt: this.#now + ms,
        wake: () => {
          this.#sleepers.delete(sleeper)
          signal?.removeEventListener('abort', abort)
          resolve()
        },
      }
      signal?.addEventListener('abort', abort, { once: true })
      this.#sleepers.add(sleeper)
      for (const look of this.#watchers) look()
    })
  }

  /** Lets time pass and wakes whom it reaches, in order; who falls asleep meanwhile is woken too if time reaches them. */
  async advance(ms: number): Promise<void> {
    const until = this.#now + ms
    for (;;) {
      const due = [...this.#sleepers].filter((sleeper) => sleeper.wakesAt <= until)
      const first = due.toSorted((one, other) => one.wakesAt - other.wakesAt)[0]
      if (!first) break
      this.#now = Math.max(this.#now, first.wakesAt)
      first.wake()
      await new Promise((resolve) => {
        setImmediate(resolve)
      })
    }
    this.#now = until
  }

  /** Sets the clock so much back, in milliseconds; who sleeps sleeps as long as before. */
  setBack(ms: number): void {
    this.#now -= ms
    for (const sleeper of this.#sleepers) sleeper.wakesAt -= ms
  }

  /** Resolves with the length of a sleep that the predicate accepts, under way now or begun later. */
  untilSleep(accepts: (ms: number) => boolean): Promise<number> {
    return new Promise((resolve) => {
      const look = (): void => {
        const ms = this.sleeping.find(accepts)
        if (ms === undefined) return
        this.#watchers.delete(look)
        resolve(ms)
      }
      this.#watchers.add(look)
      look()
    })
  }
}
