import type { JournalPosition } from '../journal/journal.ts'
import type { AuditStore } from '../store/audit-store.ts'
import { JournalIntake, type JournalIntakeDeps, type JournalPlace, placeOf } from './journal-intake.ts'
import type { RecorderCounts } from './recorder-counts.ts'
import type { ReadReview } from './review-reading.ts'

/** Up to where a writer's journal is in the store, once the commit that tells it is kept. */
export interface WriterPlace extends JournalPlace {
  readonly writer: number
}

/** A time in which reviews may have been received that did not come, in epoch milliseconds. */
export interface MissedTime {
  readonly from: number
  readonly to: number
  readonly reason: string
}

/** What an intake counts. */
export type IntakeCounts = Pick<RecorderCounts, 'reviews' | 'noChange' | 'truncated' | 'unknownResource'>

/** Reviews on their way from the webhooks' journals into the join. */
export interface ReviewIntake {
  readonly counts: IntakeCounts
  /** Every review that had come when `mark` gave this number was read. */
  readonly readUpTo: number
  /** Seq of the last entry that was read; undefined where there are several writers. */
  readonly readSeq: number | undefined
  /** Epoch milliseconds: when the oldest review that is not decided came. */
  readonly oldestOpen: number | undefined
  /** What the next commits are to tell; empty where there is no news. */
  readonly places: readonly WriterPlace[]
  /** Reads on, some hundred entries of each writer at most; tells how many there were. */
  take(now: number, each: (review: ReadReview) => void): Promise<number>
  /** The store has kept these. */
  kept(places: readonly WriterPlace[]): void
  /** A review is decided: gives it, the first time. */
  decided(name: string): ReadReview | undefined
  /** Times without some replica's reviews that became known since the last call. */
  missed(): readonly MissedTime[]
}

/** What an intake begins with. */
export interface IntakeStart extends Pick<JournalIntakeDeps, 'resources' | 'names' | 'hash' | 'giveWay'> {
  readonly store: Pick<AuditStore, 'get' | 'position'>
}

/** Where a recorder's reviews come from. */
export interface ReviewSource {
  /** A number that rises, to be held against `readUpTo`. */
  mark(): number
  /** Resolves when more has come since it was read, or after so many milliseconds. */
  moved(withinMs: number): Promise<void>
  /** Begins where the store ended; gives for each writer that is known up to which seq the store has it. */
  open(
    start: IntakeStart,
  ): Promise<{ readonly intake: ReviewIntake; readonly taken: ReadonlyMap<number, number> }>
}

/** How far a journal is synced; `moved` resolves when it has moved from a position, or after so many ms. */
export interface Progress {
  readonly position: JournalPosition
  moved(from: JournalPosition, withinMs: number): Promise<void>
}

/** The reviews of one journal that lies beside the recorder. */
export class OwnJournal implements ReviewSource {
  readonly #deps: Pick<JournalIntakeDeps, 'journal' | 'writer'> & { readonly progress: Progress }
  /** How far the journal was before it was read last. */
  #read: JournalPosition | undefined

  constructor(deps: Pick<JournalIntakeDeps, 'journal' | 'writer'> & { readonly progress: Progress }) {
    this.#deps = deps
  }

  mark(): number {
    return placeOf(this.#deps.progress.position)
  }

  moved(withinMs: number): Promise<void> {
    const { progress } = this.#deps
    return progress.moved(this.#read ?? progress.position, withinMs)
  }

  async open(start: IntakeStart): ReturnType<ReviewSource['open']> {
    const { journal, writer, progress } = this.#deps
    const taken = await start.store.position(writer)
    const intake = new JournalIntake({ ...start, journal, writer, until: progress.position, taken })
    return { intake: this.#intakeOf(intake), taken: new Map([[writer, taken?.seq ?? 0]]) }
  }

  #intakeOf(intake: JournalIntake): ReviewIntake {
    const { writer, progress } = this.#deps
    return {
      counts: intake.counts,
      get readUpTo() {
        return intake.readUpTo
      },
      get readSeq() {
        return intake.readSeq
      },
      get oldestOpen() {
        return intake.oldestOpen
      },
      get places() {
        const { position } = intake
        return position ? [{ writer, ...position }] : []
      },
      take: (now, each) => {
        this.#read = progress.position
        return intake.take(this.#read, now, each)
      },
      kept: (places) => {
        for (const { position } of places) intake.kept(position)
      },
      decided: (name) => intake.decided(name),
      missed: () => [],
    }
  }
}
