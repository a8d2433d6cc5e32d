import type { AdmissionRequest } from '../../../src/core/wire/admission-review.ts'
import { readReview } from './read-review.ts'

const QUOTE = 0x22
const BACKSLASH = 0x5c
const OPEN = new Set([0x7b, 0x5b])
const CLOSE = new Set([0x7d, 0x5d])
const COMMA = 0x2c
const COLON = 0x3a

/** The objects are the members of members of the review. */
const DEPTH = 2

/**
 * What the beginning and the end of a review say that is too large to be read: the API server writes who, what and where
 * before the objects, whether it is a dry run and its options behind them. Undefined where that cannot be read.
 */
export function readReviewHead(head: Buffer, tail: Buffer): AdmissionRequest | undefined {
  const end = beforeObjects(head)
  if (end === undefined) return undefined
  const rest = behindObjects(tail.toString('utf8'))
  if (rest === undefined) return undefined
  return readReview(`${head.toString('utf8', 0, end)}${rest}`)
}

/** The uid that a review is answered by; undefined where it is not among the first fields. */
export function readUid(head: Buffer): string | undefined {
  const [, uid] =
    /^\s*\{[^{}]{0,200}"request"\s*:\s*\{\s*"uid"\s*:\s*"([\w-]{1,256})"/.exec(
      head.toString('latin1', 0, 1024),
    ) ?? []
  return uid
}

/** Where the comma before the first object stands. */
function beforeObjects(head: Buffer): number | undefined {
  let depth = 0
  let comma = 0
  for (let at = 0; at < head.length; at++) {
    const byte = head.readUInt8(at)
    if (byte === QUOTE) {
      const end = endOfText(head, at)
      if (depth === DEPTH && isKeyOfObject(head, at, end)) return comma
      at = end
    } else if (OPEN.has(byte)) depth += 1
    else if (CLOSE.has(byte)) depth -= 1
    else if (byte === COMMA) comma = at
  }
  return undefined
}

function endOfText(bytes: Buffer, start: number): number {
  for (let at = start + 1; at < bytes.length; at++) {
    const byte = bytes.readUInt8(at)
    if (byte === BACKSLASH) at += 1
    else if (byte === QUOTE) return at
  }
  return bytes.length
}

function isKeyOfObject(bytes: Buffer, start: number, end: number): boolean {
  if (end - start > 12 || bytes[end + 1] !== COLON) return false
  const key = bytes.toString('latin1', start + 1, end)
  return key === 'object' || key === 'oldObject'
}

/** `,"dryRun":false,"options":{…}}}`: quotes within texts are escaped, and options have another `dryRun`. */
function behindObjects(tail: string): string | undefined {
  const at = Math.max(tail.lastIndexOf(',"dryRun":true'), tail.lastIndexOf(',"dryRun":false'))
  return at < 0 ? undefined : tail.slice(at)
}
