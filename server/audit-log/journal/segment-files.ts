import { join } from 'node:path'
import type { Clock } from '../../../src/core/lib/time.ts'
import type { Log } from '../../kit/log.ts'
import type { JournalDisk } from './journal-disk.ts'
import type { JournalPosition } from './journal.ts'
import { listSegments, segmentPath } from './segment-file.ts'

/** What the files of segments are kept with. */
export interface SegmentFilesDeps {
  readonly folder: string
  /** A segment gets no more. */
  readonly segmentBytes: number
  readonly clock: Pick<Clock, 'now'>
  readonly log: Log
  readonly disk: JournalDisk
}

interface OpenSegment {
  readonly segment: number
  readonly path: string
  readonly file: number
  /** Synced, and therefore known to others. */
  size: number
}

/** The next segment is prepared only where so many would fit: others need the disk more. */
const ROOM_FOR = 8
const PREPARED = 'next'
/** So often it is looked what the reader has released. */
const LOOK_MS = 100

/** The files of a journal: the segment that is written, the next one, prepared, and how much all of them take. */
export class SegmentFiles {
  readonly #deps: SegmentFilesDeps
  #segment: number
  #current: OpenSegment | undefined
  /** Whether the file of the next segment is there, so that none has to wait for it. */
  #prepared: Promise<boolean>
  /** Bytes of all segments but the current. */
  #otherBytes = 0
  #lookedAt = Number.NEGATIVE_INFINITY

  /** `last` is the number of the last segment in the folder. */
  constructor(deps: SegmentFilesDeps, last: number) {
    this.#deps = deps
    this.#segment = last
    this.look()
    this.#prepared = this.#prepare()
  }

  /** Of what was written and not released, as it was last looked at. */
  get bytes(): number {
    return this.#otherBytes + (this.#current?.size ?? 0)
  }

  /** Makes room for so many bytes; true where that is in a new segment, which begins with a header. */
  async begin(bytes: number): Promise<boolean> {
    if (this.#current && this.#current.size + bytes > this.#deps.segmentBytes) await this.retire()
    if (this.#current) return false
    this.#current = await this.#create()
    return true
  }

  /** Writes behind what is there, durably, and tells where that ends; where it fails nothing of it is left. */
  async append(buffers: readonly Buffer[]): Promise<JournalPosition> {
    const { disk, folder } = this.#deps
    const current = this.#current
    if (!current) throw new Error('no segment was begun')
    const isNew = current.size === 0
    let written: number
    try {
      written = await this.#writeAll(current, buffers)
      if (isNew) await disk.syncFolder(folder)
    } catch (error) {
      // Nothing is written behind what may be half there.
      await this.#abandon(current)
      throw error
    }
    current.size += written
    if (isNew) this.#prepared = this.#prepare()
    return { segment: current.segment, offset: current.size }
  }

  /** Ends the current segment. */
  async retire(): Promise<void> {
    const { disk, log, segmentBytes } = this.#deps
    const current = this.#current
    this.#current = undefined
    if (!current) return
    // Of a segment that is full nearly nothing is left, and nobody should wait for that.
    if (current.size < segmentBytes / 2) {
      await disk
        .truncate(current.file, current.size)
        .catch((err: unknown) =>
          log.warn(
            { err, segment: current.segment },
            'a segment of the journal keeps more of the disk than it needs',
          ),
        )
    }
    this.look(true)
    await disk.close(current.file)
  }

  /** Ends the current segment, and takes the prepared one away. */
  async close(): Promise<void> {
    await this.retire()
    if (await this.#prepared) await this.#deps.disk.remove(this.#preparedPath).catch(() => undefined)
  }

  /** Sees what the reader has released, unless that was just done. */
  look(now = false): void {
    const { clock, folder } = this.#deps
    const at = clock.now()
    if (!now && at >= this.#lookedAt && at - this.#lookedAt < LOOK_MS) return
    this.#lookedAt = at
    const current = this.#current?.segment
    this.#otherBytes = listSegments(folder).reduce(
      (sum, { segment, bytes }) => (segment === current ? sum : sum + bytes),
      0,
    )
  }

  get #preparedPath(): string {
    return join(this.#deps.folder, PREPARED)
  }

  async #create(): Promise<OpenSegment> {
    const { disk, folder } = this.#deps
    const isPrepared = await this.#prepared
    this.#prepared = Promise.resolve(false)
    this.#segment += 1
    const path = segmentPath(folder, this.#segment)
    const file = await (isPrepared ? disk.adopt(this.#preparedPath, path) : disk.create(path))
    return { segment: this.#segment, path, file, size: 0 }
  }

  async #prepare(): Promise<boolean> {
    const { disk, folder, segmentBytes, log } = this.#deps
    try {
      if ((await disk.free(folder)) < ROOM_FOR * segmentBytes) return false
      await disk.prepare(this.#preparedPath, segmentBytes)
      return true
    } catch (err) {
      log.warn({ err }, 'the next segment of the journal cannot be prepared')
      return false
    }
  }

  async #writeAll({ file, size }: OpenSegment, buffers: readonly Buffer[]): Promise<number> {
    let written = 0
    for (let rest = buffers; rest.length > 0;) {
      const count = await this.#deps.disk.write(file, rest, size + written)
      written += count
      rest = behind(rest, count)
    }
    return written
  }

  /** Takes back what was not synced, as far as the disk lets us, and begins a new segment for what comes next. */
  async #abandon(segment: OpenSegment): Promise<void> {
    const { disk, log } = this.#deps
    this.#current = undefined
    const attempts = [
      () => disk.truncate(segment.file, segment.size),
      () => disk.close(segment.file),
      ...(segment.size === 0 ? [() => disk.remove(segment.path)] : []),
    ]
    for (const attempt of attempts) {
      await attempt().catch((err: unknown) =>
        log.warn({ err, segment: segment.segment }, 'a segment of the journal could not be mended'),
      )
    }
    this.look(true)
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
