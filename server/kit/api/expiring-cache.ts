import type { Clock } from '../../../src/core/lib/time.ts'

/** What was found out, and when it was asked. */
interface Entry<Value> {
  readonly askedAt: number
  readonly value: Promise<Value>
}

/** How long and how much an `ExpiringCache` remembers. */
export interface ExpiringCacheOptions {
  readonly clock: Pick<Clock, 'now'>
  readonly ttlMs: number
  /** Beyond it the one that was asked first is forgotten. */
  readonly maxEntries: number
}

/** Remembers answers for a while: who asks for the same at the same time waits for one question. Failures are forgotten. */
export class ExpiringCache<Value> {
  readonly #options: ExpiringCacheOptions
  /** In the order of asking, so that the oldest is the first. */
  readonly #entries = new Map<string, Entry<Value>>()

  constructor(options: ExpiringCacheOptions) {
    this.#options = options
  }

  get size(): number {
    return this.#entries.size
  }

  /**
   * The remembered answer if it was asked at `notBefore` (epoch milliseconds) or later, else a new one. Where `ask`
   * throws at once, nothing is forgotten for it.
   */
  get(key: string, ask: () => Promise<Value>, notBefore = 0): Promise<Value> {
    const { clock, ttlMs, maxEntries } = this.#options
    const now = clock.now()
    const known = this.#entries.get(key)
    // A clock that was set back makes no answer live longer.
    if (known && known.askedAt >= notBefore && known.askedAt <= now && now - known.askedAt < ttlMs)
      return known.value
    const entry = { askedAt: now, value: ask() }
    this.#entries.delete(key)
    const [oldest] = this.#entries.keys()
    if (oldest !== undefined && this.#entries.size >= maxEntries) this.#entries.delete(oldest)
    this.#entries.set(key, entry)
    entry.value.catch(() => {
      if (this.#entries.get(key) === entry) this.#entries.delete(key)
    })
    return entry.value
  }
}
