import { closeSync, fdatasyncSync, ftruncateSync, mkdirSync, openSync } from 'node:fs'
import { join } from 'node:path'
import { DeckError } from '../../../src/core/lib/errors.ts'
import type { Clock } from '../../../src/core/lib/time.ts'
import type { Log } from '../../kit/log.ts'
import { lockStore } from '../../kit/store/store-lock.ts'
import { systemDisk, type JournalDisk } from './journal-disk.ts'
import { JournalFull, type JournalEntry, type JournalWriter, type SealedJournal } from './journal.ts'
import { JournalProgress } from './journal-progress.ts'
import { numberRecord, RecordEncoder, type UnnumberedRecord } from './record.ts'
import { encodeHeader, HEADER_BYTES, listSegments, segmentPath } from './segment-file.ts'
import { whereItEnded } from './segment-scan.ts'

/** What a journal is opened with. */
export interface JournalWriterOptions {
  /** On the volume; made where it is missing. */
  readonly folder: string
  /** Of what is written; 256 MiB where left out. The disk needs room for two segments more. */
  readonly limitBytes?: number
  /** A segment gets no more; 4 MiB where left out, and a quarter of the limit at most. */
  readonly segmentBytes?: number
  /** A random 31-bit number, for a journal that is begun. */
  readonly newWriter: () => number
  readonly clock: Pick<Clock, 'now'>
  readonly log: Log
  readonly disk?: JournalDisk
  /** How long another process may take to give the journal up, in milliseconds; 2 s where left out. */
  readonly lockWaitMs?: number
}

/** A writer that also tells a reader in another thread how far it may read. */
export interface SharedJournalWriter extends JournalWriter {
  readonly progress: JournalProgress
}

interface Waiting {
  readonly record: UnnumberedRecord
  readonly resolve: (seq: number) => void
  readonly reject: (error: unknown) => void
}

type Sealing = PromiseWithResolvers<SealedJournal>

interface OpenSegment {
  readonly segment: number
  readonly path: string
  readonly file: number
  /** Synced, and therefore known to others. */
  size: number
}

const MIB = 1024 * 1024
const LIMIT_BYTES = 256 * MIB
const SEGMENT_BYTES = 4 * MIB
/** What waits for a slow disk is in memory. */
const MAX_WAITING_BYTES = 32 * MIB
/** The next segment is prepared only where so many would fit: others need the disk more. */
const ROOM_FOR = 8
const PREPARED = 'next'
/** So long a full disk is not tried again. */
const FULL_MS = 250
/** So often it is looked what the reader has released. */
const LOOK_MS = 100

/**
 * Opens the journal of a folder and goes on where it ended. Throws STORE_LOCKED while another process has it, STORE_FAILED
 * where the folder cannot be used.
 */
export function openJournalWriter(options: JournalWriterOptions): SharedJournalWriter {
  const { folder, log } = options
  let unlock: (() => void) | undefined
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    unlock = lockStore(join(folder, 'journal.lock'), options.lockWaitMs ?? 2000)
    const ended = whereItEnded(folder)
    if (ended?.damaged)
      log.warn({ segment: ended.segment }, 'the last segment of the journal ends in a bad record')
    const writer = ended?.writer ?? options.newWriter()
    const segments = listSegments(folder)
    const last = segments.at(-1)
    const progress = new JournalProgress()
    if (last) {
      // What a killed process had not synced may be read from now on; what it had prepared and not written is no part of it.
      const bytes = ended?.segment === last.segment && !ended.damaged ? ended.bytes : last.bytes
      syncNow(last.path, bytes)
      progress.advance({ segment: last.segment, offset: bytes })
    }
    return new SegmentWriter(options, {
      writer,
      seq: ended?.seq ?? 0,
      segment: last?.segment ?? 0,
      progress,
      unlock,
    })
  } catch (cause) {
    unlock?.()
    if (cause instanceof DeckError) throw cause
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new DeckError('STORE_FAILED', `the journal in ${folder} cannot be opened: ${why}`, {
      hint: 'The folder of --data must be writable by this process and must not be full.',
      cause,
    })
  }
}

