import type { Clock } from '../../../src/core/lib/time.ts'
import type { Log } from '../../kit/log.ts'
import type { JournalEntry, JournalPosition, JournalReader } from '../journal/journal.ts'
import { JournalIntake } from '../recorder/journal-intake.ts'
import type {
  IntakeCounts,
  IntakeStart,
  MissedTime,
  ReviewIntake,
  ReviewSource,
  WriterPlace,
} from '../recorder/review-intake.ts'
import type { ReadReview } from '../recorder/review-reading.ts'
import { StoreGone } from '../store/audit-store.ts'
import type { ReviewInbox } from '../store/review-inbox.ts'
import { LiveWriters } from './live-writers.ts'

/** What reading the inbox stands on. */
export interface InboxReviewsDeps {
  readonly inbox: Pick<ReviewInbox, 'writers' | 'read' | 'release' | 'forget'>
  /** Replicas that were not heard of for longer are forgotten, in milliseconds: nothing of that time is kept. */
  readonly keepMs: number
  readonly clock: Clock
  readonly log: Log
}

const LOOK_MS = 250
const RELEASE_MS = 2000
const FORGET_MS = 60 * 60_000
/** Of each writer at a time. */
const MOST_ENTRIES = 200

/** The reviews of all replicas, as they come into the inbox. */
export class InboxReviews implements ReviewSource, ReviewIntake {
  readonly readSeq = undefined
  readonly #deps: InboxReviewsDeps
  readonly #live = new LiveWriters()
  readonly #writers = new Map<number, WriterReviews>()
  /** Looks that were begun. */
  #looks = 0
  #lookedAt = Number.NEGATIVE_INFINITY
  #releasedAt = Number.NEGATIVE_INFINITY
  #forgotAt = Number.NEGATIVE_INFINITY
  #isReleasing = false
  #start: IntakeStart | undefined

  constructor(deps: InboxReviewsDeps) {
    this.#deps = deps
  }

  /** The next look is begun after whatever has come by now. */
  mark(): number {
    return this.#looks + 1
  }

  moved(withinMs: number): Promise<void> {
    const { clock } = this.#deps
    return clock.sleep(Math.min(withinMs, LOOK_MS))
  }

