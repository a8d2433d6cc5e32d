/** Of the block format of LZ4 (lz4_Block_format.md, "End of block conditions" among them). */
const MIN_MATCH = 4
const LAST_LITERALS = 5
const NO_MATCH_IN_LAST = 12
const FARTHEST = 0xffff
/** A nibble of the token that holds more than this goes on in bytes of their own. */
const NIBBLE = 15
const MORE = 255

const HASH_BITS = 13
const HASH_FACTOR = 2_654_435_761
/** Fewer bytes are copied one by one: a call takes longer. */
const SHORT = 64
/** The longer nothing repeats, the faster it is passed: one byte more for each so many (a power of two). */
const PATIENCE_BITS = 6

/**
 * Compresses texts to blocks of LZ4, in plain JavaScript: whatever zlib compresses at once leaves an object behind that
 * only a collection of the old generation takes away, and with hundreds a second that comes each half second.
 */
export class Lz4Compressor {
  /** Where four bytes of a hash stood last, plus one; 0 where nowhere. */
  readonly #places = new Int32Array(1 << HASH_BITS)
  #out = Buffer.alloc(0)

  /** A block of its own memory. */
  compress(input: Uint8Array): Buffer {
    // What cannot be compressed becomes longer by so much.
    const bound = input.length + Math.ceil(input.length / MORE) + 16
    const out = (this.#out = this.#out.length < bound ? Buffer.allocUnsafeSlow(bound) : this.#out)
    const places = this.#places.fill(0)
    const lastMatch = input.length - NO_MATCH_IN_LAST
    const lastMatched = input.length - LAST_LITERALS
    let size = 0
    let literals = 0
    for (let at = 0; at <= lastMatch;) {
      const word = wordAt(input, at)
      const hash = Math.imul(word, HASH_FACTOR) >>> (32 - HASH_BITS)
      const before = (places[hash] ?? 0) - 1
      places[hash] = at + 1
      if (before < 0 || at - before > FARTHEST || wordAt(input, before) !== word) {
        at += 1 + ((at - literals) >> PATIENCE_BITS)
        continue
      }
      let end = at + MIN_MATCH
      const offset = at - before
      while (end < lastMatched && input[end] === input[end - offset]) end += 1
      size = putLiterals(out, size, input, literals, at, Math.min(end - at - MIN_MATCH, NIBBLE))
      out[size++] = offset & 0xff
      out[size++] = offset >>> 8
      size = putRest(out, size, end - at - MIN_MATCH)
      at = end
      literals = end
    }
    size = putLiterals(out, size, input, literals, input.length, 0)
    return Buffer.from(out.subarray(0, size))
  }
}

/** What a block was made of, of which so many bytes are expected; RangeError where it is none. */
export function decompressLz4(block: Uint8Array, length: number): Buffer {
  const out = Buffer.allocUnsafe(length)
  let size = 0
  let at = 0
  const lengthOf = (nibble: number): number => {
    let total = nibble
    if (nibble < NIBBLE) return total
    for (let more = MORE; more === MORE; total += more) more = byteAt(block, at++)
    return total
  }
  for (;;) {
    const token = byteAt(block, at++)
    const literals = lengthOf(token >>> 4)
    if (at + literals > block.length || size + literals > length) throw damaged()
    copy(block, at, at + literals, out, size)
    at += literals
    size += literals
    if (at === block.length) break
    const offset = byteAt(block, at++) | (byteAt(block, at++) << 8)
    const end = size + lengthOf(token & NIBBLE) + MIN_MATCH
    if (offset === 0 || offset > size || end > length) throw damaged()
    // What is repeated may go on into itself.
    if (end - size > offset || end - size < SHORT) {
      for (; size < end; size++) out[size] = byteAt(out, size - offset)
    } else {
      out.copyWithin(size, size - offset, end - offset)
      size = end
    }
  }
  if (size !== length) throw damaged()
  return out
}

function putLiterals(
  out: Buffer,
  size: number,
  input: Uint8Array,
  from: number,
  to: number,
  match: number,
): number {
  const count = to - from
  out[size] = (Math.min(count, NIBBLE) << 4) | match
  const start = putRest(out, size + 1, count)
  copy(input, from, to, out, start)
  return start + count
}

function copy(from: Uint8Array, start: number, end: number, to: Buffer, at: number): void {
  if (end - start >= SHORT) to.set(from.subarray(start, end), at)
  else for (let i = start, j = at; i < end; i++, j++) to[j] = byteAt(from, i)
}

/** What of a length is beyond its nibble. */
function putRest(out: Buffer, size: number, length: number): number {
  if (length < NIBBLE) return size
  let at = size
  let rest = length - NIBBLE
  for (; rest >= MORE; rest -= MORE) out[at++] = MORE
  out[at++] = rest
  return at
}

function wordAt(bytes: Uint8Array, at: number): number {
  return (
    byteAt(bytes, at) |
    (byteAt(bytes, at + 1) << 8) |
    (byteAt(bytes, at + 2) << 16) |
    (byteAt(bytes, at + 3) << 24)
  )
}

function byteAt(bytes: Uint8Array, at: number): number {
  const byte = bytes[at]
  if (byte === undefined) throw damaged()
  return byte
}

function damaged(): RangeError {
  return new RangeError('the block is damaged')
}