function syncNow(path: string, bytes: number): void {
  const file = openSync(path, 'r+')
  try {
    ftruncateSync(file, bytes)
    fdatasyncSync(file)
  } finally {
    closeSync(file)
  }
}

interface Beginning {
  readonly writer: number
  readonly seq: number
  readonly segment: number
  readonly progress: JournalProgress
  readonly unlock: () => void
}

class SegmentWriter implements SharedJournalWriter {
  readonly writer: number
  readonly progress: JournalProgress
  readonly #options: JournalWriterOptions
  readonly #disk: JournalDisk
  readonly #limit: number
  readonly #segmentBytes: number
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
  #segment: number
  #current: OpenSegment | undefined
  /** Whether the file of the next segment is there, so that none has to wait for it. */
  #prepared: Promise<boolean>
  /** Bytes of all segments but the current. */
  #otherBytes = 0
  #lookedAt = Number.NEGATIVE_INFINITY
  #fullSince: number | undefined

  constructor(options: JournalWriterOptions, { writer, seq, segment, progress, unlock }: Beginning) {
    this.#options = options
    this.#disk = options.disk ?? systemDisk
    this.#limit = options.limitBytes ?? LIMIT_BYTES
    this.#segmentBytes = Math.min(options.segmentBytes ?? SEGMENT_BYTES, this.#limit / 4)
    this.#unlock = unlock
    this.writer = writer
    this.progress = progress
    this.#seq = seq
    this.#synced = seq
    this.#segment = segment
    this.#look()
    this.#prepared = this.#prepare()
  }

  get synced(): number {
    return this.#synced
  }

