import { DeckError, type ErrorCode } from '../lib/errors.ts'
import { type Clock, timeLeft } from '../lib/time.ts'
import { backoffDelay, DEFAULT_BACKOFF } from './backoff.ts'
import type { ListWatchEvent } from './list-watch-event.ts'
import { WatchedObjects } from './list-watch-objects.ts'
import { Outage } from './list-watch-outage.ts'
import { pagedList, type ResourceSource } from './paged-list.ts'
import { purposeText } from './status-error-purpose.ts'
import { errorFromStatus } from './status-error.ts'
import type { KubeTransport } from './transport.ts'
import type { Watched, WatchFrame } from './watch-frame.ts'
import { handled, QUIET, silence, WATCH_TIMES, watchSeconds, type WatchTimes, within } from './watch-step.ts'
import { openWatch } from './watch-stream.ts'

export type { ListWatchEvent } from './list-watch-event.ts'
export type { WatchTimes as ListWatchTimes } from './watch-step.ts'

const DEFAULT_TIMES: WatchTimes = { ...WATCH_TIMES, backoff: DEFAULT_BACKOFF }

/** What a list + watch stands on. */
export interface ListWatchOptions<T extends Watched> {
  readonly transport: KubeTransport
  readonly source: ResourceSource<T>
  readonly clock: Clock
  readonly signal: AbortSignal
  /** Jitter, in [0, 1). */
  readonly random?: () => number
  readonly pageSize?: number
  /** A person waits at the start: what could heal by waiting is thrown too until the first list is whole. */
  readonly failFast?: boolean
  /**
   * So long, in milliseconds, a server that has answered may refuse (401, 403) before a watch was accepted: one that has
   * just started does, for its caches are behind. 0 where left out.
   */
  readonly refusedMs?: number
  readonly times?: Partial<WatchTimes>
}

/** What a server that has just started says of rights that it does not know yet. */
const REFUSALS: ReadonlySet<ErrorCode> = new Set([
  'KUBE_UNAUTHORIZED',
  'KUBE_FORBIDDEN',
] satisfies ErrorCode[])

/** What no waiting heals, as long as nothing has worked yet. */
const FINAL_AT_START: ReadonlySet<ErrorCode> = new Set([
  'KUBE_BAD_REQUEST',
  'KUBE_UNAUTHORIZED',
  'KUBE_FORBIDDEN',
  'KUBE_NOT_FOUND',
  'KUBE_TLS',
  'CREDENTIAL_PLUGIN',
] satisfies ErrorCode[])

/** What waiting heals within seconds: even a person who waits is better served by it. */
const PASSING: ReadonlySet<ErrorCode> = new Set(['KUBE_THROTTLED', 'KUBE_EXPIRED'] satisfies ErrorCode[])

/** After these the place where the watch stood is of no use: the list must be read again. */
const LOSES_PLACE: ReadonlySet<ErrorCode> = new Set([
  'KUBE_EXPIRED',
  'KUBE_PROTOCOL',
  'KUBE_BAD_REQUEST',
] satisfies ErrorCode[])

/** A watch that lived so long, or most of the time it had asked for, was no failure, whatever ended it. */
const HEALTHY_MS = 30_000
const HEALTHY_MS_PER_SECOND = 900

/** So many attempts in a row are made to go on with a watch before the list is read again instead. */
const ATTEMPTS_BEFORE_RELIST = 8

/**
 * Lists the objects of a source and follows them for as long as the signal lets it: each object is told as added
 * once, its changes, and its end once, over whatever happens to the server, the connection or the credentials in
 * between. Ends quietly when the signal aborts. Throws only until the first watch is accepted, for what cannot heal
 * (400, 401, 403, 404, TLS, credential plugin; before the first list is whole more with `failFast`); after that
 * nothing is thrown and everything is tried again, at growing intervals.
 */
export function listWatch<T extends Watched>(
  options: ListWatchOptions<T>,
): AsyncGenerator<ListWatchEvent<T>, void> {
  return new ListWatcher(options).run()
}

class ListWatcher<T extends Watched> {
  readonly #options: ListWatchOptions<T>
  readonly #times: WatchTimes
  readonly #random: () => number
  readonly #objects = new WatchedObjects<T>()
  #synced = false
  /** Whether a watch was ever accepted: who may list may still lack the right to watch. */
  #watched = false
  #mustList = true
  /** Since when the server has said nothing but that there is no right; in epoch milliseconds. */
  #refusedAt: number | undefined
  /** Attempts in a row that came to nothing. */
  #failures = 0
  /** Whether the watch that is under way, or was last, told anything new. */
  #progressed = false
  /** Messages that made no sense, since the start. */
  #unreadable = 0
  readonly #outage = new Outage()

  constructor(options: ListWatchOptions<T>) {
    this.#options = options
    this.#times = { ...DEFAULT_TIMES, ...options.times }
    this.#random = options.random ?? Math.random
  }

