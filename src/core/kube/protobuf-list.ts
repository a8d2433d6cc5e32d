import type { ListMetadata, ListParser } from './paged-list-parser.ts'
import { lengthDelimited, malformedProtobuf, ProtobufReader } from './protobuf.ts'
import { readListMetadata } from './protobuf-metadata.ts'

// k8s.io/apimachinery/pkg/runtime/generated.proto: after these four bytes comes one Unknown, its `raw` is the list.
const MAGIC = Buffer.from('k8s\0')
const UNKNOWN_RAW = lengthDelimited(2)
// The same two fields in PodList, NodeList and every other list of built-in types.
const LIST_METADATA = lengthDelimited(1)
const LIST_ITEMS = lengthDelimited(2)

/** No object in etcd comes near it; a greater length is a sign of broken bytes, not of a reason to wait for them. */
const MAX_FIELD_BYTES = 256 * 1024 * 1024

/**
 * Reads a protobuf list while it arrives: holds no more of it than one object that is cut by the end of a chunk.
 * `readItem` is called with the reader at an object's first byte and the position of its end.
 */
export class ProtobufListParser<T> implements ListParser<T> {
  readonly #readItem: (reader: ProtobufReader, end: number) => T
  readonly #reader = new ProtobufReader(MAGIC)
  #metadata: ListMetadata | undefined
  #magicSeen = false
  /** Bytes of the list that are still to come; undefined outside of `raw`. */
  #listBytes: number | undefined
  #listSeen = false
  /** A record that the end of a chunk cut, and how many bytes it still needs at least. */
  #carried: Buffer[] = []
  #missing = 0

  constructor(readItem: (reader: ProtobufReader, end: number) => T) {
    this.#readItem = readItem
  }

  /** The list's own metadata; the API server sends it before the first item. */
  get metadata(): ListMetadata | undefined {
    return this.#metadata
  }

  /** Takes the next bytes and gives the items that are now complete. */
  push(chunk: Uint8Array): T[] {
    const items: T[] = []
    let rest = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength)
    while (rest.length > 0) {
      let block = rest
      if (this.#carried.length > 0) {
        // Only what completes the cut record is copied; all others are read where they lie.
        const taken = rest.subarray(0, this.#missing)
        this.#carried.push(taken)
        this.#missing -= taken.length
        rest = rest.subarray(taken.length)
        if (this.#missing > 0) break
        block = Buffer.concat(this.#carried)
        this.#carried = []
      } else rest = rest.subarray(rest.length)
      const read = this.#read(block, items)
      if (read < block.length) this.#carried.push(block.subarray(read))
    }
    return items
  }

  /** Says that the body has ended; throws when the list has not. */
  finish(): T[] {
    if (!this.#listSeen || this.#listBytes !== undefined || this.#carried.length > 0) {
      throw malformedProtobuf('the answer ends in the middle of the list')
    }
    return []
  }

  /** Reads all complete records of a block and returns where the first incomplete one starts. */
  #read(block: Buffer, items: T[]): number {
    const reader = this.#reader
    let start = 0
    if (!this.#magicSeen) {
      if (block.length < MAGIC.length) return this.#incomplete(0, MAGIC.length - block.length)
      if (MAGIC.compare(block, 0, MAGIC.length) !== 0) throw malformedProtobuf('it does not begin with "k8s"')
      this.#magicSeen = true
      start = MAGIC.length
    }
    while (start < block.length) {
      reader.reset(block, start)
      if (!headerIsWhole(block, start)) return this.#incomplete(start, 1)
      const tag = reader.varint()
      const inList = this.#listBytes !== undefined
      if ((tag & 7) !== 2) {
        reader.skip(tag, block.length)
      } else {
        const length = reader.varint()
        if (length > MAX_FIELD_BYTES && (inList || tag !== UNKNOWN_RAW))
          throw malformedProtobuf(`a field of ${length} bytes`)
        if (!inList && tag === UNKNOWN_RAW) {
          this.#listSeen = true
          this.#listBytes = length === 0 ? undefined : length
          start = reader.position
          continue
        }
        const end = reader.position + length
        if (end > block.length) return this.#incomplete(start, end - block.length)
        if (inList && tag === LIST_ITEMS) items.push(this.#readItem(reader, end))
        else if (inList && tag === LIST_METADATA) this.#metadata = readListMetadata(reader, end)
        reader.position = end
      }
      if (this.#listBytes !== undefined) this.#consume(reader.position - start)
      start = reader.position
    }
    return start
  }

  #consume(bytes: number): void {
    const left = (this.#listBytes ?? 0) - bytes
    if (left < 0) throw malformedProtobuf('an item reaches past the end of the list')
    this.#listBytes = left === 0 ? undefined : left
  }

  #incomplete(start: number, missing: number): number {
    this.#missing = missing
    return start
  }
}

/** Whether the tag at `start` and what follows it (a length, or a value of bounded size) have all come. */
function headerIsWhole(block: Buffer, start: number): boolean {
  const value = afterVarint(block, start)
  if (value > block.length) return false
  switch ((block[start] ?? 0) & 7) {
    case 1:
      return value + 8 <= block.length
    case 5:
      return value + 4 <= block.length
    default:
      return afterVarint(block, value) <= block.length
  }
}

/** Where the varint at `start` ends; past the end of the block when it is cut. */
function afterVarint(block: Buffer, start: number): number {
  let position = start
  // Ten bytes are the longest; the reader refuses what goes on.
  while ((block[position] ?? 0) >= 0x80 && position - start < 10) position += 1
  return position + 1
}
