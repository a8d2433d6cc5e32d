import { aborted } from '../../kit/aborted.ts'
import type { Log } from '../../kit/log.ts'
import type { JournalEntry, JournalReader, SealedJournal } from '../journal/journal.ts'
import { withoutPurged } from '../purge/without-purged.ts'
import type { BookedPurge, PurgeBook } from '../store/purge-book.ts'

/** What ridding a replica's journal stands on. */
export interface JournalPurgesDeps {
  readonly book: Pick<PurgeBook, 'due' | 'acknowledge'>
  readonly journal: Pick<JournalReader, 'release'>
  readonly writer: number
  readonly log: Log
}

/** Where the journal was cut for purges up to a number: what came later is theirs no more. */
export interface JournalCut {
  readonly number: number
  readonly sealed: SealedJournal
}

/** Clocks of replicas may differ by so much: what came later than that after a purge was asked for is no part of it. */
const CLOCKS_MS = 60_000

/**
 * This replica's part in purges: nothing of them is handed over from its journal, and once all that was there before is
 * handed over, the files that held it go. One that was away does so before anybody gets to read what it had.
 */
export class JournalPurges {
  readonly #deps: JournalPurgesDeps
  #due: readonly BookedPurge[] = []
  #known = 0
  #cut: JournalCut | undefined
  #wake = Promise.withResolvers<void>()

  constructor(deps: JournalPurgesDeps) {
    this.#deps = deps
  }

  /** The number of the last purge that `rid` knows of. */
  get known(): number {
    return this.#known
  }

  /** Where the journal was cut, until all before it is handed over. */
  get cut(): JournalCut | undefined {
    return this.#cut
  }

  /** Reads which purges there are by now. */
  async refresh(): Promise<void> {
    const { book, writer } = this.#deps
    const { known, purges } = await book.due(writer)
    this.#due = purges
    this.#known = Math.max(this.#known, known)
    this.#wake.resolve()
    this.#wake = Promise.withResolvers()
  }

  /** Resolves with the number of the last purge for which the journal is to be cut; rejects when the signal aborts. */
  async toCut(signal: AbortSignal): Promise<number> {
    for (;;) {
      const number = this.#due.at(-1)?.number ?? 0
      if (number > (this.#cut?.number ?? 0)) return number
      await Promise.race([this.#wake.promise, aborted(signal)])
      signal.throwIfAborted()
    }
  }

  /** The journal was cut, by whoever writes it. */
  wasCut(cut: JournalCut): void {
    this.#cut = cut
  }

  /** What may be handed over of entries. */
  rid(entries: readonly JournalEntry[]): readonly JournalEntry[] {
    if (this.#due.length === 0) return entries
    return entries.flatMap((entry) => {
      let left: JournalEntry | undefined = entry
      for (const purge of this.#due)
        if (left && this.#isBefore(entry, purge)) left = withoutPurged(left, purge.filter)
      return left ?? []
    })
  }

  /** All before a cut is handed over: the files go, and whoever waits for that is told. */
  async handedOver(cut: JournalCut): Promise<void> {
    const { book, journal, writer, log } = this.#deps
    journal.release({ segment: cut.sealed.segment, offset: 0 })
    await book.acknowledge(writer, cut.number)
    this.#due = this.#due.filter(({ number }) => number > cut.number)
    if (this.#cut === cut) this.#cut = undefined
    log.info({ purge: cut.number }, 'the journal is rid of what was purged')
  }

  #isBefore({ seq, received }: JournalEntry, { number, asked }: BookedPurge): boolean {
    if (received > asked + CLOCKS_MS) return false
    return this.#cut === undefined || number > this.#cut.number || seq <= this.#cut.sealed.seq
  }
}
