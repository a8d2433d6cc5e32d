import type { Clock } from '../../../src/core/lib/time.ts'
import type { Log } from '../../kit/log.ts'
import { systemDisk, type JournalDisk } from './journal-disk.ts'
import { JournalFull, type JournalEntry, type JournalWriter, type SealedJournal } from './journal.ts'
import type { JournalProgress } from './journal-progress.ts'
import { numberRecord, RecordEncoder, type UnnumberedRecord } from './record.ts'
import { encodeHeader, HEADER_BYTES } from './segment-file.ts'
import { SegmentFiles } from './segment-files.ts'

/** What segments are written with. */
export interface SegmentWriterOptions {
  /** On the volume. */
  readonly folder: string
  /** Of what is written; 256 MiB where left out. The disk needs room for two segments more. */
  readonly limitBytes?: number
  /** A segment gets no more; 4 MiB where left out, and a quarter of the limit at most. */
  readonly segmentBytes?: number
  readonly clock: Pick<Clock, 'now'>
  readonly log: Log
  readonly disk?: JournalDisk
}

/** Where a journal goes on. */
export interface JournalEnd {
  readonly writer: number
  /** Of the last entry; 0 before the first. */
  readonly seq: number
  /** The number of the last segment; 0 before the first. */
  readonly segment: number
  readonly progress: JournalProgress
  /** Gives the folder up. */
  readonly unlock: () => void
}

interface Waiting {
  readonly record: UnnumberedRecord
  readonly resolve: (seq: number) => void
  readonly reject: (error: unknown) => void
}

type Sealing = PromiseWithResolvers<SealedJournal>

const MIB = 1024 * 1024
const LIMIT_BYTES = 256 * MIB
const SEGMENT_BYTES = 4 * MIB
/** What waits for a slow disk is in memory. */
const MAX_WAITING_BYTES = 32 * MIB
/** So long a full disk is not tried again. */
const FULL_MS = 250

/**
 * Appends to a journal whose folder is this process's alone, and goes on where it ended. Nothing is written behind what
 * may be half there: after a failed write comes a new segment.
 */
export class SegmentWriter implements JournalWriter {
  readonly writer: number
  readonly progress: JournalProgress
  readonly #clock: SegmentWriterOptions['clock']
  readonly #files: SegmentFiles
  readonly #limit: number
  readonly #unlock: () => void
  readonly #encoder = new RecordEncoder()
  #waiting: Waiting[] = []
  #sealings: Sealing[] = []
  /** Of what waits and what is just being written. */
  #waitingBytes = 0
  #working: Promise<void> | undefined
  #closed = false
  #seq: number
  #synced: number
  #fullSince: number | undefined

  constructor(options: SegmentWriterOptions, { writer, seq, segment, progress, unlock }: JournalEnd) {
    const { folder, clock, log, limitBytes, segmentBytes, disk = systemDisk } = options
    this.#clock = clock
    this.#limit = limitBytes ?? LIMIT_BYTES
    const most = Math.min(segmentBytes ?? SEGMENT_BYTES, this.#limit / 4)
    this.#files = new SegmentFiles({ folder, segmentBytes: most, clock, log, disk }, segment)
    this.#unlock = unlock
    this.writer = writer
    this.progress = progress
    this.#seq = seq
    this.#synced = seq
  }

  get synced(): number {
    return this.#synced
  }

  get bytes(): number {
    this.#files.look()
    return this.#files.bytes
  }

  append(entry: Omit<JournalEntry, 'seq'>): Promise<number> {
    if (this.#closed) return Promise.reject(new Error('the journal is closed'))
    if (this.#isFull()) return Promise.reject(new JournalFull('the disk of the journal is full'))
    let record: UnnumberedRecord
    try {
      record = this.#encoder.encode(entry)
    } catch (error) {
      return Promise.reject(error)
    }
    if (!this.#hasSpace(record.length)) {
      return Promise.reject(new JournalFull(`the journal has its ${this.#limit} bytes`))
    }
    this.#waitingBytes += record.length
    const { promise, resolve, reject } = Promise.withResolvers<number>()
    this.#waiting.push({ record, resolve, reject })
    this.#working ??= this.#work()
    return promise
  }

  seal(): Promise<SealedJournal> {
    if (this.#closed) return Promise.reject(new Error('the journal is closed'))
    const sealing = Promise.withResolvers<SealedJournal>()
    this.#sealings.push(sealing)
    this.#working ??= this.#work()
    return sealing.promise
  }

  async close(): Promise<void> {
    this.#closed = true
    await this.#working
    await this.#files.close()
    this.#unlock()
  }

  /** Writes what waits as soon as the last write is synced: a timer would only make everybody wait. */
  async #work(): Promise<void> {
    while (this.#waiting.length + this.#sealings.length > 0) {
      const sealings = this.#sealings.splice(0)
      if (sealings.length > 0) {
        try {
          const sealed = await this.#seal()
          for (const { resolve } of sealings) resolve(sealed)
        } catch (error) {
          const told = this.#asFull(error)
          for (const { reject } of sealings) reject(told)
        }
        continue
      }
      const batch = this.#waiting
      this.#waiting = []
      const bytes = batch.reduce((sum, { record }) => sum + record.length, 0)
      try {
        const first = await this.#keep(batch, bytes)
        for (const [i, { resolve }] of batch.entries()) resolve(first + i)
      } catch (error) {
        const told = this.#asFull(error)
        for (const { reject } of batch) reject(told)
      }
      this.#waitingBytes -= bytes
    }
    this.#working = undefined
  }

  async #seal(): Promise<SealedJournal> {
    await this.#files.retire()
    await this.#files.begin(HEADER_BYTES)
    const header = encodeHeader({ writer: this.writer, firstSeq: this.#seq + 1 })
    const end = await this.#files.append([header])
    this.progress.advance(end)
    return { seq: this.#synced, segment: end.segment }
  }

  /** Makes a batch durable, and gives the seq of its first entry. */
  async #keep(batch: readonly Waiting[], bytes: number): Promise<number> {
    if (this.#isFull()) throw new JournalFull('the disk of the journal is full')
    const isNew = await this.#files.begin(bytes)
    const first = this.#seq + 1
    for (const [i, { record }] of batch.entries()) numberRecord(record, first + i)
    const buffers = batch.map(({ record }) => record)
    if (isNew) buffers.unshift(encodeHeader({ writer: this.writer, firstSeq: first }))
    // A number that may have come to the disk is never given again, whatever becomes of its entry.
    this.#seq += batch.length
    const end = await this.#files.append(buffers)
    this.#synced = this.#seq
    this.#fullSince = undefined
    this.progress.advance(end)
    return first
  }

  #asFull(error: unknown): unknown {
    if (!(error instanceof Error && 'code' in error)) return error
    if (error.code !== 'ENOSPC' && error.code !== 'EDQUOT') return error
    this.#fullSince = this.#clock.now()
    return new JournalFull('the disk of the journal is full', { cause: error })
  }

  #isFull(): boolean {
    if (this.#fullSince === undefined) return false
    const since = this.#clock.now() - this.#fullSince
    return since >= 0 && since < FULL_MS
  }

  #hasSpace(bytes: number): boolean {
    if (this.#waitingBytes + bytes > MAX_WAITING_BYTES && this.#waitingBytes > 0) return false
    const fits = (): boolean => this.#files.bytes + this.#waitingBytes + HEADER_BYTES + bytes <= this.#limit
    if (fits()) return true
    this.#files.look()
    return fits()
  }
}