  async open(start: IntakeStart): ReturnType<ReviewSource['open']> {
    this.#start = start
    await this.#look()
    const taken = new Map([...this.#writers].map(([writer, { taken: seq }]) => [writer, seq]))
    return { intake: this, taken }
  }

  get counts(): IntakeCounts {
    const sum = { reviews: 0, noChange: 0, truncated: 0, unknownResource: 0 }
    for (const { intake } of this.#writers.values())
      for (const name of ['reviews', 'noChange', 'truncated', 'unknownResource'] as const)
        sum[name] += intake.counts[name]
    return sum
  }

  get readUpTo(): number {
    return this.#live.readUpTo((writer) => this.#writers.get(writer)?.had ?? 0)
  }

  get oldestOpen(): number | undefined {
    const open = [...this.#writers.values()].flatMap(({ intake }) => intake.oldestOpen ?? [])
    return open.length === 0 ? undefined : Math.min(...open)
  }

  get places(): readonly WriterPlace[] {
    return [...this.#writers].flatMap(([writer, { intake }]) =>
      intake.position ? [{ writer, ...intake.position }] : [],
    )
  }

  async take(now: number, each: (review: ReadReview) => void): Promise<number> {
    let count = 0
    if (Math.abs(now - this.#lookedAt) >= LOOK_MS || this.#isBehind) {
      try {
        await this.#look()
        await this.#fetch()
      } catch (error) {
        if (!(error instanceof StoreGone)) throw error
        this.#live.deaf(this.#deps.clock.now())
      }
    }
    for (const reviews of this.#writers.values()) count += await reviews.take(now, each)
    this.#release(now)
    return count
  }

  kept(places: readonly WriterPlace[]): void {
    for (const { writer, position } of places) this.#writers.get(writer)?.intake.kept(position)
  }

  decided(name: string): ReadReview | undefined {
    const [writer] = name.split('-')
    return this.#writers.get(Number(writer))?.intake.decided(name)
  }

  missed(): readonly MissedTime[] {
    return this.#live.missed()
  }

  get #isBehind(): boolean {
    return [...this.#writers.values()].some(({ isBehind }) => isBehind)
  }

  async #look(): Promise<void> {
    const { inbox, clock, log } = this.#deps
    const start = this.#start
    if (!start) return
    this.#lookedAt = clock.now()
    const look = (this.#looks += 1)
    const found = await inbox.writers()
    for (const { writer, seq } of found) {
      const known = this.#writers.get(writer)
      if (known) known.there = seq
      else {
        const taken = await start.store.position(writer)
        this.#writers.set(writer, new WriterReviews(writer, seq, taken?.seq ?? 0, start))
      }
    }
    for (const writer of this.#live.take(found, look, clock.now()))
      log.warn({ writer }, 'a replica says nothing: what it received is recorded when it comes back')
  }

  async #fetch(): Promise<void> {
    const behind = [...this.#writers.values()].filter(({ isBehind }) => isBehind)
    if (behind.length === 0) return
    const cursors = new Map(behind.map(({ writer, fetched }) => [writer, fetched]))
    const found = await this.#deps.inbox.read(cursors, MOST_ENTRIES)
    for (const reviews of behind) reviews.push(found.get(reviews.writer) ?? [])
  }

  /** What the store has is let go from time to time, beside the recording. */
  #release(now: number): void {
    if (Math.abs(now - this.#releasedAt) < RELEASE_MS) return
    this.#releasedAt = now
    if (!this.#isReleasing) void this.#releaseAll()
  }

  async #releaseAll(): Promise<void> {
    const { inbox, clock, log, keepMs } = this.#deps
    this.#isReleasing = true
    try {
      for (const reviews of this.#writers.values()) {
        const { writer, kept, released } = reviews
        if (kept <= released) continue
        await inbox.release(writer, kept)
        reviews.released = kept
      }
      const now = clock.now()
      if (Math.abs(now - this.#forgotAt) < FORGET_MS) return
      this.#forgotAt = now
      const writers = await inbox.forget(now - keepMs)
      if (writers.length > 0) log.info({ writers }, 'forgot replicas that were not heard of any more')
    } catch (error) {
      if (!(error instanceof StoreGone))
        log.warn({ err: error }, 'recorded reviews could not be let go; trying again')
    } finally {
      this.#isReleasing = false
    }
  }
}

/** One replica's part, read as if it were a journal: positions are seqs. */
class WriterReviews implements JournalReader {
  readonly writer: number
  readonly intake: JournalIntake
  /** Up to where the store had it at the start. */
  readonly taken: number
  /** Its last entry in the inbox. */
  there: number
  /** The last entry that was fetched. */
  fetched: number
  /** The last entry that the intake has had. */
  had: number
  /** Up to where the store has it. */
  kept: number
  /** Up to where it was deleted from the inbox by us. */
  released = 0
  #waiting: JournalEntry[] = []

  constructor(writer: number, there: number, taken: number, start: IntakeStart) {
    this.writer = writer
    this.taken = taken
    this.there = there
    this.fetched = taken
    this.had = taken
    this.kept = taken
    this.intake = new JournalIntake({
      ...start,
      journal: this,
      writer,
      // What is there already may have been decided by whoever recorded before.
      until: positionOf(there),
      taken: { position: positionOf(taken), seq: taken },
    })
  }

  get isBehind(): boolean {
    return this.fetched < this.there
  }

  push(entries: readonly JournalEntry[]): void {
    this.#waiting.push(...entries)
    // What is not there, though it was put, was let go because the store has it.
    this.fetched = entries.at(-1)?.seq ?? this.there
  }

  async take(now: number, each: (review: ReadReview) => void): Promise<number> {
    const count = await this.intake.take(positionOf(this.fetched), now, each)
    this.had = this.fetched
    return count
  }

  /** Each entry once, so that the place does not matter. */
  read(): ReturnType<JournalReader['read']> {
    return this.#waiting.splice(0).map((entry) => ({ entry, end: positionOf(entry.seq) }))
  }

  release(before: JournalPosition): void {
    this.kept = Math.max(this.kept, before.offset)
  }
}

function positionOf(seq: number): JournalPosition {
  return { segment: 0, offset: seq }
}
