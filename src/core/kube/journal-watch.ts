import { DeckError, type ErrorCode } from '../lib/errors.ts'
import { type Clock, timeLeft } from '../lib/time.ts'
import { backoffDelay } from './backoff.ts'
import type { JournalNotice } from './journal-notice.ts'
import { Outage } from './list-watch-outage.ts'
import type { ResourceSource } from './paged-list.ts'
import { purposeText } from './status-error-purpose.ts'
import { errorFromStatus } from './status-error.ts'
import type { KubeTransport } from './transport.ts'
import type { Watched, WatchFrame } from './watch-frame.ts'
import { handled, QUIET, silence, WATCH_TIMES, watchSeconds, type WatchTimes, within } from './watch-step.ts'
import { openWatch } from './watch-stream.ts'

/** The times of following a journal, in milliseconds unless the name says seconds. */
export interface JournalTimes extends WatchTimes {
  /** So long 404 is taken for an API server that is starting. */
  readonly absentMs: number
  /** So long a companion may be down, as it is while its pod moves to another node. */
  readonly downMs: number
}

const DEFAULT_TIMES: JournalTimes = {
  ...WATCH_TIMES,
  absentMs: 20_000,
  downMs: 300_000,
  // Someone looks at the stream, and a companion that starts is ready within seconds.
  backoff: { firstMs: 250, maxMs: 10_000 },
}

/** What following a journal stands on. */
export interface JournalOptions<Item, List extends { readonly resourceVersion: string }> {
  readonly transport: KubeTransport
  /** The collection of the records. */
  readonly source: Pick<ResourceSource<never>, 'path' | 'purpose' | 'fieldSelector'>
  readonly read: (object: unknown) => Item
  /** Records after this one are told. */
  readonly resourceVersion: string
  /** Reads what the journal adds up to, where the place in it is lost. */
  readonly relist: (signal: AbortSignal) => Promise<List>
  /** Whether nobody serves the journal any more: asked where it is refused, since rights go with what they are for. */
  readonly isGone: (signal: AbortSignal) => Promise<boolean>
  readonly clock: Clock
  readonly signal: AbortSignal
  /** Jitter, in [0, 1). */
  readonly random?: () => number
  readonly times?: Partial<JournalTimes>
}

/** After these the place where the watch stood is of no use. */
const LOSES_PLACE: ReadonlySet<ErrorCode> = new Set([
  'KUBE_EXPIRED',
  'KUBE_BAD_REQUEST',
] satisfies ErrorCode[])

/** What cannot be read at one place is read again so often; then that place is given up. */
const ATTEMPTS_BEFORE_RELIST = 8

/** A watch that lived so long was no failure, whatever ended it. */
const HEALTHY_MS = 30_000

/**
 * Follows a resource whose objects are records that come and never change: after whatever happens to the server, the
 * connection or the credentials it goes on after the last record, or bookmark, that was told. Ends quietly when the
 * signal aborts, and after `lost`. Throws only until the first watch is accepted.
 */
export function followJournal<Item, List extends { readonly resourceVersion: string }>(
  options: JournalOptions<Item, List>,
): AsyncGenerator<JournalNotice<Item, List>, void> {
  return new JournalFollower(options).run()
}

/** A frame's object as it came: a record, or what a bookmark holds. */
interface Entry extends Watched {
  readonly object: unknown
}

class JournalFollower<Item, List extends { readonly resourceVersion: string }> {
  readonly #options: JournalOptions<Item, List>
  readonly #times: JournalTimes
  readonly #random: () => number
  readonly #source: ResourceSource<Entry>
  readonly #outage = new Outage()
  #resourceVersion: string
  #accepted = false
  #mustList = false
  #failures = 0
  /** Answers in a row that made no sense. */
  #unreadable = 0
  /** Since when the API server answers that it has no such resource, or that nobody serves it. */
  #absentSince: number | undefined
  #downSince: number | undefined

  constructor(options: JournalOptions<Item, List>) {
    this.#options = options
    this.#times = { ...DEFAULT_TIMES, ...options.times }
    this.#random = options.random ?? Math.random
    this.#resourceVersion = options.resourceVersion
    this.#source = { ...options.source, decoder: { fromJson: entryOf, keyOf: ({ uid }) => uid } }
  }