  async *run(): AsyncGenerator<ListWatchEvent<T>, void> {
    const { signal, clock } = this.#options
    while (!signal.aborted) {
      let retryAfterMs: number | undefined
      try {
        if (this.#mustList) yield* this.#list()
        yield* this.#watch()
      } catch (error) {
        if (signal.aborted) return
        if (!(error instanceof DeckError) || this.#isFinal(error)) throw error
        // Progress before a lost place proves nothing: the same answer may spoil each attempt at the same point.
        if (this.#progressed && !LOSES_PLACE.has(error.code)) this.#failures = 0
        this.#failures += 1
        retryAfterMs = error.retryAfterMs
        this.#mustList ||= LOSES_PLACE.has(error.code) || this.#failures % ATTEMPTS_BEFORE_RELIST === 0
        const news = this.#outage.failed(error, clock.now())
        if (news) yield news
      }
      if (this.#failures > 0) {
        const delay = backoffDelay(this.#failures, this.#random(), retryAfterMs, this.#times.backoff)
        await clock.sleep(delay, signal).catch((error: unknown) => {
          if (!signal.aborted) throw error
        })
      }
    }
  }

  #isFinal(error: DeckError): boolean {
    if (this.#watched) return false
    const now = this.#options.clock.now()
    this.#refusedAt = REFUSALS.has(error.code) ? (this.#refusedAt ?? now) : undefined
    const known = this.#objects.count > 0 || this.#synced
    if (known && this.#refusedAt !== undefined && now - this.#refusedAt < (this.#options.refusedMs ?? 0))
      return false
    if (FINAL_AT_START.has(error.code)) return true
    return !this.#synced && this.#options.failFast === true && !PASSING.has(error.code)
  }

  /** Reads the whole list: the first one is told as it comes, a later one as its difference to what is known. */
  async *#list(): AsyncGenerator<ListWatchEvent<T>, void> {
    const { transport, source, clock, pageSize } = this.#options
    const attempt = new AbortController()
    const pages = pagedList(transport, source, {
      signal: AbortSignal.any([this.#options.signal, attempt.signal]),
      clock,
      pageSize,
      // A watch goes on from the list's version: only a consistent list is good for that.
      whenExpired: 'fail',
      // Waiting is done here, where it is told.
      retries: 0,
    })
    const relist = this.#objects.count > 0 || this.#synced ? this.#objects.relist(!this.#synced) : undefined
    try {
      for (;;) {
        const page = await within(pages.next(), this.#times.quietMs, this.#options)
        if (page === QUIET) throw silence({ verb: 'list', ...source.purpose }, this.#times.quietMs)
        if (page.done) {
          if (relist) yield* relist.finish(page.value.resourceVersion)
          else this.#objects.listed(page.value.resourceVersion)
          break
        }
        if (relist) relist.add(page.value)
        else {
          for (const object of page.value) {
            const event = this.#objects.initial(object)
            if (event) yield event
          }
        }
      }
    } finally {
      attempt.abort()
    }
    this.#mustList = false
    yield* this.#resumed('relist')
    if (!this.#synced) {
      this.#synced = true
      yield { type: 'synced', count: this.#objects.count }
    }
  }

  /** Follows one watch to its end. */
  async *#watch(): AsyncGenerator<ListWatchEvent<T>, void> {
    const { transport, source, clock } = this.#options
    const { quietMs, answerMs, settleMs } = this.#times
    const resourceVersion = this.#objects.resourceVersion
    const timeoutSeconds = watchSeconds(this.#times, this.#random())
    const openedAt = clock.now()
    const attempt = new AbortController()
    const signal = AbortSignal.any([this.#options.signal, attempt.signal])
    this.#progressed = false
    try {
      const opening = openWatch(transport, source, { resourceVersion, timeoutSeconds, signal })
      const frames = await within(opening, answerMs, this.#options)
      if (frames === QUIET) throw silence({ verb: 'watch', ...source.purpose }, answerMs)
      this.#watched = true
      const settledAt = clock.now() + settleMs
      let next = handled(frames.next())
      for (;;) {
        const leftMs = timeLeft(clock, settledAt, settleMs)
        if (leftMs === 0) yield* this.#resumed('watch')
        const settling = this.#outage.lasts
        const batch = await within(next, settling ? leftMs : quietMs, this.#options)
        if (batch === QUIET) {
          if (settling) continue
          return
        }
        if (batch.done) {
          // A server that accepts watches and ends them at once is not hammered.
          this.#failures = this.#progressed ? 0 : this.#failures + 1
          return
        }
        for (const frame of batch.value) yield* this.#frame(frame)
        this.#progressed = this.#objects.resourceVersion !== resourceVersion
        next = handled(frames.next())
      }
    } finally {
      const healthyMs = Math.min(HEALTHY_MS, timeoutSeconds * HEALTHY_MS_PER_SECOND)
      if (clock.now() - openedAt >= healthyMs) this.#failures = 0
      attempt.abort()
    }
  }

  *#frame(frame: WatchFrame<T>): Generator<ListWatchEvent<T>, void> {
    switch (frame.type) {
      case 'ADDED':
      case 'MODIFIED':
      case 'DELETED': {
        const event = this.#objects.apply(frame.type, frame.object)
        if (event) yield event
        break
      }
      case 'BOOKMARK':
        if (!this.#objects.bookmark(frame.resourceVersion))
          throw this.#lost('the server is behind of what it told before')
        break
      case 'ERROR':
        throw errorFromStatus(frame.status, { verb: 'watch', ...this.#options.source.purpose })
      case 'UNREADABLE':
        this.#unreadable += 1
        throw this.#lost(`${frame.detail} (unreadable messages so far: ${this.#unreadable})`)
      default:
        frame satisfies never
    }
  }

  *#resumed(how: 'watch' | 'relist'): Generator<ListWatchEvent<T>, void> {
    const news = this.#outage.over(this.#options.clock.now(), how)
    if (news) yield news
  }

  #lost(detail: string): DeckError {
    const what = purposeText({ verb: 'watch', ...this.#options.source.purpose })
    return new DeckError('KUBE_PROTOCOL', `cannot ${what}: ${detail}`)
  }
}
