import type { Clock } from '../../../src/core/lib/time.ts'
import { ApiError } from './api-error.ts'
import { UnsentBytes, type UnsentLimits } from './unsent-bytes.ts'

/** How much callers may ask for; beyond it they get 429. */
export interface ApiLimits extends UnsentLimits {
  readonly watchesPerUser: number
  /** Of this process; the last tenth only for members of system:masters, so that an administrator can always look. */
  readonly watches: number
  readonly requestsPerSecond: number
  /** How many requests may come at once after a quiet time. */
  readonly burst: number
}

/** The limits of design §10. */
export const DEFAULT_LIMITS: ApiLimits = {
  watchesPerUser: 100,
  watches: 500,
  requestsPerSecond: 20,
  burst: 40,
  unsentBytesPerUser: 32 * 1024 * 1024,
  unsentBytes: 64 * 1024 * 1024,
}

/** The share of the watches that is kept back for system:masters. */
const KEPT_BACK = 0.1
/** More names than any cluster has at once; the one that asked longest ago is forgotten first. */
const MAX_USERS = 10_000

interface Bucket {
  tokens: number
  filledAt: number
}

/** Keeps each user's share by a token bucket, and counts open watches and what waits to be sent. */
export class RequestLimiter {
  readonly #limits: ApiLimits
  readonly #clock: Pick<Clock, 'now'>
  /** In the order of the last request. */
  readonly #buckets = new Map<string, Bucket>()
  readonly #watches = new Map<string, number>()
  #watchCount = 0
  /** What waits for clients: lists, and what watches hold. */
  readonly unsent: UnsentBytes

  constructor(limits: ApiLimits, clock: Pick<Clock, 'now'>) {
    this.#limits = limits
    this.#clock = clock
    this.unsent = new UnsentBytes(limits)
  }

  /** How many watches are open. */
  get openWatches(): number {
    return this.#watchCount
  }

  /** Takes one request of a user's share; ApiError TooManyRequests where none is left. */
  takeRequest(username: string): void {
    const { requestsPerSecond, burst } = this.#limits
    const now = this.#clock.now()
    const known = this.#buckets.get(username) ?? { tokens: burst, filledAt: now }
    const elapsed = Math.max(0, now - known.filledAt)
    const tokens = Math.min(burst, known.tokens + (elapsed * requestsPerSecond) / 1000)
    const allowed = tokens >= 1
    this.#buckets.delete(username)
    this.#buckets.set(username, { tokens: allowed ? tokens - 1 : tokens, filledAt: now })
    const [oldest] = this.#buckets.keys()
    if (this.#buckets.size > MAX_USERS && oldest !== undefined) this.#buckets.delete(oldest)
    if (!allowed) throw tooMany(`more than ${requestsPerSecond} requests a second`)
  }

  /**
   * Counts a watch until the returned function is called; ApiError TooManyRequests where there are too many. Users of
   * system:masters are `exempt`: they have no limit of their own, and the last places are theirs alone.
   */
  openWatch(username: string, exempt: boolean): () => void {
    const own = this.#watches.get(username) ?? 0
    if (!exempt && own >= this.#limits.watchesPerUser) throw tooMany(`${own} watches of this user are open`)
    const { watches } = this.#limits
    const places = exempt ? watches : watches - Math.floor(watches * KEPT_BACK)
    if (this.#watchCount >= places) throw tooMany(`${this.#watchCount} watches are open`)
    this.#watches.set(username, own + 1)
    this.#watchCount += 1
    return () => {
      const left = (this.#watches.get(username) ?? 1) - 1
      if (left > 0) this.#watches.set(username, left)
      else this.#watches.delete(username)
      this.#watchCount -= 1
    }
  }
}

function tooMany(why: string): ApiError {
  return new ApiError('TooManyRequests', `too much is asked at once: ${why}`, { retryAfterSeconds: 1 })
}
