import { crc32, zstdDecompressSync } from 'node:zlib'
import type { JournalEntry } from './journal.ts'
import { decompressLz4, Lz4Compressor } from './lz4-block.ts'

/** An entry as it stands in a segment, whose seq is not given yet. */
export type UnnumberedRecord = Buffer

/** A record that was read. */
export interface FoundRecord {
  readonly seq: number
  /** Bytes from the beginning of the text that was read. */
  readonly end: number
  readonly entry: () => JournalEntry
}

/** Length of the payload, CRC of all that follows, form, seq. */
export const RECORD_HEADER_BYTES = 20

/** A record cannot be longer: a greater length is damage. */
const MAX_PAYLOAD = 256 * 1024 * 1024
const MAX_TEXT = 512 * 1024 * 1024

const UNWRITTEN = Buffer.alloc(RECORD_HEADER_BYTES)

const FORM_JSON = 0
/** What was written before; still read. */
const FORM_ZSTD = 1
/** The length of the text, and a block of LZ4. */
const FORM_LZ4 = 2
const LENGTH_BYTES = 4
/** Shorter texts do not get shorter by it. */
const COMPRESS_FROM = 512
/** Of a character in UTF-8, for each unit of UTF-16. */
const MOST_BYTES = 3
/** Room for the text of most entries. */
const SCRATCH_BYTES = 256 * 1024

/** Writes entries; one after the other, in memory of its own. */
export class RecordEncoder {
  readonly #scratch = Buffer.allocUnsafeSlow(SCRATCH_BYTES)
  readonly #compressor = new Lz4Compressor()

  /** An entry, all but its seq. */
  encode(entry: Omit<JournalEntry, 'seq'>): UnnumberedRecord {
    const text = this.#utf8(JSON.stringify(entry))
    if (text.length < COMPRESS_FROM) return recordOf(FORM_JSON, text)
    const length = Buffer.allocUnsafe(LENGTH_BYTES)
    length.writeUInt32BE(text.length, 0)
    return recordOf(FORM_LZ4, length, this.#compressor.compress(text))
  }

  #utf8(text: string): Buffer {
    if (text.length * MOST_BYTES > this.#scratch.length) return Buffer.from(text, 'utf8')
    return this.#scratch.subarray(0, this.#scratch.write(text, 'utf8'))
  }
}

function recordOf(form: number, ...parts: readonly Uint8Array[]): UnnumberedRecord {
  const header = Buffer.alloc(RECORD_HEADER_BYTES)
  header.writeUInt32BE(
    parts.reduce((sum, { length }) => sum + length, 0),
    0,
  )
  header.writeUInt32BE(form, 8)
  return Buffer.concat([header, ...parts])
}

/** Gives a record its seq, and seals it. */
export function numberRecord(record: UnnumberedRecord, seq: number): void {
  record.writeBigUInt64BE(BigInt(seq), 12)
  record.writeUInt32BE(crc32(record.subarray(8)), 4)
}

/** How many bytes a record beginning at `at` takes, as far as its length can be read. */
export function recordLength(bytes: Buffer, at: number): number | undefined {
  return bytes.length - at < RECORD_HEADER_BYTES ? undefined : RECORD_HEADER_BYTES + bytes.readUInt32BE(at)
}

/**
 * The record that begins at `at`; `more` where it goes on behind the bytes, `end` where nothing was written yet, `bad` where
 * something else is there.
 */
export function decodeRecord(bytes: Buffer, at: number): FoundRecord | 'more' | 'end' | 'bad' {
  const length = recordLength(bytes, at)
  if (length === undefined) return bytes.subarray(at).some((byte) => byte !== 0) ? 'more' : 'end'
  if (bytes.subarray(at, at + RECORD_HEADER_BYTES).equals(UNWRITTEN)) return 'end'
  if (length > MAX_PAYLOAD) return 'bad'
  const end = at + length
  if (end > bytes.length) return 'more'
  if (crc32(bytes.subarray(at + 8, end)) !== bytes.readUInt32BE(at + 4)) return 'bad'
  const form = bytes.readUInt32BE(at + 8)
  const seq = Number(bytes.readBigUInt64BE(at + 12))
  if (form > FORM_LZ4 || seq < 1) return 'bad'
  const payload = bytes.subarray(at + RECORD_HEADER_BYTES, end)
  return {
    seq,
    end,
    entry: () => ({ seq, ...(JSON.parse(textOf(form, payload)) as Omit<JournalEntry, 'seq'>) }),
  }
}

function textOf(form: number, payload: Buffer): string {
  if (form === FORM_LZ4) {
    const length = payload.readUInt32BE(0)
    if (length > MAX_TEXT) throw new RangeError(`a text of the journal has ${length} bytes`)
    return decompressLz4(payload.subarray(LENGTH_BYTES), length).toString('utf8')
  }
  const text = form === FORM_ZSTD ? zstdDecompressSync(payload, { maxOutputLength: MAX_TEXT }) : payload
  return text.toString('utf8')
}
