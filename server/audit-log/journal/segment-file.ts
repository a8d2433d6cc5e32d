import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'

/** What stands at the beginning of a segment. */
export interface SegmentHeader {
  readonly writer: number
  /** The first entry of the segment has this seq, or a later one. */
  readonly firstSeq: number
}

/** One segment in the folder. */
export interface SegmentFile {
  readonly segment: number
  readonly path: string
  readonly bytes: number
}

const MAGIC = Buffer.from('DWJRNL1\n', 'latin1')

/** Bytes of a segment's header: magic, writer, first seq, CRC. */
export const HEADER_BYTES = 24

const NAME = /^segment-(\d{10})\.journal$/

/** Where a segment of a number is. */
export function segmentPath(folder: string, segment: number): string {
  return join(folder, `segment-${String(segment).padStart(10, '0')}.journal`)
}

/** The segments of a folder, the oldest first; none where there is no folder. */
export function listSegments(folder: string): readonly SegmentFile[] {
  return namesIn(folder)
    .flatMap((name): SegmentFile[] => {
      const number = NAME.exec(name)?.[1]
      if (number === undefined) return []
      const path = join(folder, name)
      // It may be released meanwhile.
      const bytes = statSync(path, { throwIfNoEntry: false })?.size
      return bytes === undefined ? [] : [{ segment: Number(number), path, bytes }]
    })
    .toSorted((a, b) => a.segment - b.segment)
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder)
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return []
    throw error
  }
}

/** A segment's first bytes. */
export function encodeHeader({ writer, firstSeq }: SegmentHeader): Buffer {
  const header = Buffer.alloc(HEADER_BYTES)
  MAGIC.copy(header)
  header.writeUInt32BE(writer, 8)
  header.writeBigUInt64BE(BigInt(firstSeq), 12)
  header.writeUInt32BE(crc32(header.subarray(0, 20)), 20)
  return header
}

/** What a segment's first bytes say; undefined where they are no header: the process ended while it was written. */
export function decodeHeader(bytes: Buffer): SegmentHeader | undefined {
  if (bytes.length < HEADER_BYTES || !bytes.subarray(0, 8).equals(MAGIC)) return undefined
  if (crc32(bytes.subarray(0, 20)) !== bytes.readUInt32BE(20)) return undefined
  return { writer: bytes.readUInt32BE(8), firstSeq: Number(bytes.readBigUInt64BE(12)) }
}
