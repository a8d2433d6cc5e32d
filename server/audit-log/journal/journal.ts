import type { AdmissionRequest } from '../../../src/core/wire/admission-review.ts'

/** What the webhook keeps of one review before it answers: redacted, so that no secret value is in it. */
export interface JournalEntry {
  /** From 1 for each writer, each the last plus one but where a disk failed; with the writer it names the change: `<writer>-<seq>`. */
  readonly seq: number
  /** Epoch milliseconds: when the review came. */
  readonly received: number
  /** Without `object` and `oldObject` where `truncated`. */
  readonly request: AdmissionRequest
  /** The review was larger than is kept, or could not be redacted. */
  readonly truncated?: boolean
}

/** Where an entry ends: a later one begins there. */
export interface JournalPosition {
  /** Names a segment file; numbers rise. */
  readonly segment: number
  /** Bytes from the segment's beginning. */
  readonly offset: number
}

/** Where a journal was cut. */
export interface SealedJournal {
  /** Of the last entry before; 0 where there is none. */
  readonly seq: number
  /** The segment of what comes after. */
  readonly segment: number
}

/** The writing end, in the webhook's thread: files of records, each with its length and CRC. */
export interface JournalWriter {
  /** A random 31-bit number of this volume's journal. */
  readonly writer: number
  /**
   * Appends an entry (its seq is given here) and resolves with the seq once fdatasync has returned; whatever waits goes
   * into one sync. Rejects with JournalFull where the limit in bytes or the disk is reached: nothing of it was kept.
   */
  append(entry: Omit<JournalEntry, 'seq'>): Promise<number>
  /** Seq of the last entry that was synced; 0 before the first. */
  readonly synced: number
  /** Bytes of all segments. */
  readonly bytes: number
  /** Begins a new segment, so that those before can be released; resolves once it survives a loss of power. */
  seal(): Promise<SealedJournal>
  close(): Promise<void>
}

/** No space is left for the entry: the disk's, or the journal's own limit. */
export class JournalFull extends Error {
  override readonly name = 'JournalFull'
}

/** An entry that was read, and where it ends. */
export interface ReadEntry {
  /** Made anew each time it is asked for: what waits is small. */
  readonly entry: JournalEntry
  readonly end: JournalPosition
}

/** The reading end, in the recorder's thread; it reads files only, so that memory is bounded. */
export interface JournalReader {
  /** Entries after a position (undefined: from the oldest), some hundred at most; none where there is nothing new. */
  read(after: JournalPosition | undefined): readonly ReadEntry[]
  /** Deletes the segments that end before a position, which the store has kept durably. */
  release(before: JournalPosition): void
}
