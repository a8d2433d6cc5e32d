import { closeSync, fstatSync, openSync, readSync, unlinkSync } from 'node:fs'
import type { Log } from '../../kit/log.ts'
import type { JournalPosition, JournalReader, ReadEntry } from './journal.ts'
import type { JournalProgress } from './journal-progress.ts'
import { decodeRecord, recordLength } from './record.ts'
import { decodeHeader, HEADER_BYTES, listSegments, type SegmentFile } from './segment-file.ts'

/** What a reader reads. */
export interface JournalReaderOptions {
  readonly folder: string
  /** How far the writer of another thread has come; where left out, whatever whole record is there is read. */
  readonly progress?: JournalProgress
  readonly log: Log
}

/** A reader that counts what it could not read. */
export interface CountingJournalReader extends JournalReader {
  /** Segments of which only the beginning could be read. */
  readonly damaged: number
}

const MAX_ENTRIES = 200
/** Compressed; a longer record is read alone. */
const CHUNK_BYTES = 1024 * 1024

/** Makes the reading end of the journal in a folder; it opens nothing before the first read. */
export function createJournalReader(options: JournalReaderOptions): CountingJournalReader {
  return new SegmentReader(options)
}

class SegmentReader implements CountingJournalReader {
  readonly #options: JournalReaderOptions
  readonly #damaged = new Set<number>()

  constructor(options: JournalReaderOptions) {
    this.#options = options
  }

  get damaged(): number {
    return this.#damaged.size
  }

  read(after: JournalPosition | undefined): readonly ReadEntry[] {
    const from = after ?? { segment: 0, offset: 0 }
    const known = this.#options.progress?.position
    const segments = listSegments(this.#options.folder).filter(
      ({ segment }) => segment >= from.segment && segment <= (known?.segment ?? Infinity),
    )
    const newest = segments.at(-1)?.segment
    for (const file of segments) {
      const begin = file.segment === from.segment ? from.offset : 0
      const end = file.segment === known?.segment ? known.offset : Infinity
      const found = this.#readSegment(file, Math.max(begin, HEADER_BYTES), end, file.segment === newest)
      if (found.length > 0) return found
    }
    return []
  }

  release(before: JournalPosition): void {
    const newest = listSegments(this.#options.folder).at(-1)?.segment ?? 0
    for (const { segment, path } of listSegments(this.#options.folder)) {
      // The newest tells the writer where to go on.
      if (segment >= before.segment || segment === newest) continue
      unlinkSync(path)
      this.#damaged.delete(segment)
    }
  }

  #readSegment(file: SegmentFile, begin: number, end: number, newest: boolean): readonly ReadEntry[] {
    let descriptor: number
    try {
      descriptor = openSync(file.path, 'r')
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return []
      throw error
    }
    try {
      const size = Math.min(fstatSync(descriptor).size, end)
      const header = readAt(descriptor, 0, Math.min(HEADER_BYTES, size))
      // The process ended before it wrote anything there.
      if (header.every((byte) => byte === 0)) return []
      if (!decodeHeader(header)) return this.#stop(file, 0, newest)
      return this.#records(descriptor, file, begin, size, newest)
    } finally {
      closeSync(descriptor)
    }
  }

  #records(
    descriptor: number,
    file: SegmentFile,
    begin: number,
    size: number,
    newest: boolean,
  ): readonly ReadEntry[] {
    let bytes = readAt(descriptor, begin, Math.min(CHUNK_BYTES, size - begin))
    const length = recordLength(bytes, 0)
    if (length !== undefined && length > bytes.length && begin + length <= size) {
      bytes = readAt(descriptor, begin, length)
    }
    const found: ReadEntry[] = []
    for (let at = 0; at < bytes.length && found.length < MAX_ENTRIES;) {
      const record = decodeRecord(bytes, at)
      if (typeof record === 'string') {
        // What was cut by the chunk is whole when it is read alone.
        return found.length > 0 || record === 'end' ? found : this.#stop(file, begin + at, newest)
      }
      at = record.end
      found.push({
        // Parsed it takes fifty times as much memory, and a while.
        get entry() {
          return record.entry()
        },
        end: { segment: file.segment, offset: begin + at },
      })
    }
    return found
  }

  /** Nothing behind a bad record is read; in the newest segment it may be one that is just being written. */
  #stop({ segment }: SegmentFile, offset: number, newest: boolean): readonly ReadEntry[] {
    if (newest || this.#damaged.has(segment)) return []
    this.#damaged.add(segment)
    this.#options.log.warn({ segment, offset }, 'the rest of a segment of the journal cannot be read')
    return []
  }
}

function readAt(descriptor: number, offset: number, length: number): Buffer {
  const bytes = Buffer.allocUnsafe(Math.max(0, length))
  let read = 0
  while (read < bytes.length) {
    const count = readSync(descriptor, bytes, read, bytes.length - read, offset + read)
    if (count === 0) break
    read += count
  }
  return bytes.subarray(0, read)
}
