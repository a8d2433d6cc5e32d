import { ApiError } from './api-error.ts'

/** How much may wait for clients at most, in bytes. */
export interface UnsentLimits {
  /** Lists and watches of one user; a single list may be longer. */
  readonly unsentBytesPerUser: number
  /** Of this process. */
  readonly unsentBytes: number
}

/** What one watch holds for its client. */
export interface UnsentStream {
  /** Counts so many more bytes. False where that is too much: no more before the client has taken all that waits. */
  hold(bytes: number): boolean
  /** Counts what waits now. */
  settle(): void
  /** Nothing waits any more. */
  release(): void
}

/** What each watch may hold uncounted, so that those whose clients keep up need not wait because of others. */
const FREE_PER_STREAM = 16 * 1024

/** Counts what waits for clients to take it, by user and in all: answers that nobody reads must not fill the memory. */
export class UnsentBytes {
  readonly #limits: UnsentLimits
  readonly #byUser = new Map<string, number>()
  #all = 0
  readonly #streams = new Set<UnsentStream>()

  constructor(limits: UnsentLimits) {
    this.#limits = limits
  }

  /** How many bytes wait, but for a little of each watch. */
  get waiting(): number {
    this.#settle()
    return this.#all
  }

  /** Counts a list until the returned function is called; ApiError TooManyRequests where too much waits. */
  holdList(username: string, bytes: number, exempt: boolean): () => void {
    const { unsentBytes, unsentBytesPerUser } = this.#limits
    const own = (): number => this.#byUser.get(username) ?? 0
    const ownFits = (): boolean => exempt || own() === 0 || own() + bytes <= unsentBytesPerUser
    const allFit = (): boolean => this.#all === 0 || this.#all + bytes <= unsentBytes
    if (!ownFits() || !allFit()) this.#settle()
    if (!ownFits()) throw tooMany(`${own()} bytes wait for clients of this user`)
    if (!allFit()) throw tooMany(`${this.#all} bytes wait for their clients`)
    this.#add(username, bytes)
    return () => this.#add(username, -bytes)
  }

  /** Counts a watch from now until it is released; `waiting` tells how many bytes the client has not taken yet. */
  openStream(username: string, exempt: boolean, waiting: () => number): UnsentStream {
    const { unsentBytes, unsentBytesPerUser } = this.#limits
    let counted = 0
    const count = (bytes: number): void => {
      if (bytes === counted) return
      this.#add(username, bytes - counted)
      counted = bytes
    }
    const fits = (wanted: number): boolean => {
      const more = wanted - counted
      const own = this.#byUser.get(username) ?? 0
      return more <= 0 || ((exempt || own + more <= unsentBytesPerUser) && this.#all + more <= unsentBytes)
    }
    const stream: UnsentStream = {
      hold: (bytes) => {
        const wanted = Math.max(0, waiting() + bytes - FREE_PER_STREAM)
        // What others hold may have been sent since it was counted.
        if (!fits(wanted)) this.#settle()
        const does = fits(wanted)
        count(wanted)
        return does
      },
      settle: () => count(Math.max(0, waiting() - FREE_PER_STREAM)),
      release: () => {
        this.#streams.delete(stream)
        count(0)
      },
    }
    this.#streams.add(stream)
    return stream
  }

  #settle(): void {
    for (const stream of this.#streams) stream.settle()
  }

  #add(username: string, bytes: number): void {
    const own = (this.#byUser.get(username) ?? 0) + bytes
    if (own > 0) this.#byUser.set(username, own)
    else this.#byUser.delete(username)
    this.#all += bytes
  }
}

function tooMany(why: string): ApiError {
  return new ApiError('TooManyRequests', `too much is asked at once: ${why}`, { retryAfterSeconds: 1 })
}
