import type { Clock } from '../../../src/core/lib/time.ts'
import type { Log } from '../../kit/log.ts'
import { RareWarning } from '../../kit/rare-warning.ts'
import { StoreFull } from '../../kit/store/store.ts'
import type { JournalEntry, JournalPosition, JournalReader } from '../journal/journal.ts'
import type { Progress } from '../recorder/review-intake.ts'
import { StoreGone } from '../store/audit-store.ts'
import { PurgeUnknown, type ReviewInbox } from '../store/review-inbox.ts'
import type { JournalPurges } from './journal-purges.ts'

/** What feeding stands on. */
export interface JournalFeederDeps {
  readonly journal: JournalReader
  readonly progress: Progress
  readonly writer: number
  readonly inbox: Pick<ReviewInbox, 'put'>
  readonly purges: Pick<JournalPurges, 'known' | 'cut' | 'refresh' | 'rid' | 'handedOver'>
  /** What came longer ago is kept nowhere, in milliseconds: it is not handed over. */
  readonly keepMs: number
  readonly clock: Clock
  readonly log: Log
}

const BEAT_MS = 500
const LOOK_MS = 250
const RETRY_MS = 500
/** What is left at the end may take so long. */
const END_MS = 5000

/**
 * Moves this replica's journal into the inbox, each entry once over any restart: what is there already is left out by the
 * inbox, and the journal is let go once it is there.
 */
export class JournalFeeder {
  readonly #deps: JournalFeederDeps
  readonly #warning: RareWarning
  #position: JournalPosition | undefined
  #beat = 0
  #fed = 0
  #failing: string | undefined = 'nothing is handed over yet'

  constructor(deps: JournalFeederDeps) {
    this.#deps = deps
    this.#warning = new RareWarning('reviews cannot be handed over; the journal keeps them', deps)
  }

  /** Seq of the last entry that is in the inbox. */
  get fed(): number {
    return this.#fed
  }

  /** Why the last attempt failed; undefined where it did not. */
  get failing(): string | undefined {
    return this.#failing
  }

  /** Feeds until the signal aborts, and then what is left. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, progress } = this.#deps
    while (!signal.aborted) {
      const synced = progress.position
      try {
        const more = await this.#feed()
        if (!more && !signal.aborted) await progress.moved(synced, LOOK_MS)
      } catch (error) {
        this.#failed(error)
        await clock.sleep(RETRY_MS, signal).catch(() => undefined)
      }
    }
    await this.#end()
  }

  /** One step; tells whether there may be more. */
  async #feed(): Promise<boolean> {
    const { journal, purges, keepMs, clock } = this.#deps
    // Before the journal is read: it is the time up to which nothing is left out.
    const now = clock.now()
    const { cut } = purges
    const found = journal.read(this.#position)
    const last = found.at(-1)
    if (cut && (!last || this.#fed >= cut.sealed.seq)) await purges.handedOver(cut)
    if (!last) {
      if (Math.abs(now - this.#beat) < BEAT_MS && this.#failing === undefined) return false
      const beat = now === this.#beat ? now + 1 : now
      await this.#put([], beat)
      this.#beat = beat
    } else {
      const entries = found.map(({ entry }) => entry)
      await this.#put(
        entries.filter(({ received }) => received >= now - keepMs),
        this.#beat,
      )
      this.#position = last.end
      this.#fed = last.entry.seq
      journal.release(last.end)
    }
    this.#failing = undefined
    return last !== undefined
  }

  /** Hands entries over, without what is to be purged of them. */
  async #put(entries: readonly JournalEntry[], beat: number): Promise<void> {
    const { inbox, purges, writer } = this.#deps
    for (;;) {
      try {
        await inbox.put(writer, purges.rid(entries), beat, purges.known)
        return
      } catch (error) {
        if (!(error instanceof PurgeUnknown)) throw error
        await purges.refresh()
      }
    }
  }

  /** Tells that everything is there: nobody need wait for this replica. */
  async #end(): Promise<void> {
    const { clock } = this.#deps
    const until = clock.now() + END_MS
    try {
      while (clock.now() < until) {
        if (await this.#feed()) continue
        await this.#put([], 0)
        return
      }
    } catch (error) {
      this.#failed(error)
    }
  }

  #failed(error: unknown): void {
    if (!(error instanceof StoreGone || error instanceof StoreFull)) throw error
    this.#failing =
      error instanceof StoreFull ? 'the database has no space left' : 'the database cannot be reached'
    this.#warning.warn({ err: error })
  }
}