  async *run(): AsyncGenerator<JournalNotice<Item, List>, void> {
    const { signal, clock } = this.#options
    while (!signal.aborted) {
      let retryAfterMs: number | undefined
      try {
        if (this.#mustList) yield* this.#relist()
        yield* this.#watch()
      } catch (error) {
        if (signal.aborted) return
        if (!(error instanceof DeckError) || !this.#accepted) throw error
        this.#failures += 1
        retryAfterMs = error.retryAfterMs
        this.#mustList ||= this.#losesPlace(error)
        const news = this.#outage.failed(error, clock.now())
        if (news) yield news
        if (await this.#isLost(error)) {
          yield { type: 'lost', at: clock.now(), reason: error.message }
          return
        }
      }
      if (this.#failures > 0) await this.#pause(retryAfterMs)
    }
  }

  /** Whether going on after the last record is of no use; a companion that is down keeps its journal. */
  #losesPlace({ code }: DeckError): boolean {
    if (code !== 'KUBE_PROTOCOL') return LOSES_PLACE.has(code)
    this.#unreadable += 1
    return this.#unreadable % ATTEMPTS_BEFORE_RELIST === 0
  }

  /** Whether the answer has been the same for so long that no waiting helps. */
  async #isLost({ code, status }: DeckError): Promise<boolean> {
    const { clock, isGone, signal } = this.#options
    const absent = code === 'KUBE_NOT_FOUND' || (code === 'KUBE_FORBIDDEN' && (await isGone(signal)))
    const now = clock.now()
    const down = absent || (status !== undefined && status >= 500)
    this.#absentSince = absent ? (this.#absentSince ?? now) : undefined
    this.#downSince = down ? (this.#downSince ?? now) : undefined
    return (
      (this.#absentSince !== undefined && now - this.#absentSince >= this.#times.absentMs) ||
      (this.#downSince !== undefined && now - this.#downSince >= this.#times.downMs)
    )
  }

  async #pause(retryAfterMs: number | undefined): Promise<void> {
    const { clock, signal } = this.#options
    const delay = backoffDelay(this.#failures, this.#random(), retryAfterMs, this.#times.backoff)
    await clock.sleep(delay, signal).catch((error: unknown) => {
      if (!signal.aborted) throw error
    })
  }

  async *#relist(): AsyncGenerator<JournalNotice<Item, List>, void> {
    const list = await this.#options.relist(this.#options.signal)
    this.#resourceVersion = list.resourceVersion
    this.#mustList = false
    this.#served()
    yield* this.#resumed('relist')
    yield { type: 'relisted', list }
  }

  /** Follows one watch to its end. */
  async *#watch(): AsyncGenerator<JournalNotice<Item, List>, void> {
    const { transport, clock, signal } = this.#options
    const { quietMs, answerMs, settleMs } = this.#times
    const openedAt = clock.now()
    const attempt = new AbortController()
    const request = {
      resourceVersion: this.#resourceVersion,
      timeoutSeconds: watchSeconds(this.#times, this.#random()),
      signal: AbortSignal.any([signal, attempt.signal]),
    }
    try {
      const frames = await within(openWatch(transport, this.#source, request), answerMs, this.#options)
      if (frames === QUIET) throw silence({ verb: 'watch', ...this.#source.purpose }, answerMs)
      if (!this.#accepted) yield { type: 'watching' }
      this.#accepted = true
      const settledAt = clock.now() + settleMs
      let next = handled(frames.next())
      for (;;) {
        const leftMs = timeLeft(clock, settledAt, settleMs)
        if (leftMs === 0) yield* this.#settled()
        const settling = this.#outage.lasts
        const batch = await within(next, settling ? leftMs : quietMs, this.#options)
        if (batch === QUIET) {
          if (settling) continue
          return
        }
        if (batch.done) {
          // A server that accepts watches and ends them at once is not hammered.
          if (clock.now() - openedAt < HEALTHY_MS && request.resourceVersion === this.#resourceVersion)
            this.#failures += 1
          return
        }
        for (const frame of batch.value) yield* this.#frame(frame)
        next = handled(frames.next())
      }
    } finally {
      if (clock.now() - openedAt >= HEALTHY_MS) this.#failures = 0
      attempt.abort()
    }
  }

  *#frame(frame: WatchFrame<Entry>): Generator<JournalNotice<Item, List>, void> {
    switch (frame.type) {
      case 'ADDED':
        yield* this.#settled()
        this.#failures = 0
        this.#unreadable = 0
        // Before the record is told: who ends the stream on it has had it.
        this.#resourceVersion = frame.object.resourceVersion
        yield { type: 'record', record: this.#options.read(frame.object.object) }
        break
      case 'BOOKMARK':
        yield* this.#settled()
        this.#failures = 0
        this.#resourceVersion = frame.resourceVersion
        break
      case 'MODIFIED':
      case 'DELETED':
        // A record that history drops has been told long ago.
        break
      case 'ERROR':
        throw errorFromStatus(frame.status, { verb: 'watch', ...this.#source.purpose })
      case 'UNREADABLE':
        throw new DeckError(
          'KUBE_PROTOCOL',
          `cannot ${purposeText({ verb: 'watch', ...this.#source.purpose })}: ${frame.detail}`,
        )
      default:
        frame satisfies never
    }
  }

  *#settled(): Generator<JournalNotice<Item, List>, void> {
    this.#served()
    yield* this.#resumed('watch')
  }

  #served(): void {
    this.#absentSince = undefined
    this.#downSince = undefined
  }

  *#resumed(how: 'watch' | 'relist'): Generator<JournalNotice<Item, List>, void> {
    const news = this.#outage.over(this.#options.clock.now(), how)
    if (news) yield news
  }
}

function entryOf(value: unknown): Entry {
  const { uid = '', resourceVersion = '' } =
    (value as { metadata?: { uid?: string; resourceVersion?: string } }).metadata ?? {}
  return { uid, resourceVersion, object: value }
}
