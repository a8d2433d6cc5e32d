import { constants, crc32, zstdCompressSync, zstdDecompressSync } from 'node:zlib'
import type { JournalEntry } from './journal.ts'

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
const FORM_ZSTD = 1
/** Shorter texts do not get shorter by it. */
const COMPRESS_FROM = 512
/** Seven times less to write and to keep, for a third of the time that reading the review takes. */
const LEVEL = { params: { [constants.ZSTD_c_compressionLevel]: 1 } }

/** Writes an entry, all but its seq. */
export function encodeRecord(entry: Omit<JournalEntry, 'seq'>): UnnumberedRecord {
  const text = Buffer.from(JSON.stringify(entry), 'utf8')
  const compressed = text.length >= COMPRESS_FROM
  const payload = compressed ? zstdCompressSync(text, LEVEL) : text
  const record = Buffer.allocUnsafe(RECORD_HEADER_BYTES + payload.length)
  record.writeUInt32BE(payload.length, 0)
  record.writeUInt32BE(compressed ? FORM_ZSTD : FORM_JSON, 8)
  payload.copy(record, RECORD_HEADER_BYTES)
  return record
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
  if (form > FORM_ZSTD || seq < 1) return 'bad'
  const payload = bytes.subarray(at + RECORD_HEADER_BYTES, end)
  return {
    seq,
    end,
    entry: () => ({ seq, ...(JSON.parse(textOf(form, payload)) as Omit<JournalEntry, 'seq'>) }),
  }
}

function textOf(form: number, payload: Buffer): string {
  const text = form === FORM_ZSTD ? zstdDecompressSync(payload, { maxOutputLength: MAX_TEXT }) : payload
  return text.toString('utf8')
}
