import { readFileSync } from 'node:fs'
import { decodeRecord, RECORD_HEADER_BYTES } from './record.ts'
import { decodeHeader, HEADER_BYTES, listSegments } from './segment-file.ts'

/** Where the journal of a folder ended. */
export interface JournalEnd {
  readonly writer: number
  /** No entry has a greater one. */
  readonly seq: number
  readonly segment: number
  /** Where its last whole record ends. */
  readonly bytes: number
  /** Its last record is not whole, or something is wrong with one. */
  readonly damaged: boolean
}

/** Finds out whose the journal of a folder is and how far it came; undefined where there is none that can be read. */
export function whereItEnded(folder: string): JournalEnd | undefined {
  for (const { segment, path } of listSegments(folder).toReversed()) {
    const bytes = readFileSync(path)
    const header = decodeHeader(bytes)
    // One that was just being begun when the process ended holds nothing.
    if (!header) continue
    let at = HEADER_BYTES
    let seq = header.firstSeq - 1
    let found = decodeRecord(bytes, at)
    for (; typeof found !== 'string'; found = decodeRecord(bytes, at)) {
      seq = found.seq
      at = found.end
    }
    const lost = found === 'end' ? 0 : bytes.length - at
    // Whatever was there had a number each, and no number is given twice.
    return {
      writer: header.writer,
      seq: seq + Math.ceil(lost / RECORD_HEADER_BYTES),
      segment,
      bytes: at,
      damaged: lost > 0,
    }
  }
  return undefined
}