  get bytes(): number {
    this.#look()
    return this.#otherBytes + (this.#current?.size ?? 0)
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
    await this.#retire()
    if (await this.#prepared) await this.#disk.remove(this.#preparedPath).catch(() => undefined)
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
    await this.#retire()
    const current = (this.#current = await this.#create())
    try {
      const header = encodeHeader({ writer: this.writer, firstSeq: this.#seq + 1 })
      current.size += await this.#writeAll(current, [header])
      await this.#disk.syncFolder(this.#options.folder)
    } catch (error) {
      current.size = 0
      await this.#abandon(current)
      throw error
    }
    this.progress.advance({ segment: current.segment, offset: current.size })
    this.#prepared = this.#prepare()
    return { seq: this.#synced, segment: current.segment }
  }

  /** Makes a batch durable, and gives the seq of its first entry. */
  async #keep(batch: readonly Waiting[], bytes: number): Promise<number> {
    if (this.#isFull()) throw new JournalFull('the disk of the journal is full')
    if (this.#current && this.#current.size + bytes > this.#segmentBytes) await this.#retire()
    const isNew = this.#current === undefined
    const current = (this.#current ??= await this.#create())
    const first = this.#seq + 1
    for (const [i, { record }] of batch.entries()) numberRecord(record, first + i)
    const buffers = batch.map(({ record }) => record)
    if (isNew) buffers.unshift(encodeHeader({ writer: this.writer, firstSeq: first }))
    // A number that may have come to the disk is never given again, whatever becomes of its entry.
    this.#seq += batch.length
    let written: number
    try {
      written = await this.#writeAll(current, buffers)
      if (isNew) await this.#disk.syncFolder(this.#options.folder)
    } catch (error) {
      // Nothing is written behind what may be half there.
      await this.#abandon(current)
      throw error
    }
    this.#synced = this.#seq
    current.size += written
    this.#fullSince = undefined
    this.progress.advance({ segment: current.segment, offset: current.size })
    if (isNew) this.#prepared = this.#prepare()
    return first
  }

  async #create(): Promise<OpenSegment> {
    const isPrepared = await this.#prepared
    this.#prepared = Promise.resolve(false)
    this.#segment += 1
    const path = segmentPath(this.#options.folder, this.#segment)
    const file = await (isPrepared ? this.#disk.adopt(this.#preparedPath, path) : this.#disk.create(path))
    return { segment: this.#segment, path, file, size: 0 }
  }

  get #preparedPath(): string {
    return join(this.#options.folder, PREPARED)
  }

  async #prepare(): Promise<boolean> {
    try {
      const free = await this.#disk.free(this.#options.folder)
      if (free < ROOM_FOR * this.#segmentBytes) return false
      await this.#disk.prepare(this.#preparedPath, this.#segmentBytes)
      return true
    } catch (err) {
      this.#options.log.warn({ err }, 'the next segment of the journal cannot be prepared')
      return false
    }
  }

  async #writeAll({ file, size }: OpenSegment, buffers: readonly Buffer[]): Promise<number> {
    let written = 0
    for (let rest = buffers; rest.length > 0;) {
      const count = await this.#disk.write(file, rest, size + written)
      written += count
      rest = behind(rest, count)
    }
    return written
  }

  /** Takes back what was not synced, as far as the disk lets us, and begins a new segment for what comes next. */
  async #abandon(segment: OpenSegment): Promise<void> {
    this.#current = undefined
    const attempts = [
      () => this.#disk.truncate(segment.file, segment.size),
      () => this.#disk.close(segment.file),
      ...(segment.size === 0 ? [() => this.#disk.remove(segment.path)] : []),
    ]
    for (const attempt of attempts) {
      await attempt().catch((err: unknown) =>
        this.#options.log.warn(
          { err, segment: segment.segment },
          'a segment of the journal could not be mended',
        ),
      )
    }
    this.#look(true)
  }

  async #retire(): Promise<void> {
    const current = this.#current
    this.#current = undefined
    if (!current) return
    // Of a segment that is full nearly nothing is left, and nobody should wait for that.
    if (current.size < this.#segmentBytes / 2) {
      await this.#disk
        .truncate(current.file, current.size)
        .catch((err: unknown) =>
          this.#options.log.warn(
            { err, segment: current.segment },
            'a segment of the journal keeps more of the disk than it needs',
          ),
        )
    }
    this.#look(true)
    await this.#disk.close(current.file)
  }

  #asFull(error: unknown): unknown {
    if (!(error instanceof Error && 'code' in error)) return error
    if (error.code !== 'ENOSPC' && error.code !== 'EDQUOT') return error
    this.#fullSince = this.#options.clock.now()
    return new JournalFull('the disk of the journal is full', { cause: error })
  }

  #isFull(): boolean {
    if (this.#fullSince === undefined) return false
    const since = this.#options.clock.now() - this.#fullSince
    return since >= 0 && since < FULL_MS
  }

  #hasSpace(bytes: number): boolean {
    if (this.#waitingBytes + bytes > MAX_WAITING_BYTES && this.#waitingBytes > 0) return false
    const fits = (): boolean =>
      this.#otherBytes + (this.#current?.size ?? 0) + this.#waitingBytes + HEADER_BYTES + bytes <= this.#limit
    if (fits()) return true
    this.#look()
    return fits()
  }

  /** Sees what the reader has released. */
  #look(now = false): void {
    const at = this.#options.clock.now()
    if (!now && at >= this.#lookedAt && at - this.#lookedAt < LOOK_MS) return
    this.#lookedAt = at
    const current = this.#current?.segment
    this.#otherBytes = listSegments(this.#options.folder).reduce(
      (sum, { segment, bytes }) => (segment === current ? sum : sum + bytes),
      0,
    )
  }
}

/** What is left of buffers of which so many bytes were written. */
function behind(buffers: readonly Buffer[], bytes: number): readonly Buffer[] {
  let done = bytes
  return buffers.flatMap((buffer) => {
    const taken = Math.min(done, buffer.length)
    done -= taken
    return taken < buffer.length ? [buffer.subarray(taken)] : []
  })
}
