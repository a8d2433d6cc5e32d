import { DeckError } from '../lib/errors.ts'
import { lengthDelimited, ProtobufReader } from './protobuf.ts'
import { rawInside, readStatus } from './protobuf-status.ts'
import {
  checkEventLength,
  type Watched,
  type WatchFrame,
  watchFrame,
  type WatchParser,
} from './watch-frame.ts'

// Each frame is four bytes of big-endian length and a WatchEvent (meta/v1/generated.proto) whose object is a
// RawExtension (runtime/generated.proto), which holds `k8s\0` and an Unknown.
const PREFIX_BYTES = 4
const EVENT_TYPE = lengthDelimited(1)
const EVENT_OBJECT = lengthDelimited(2)
const EXTENSION_RAW = lengthDelimited(1)

/** Reads a watch of length-prefixed protobuf frames. */
export class ProtobufWatchParser<T extends Watched> implements WatchParser<T> {
  readonly #fromProtobuf: (reader: ProtobufReader, end: number) => T
  #carried: Buffer[] = []
  #carriedBytes = 0
  /** Bytes until the carried frame, or its prefix, is whole. */
  #needed = PREFIX_BYTES

  constructor(fromProtobuf: (reader: ProtobufReader, end: number) => T) {
    this.#fromProtobuf = fromProtobuf
  }

  get unfinished(): boolean {
    return this.#carriedBytes > 0
  }

  push(chunk: Uint8Array): WatchFrame<T>[] {
    this.#carried.push(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength))
    this.#carriedBytes += chunk.byteLength
    if (this.#carriedBytes < this.#needed) return []
    const frames: WatchFrame<T>[] = []
    const block =
      this.#carried.length === 1 && this.#carried[0] ? this.#carried[0] : Buffer.concat(this.#carried)
    let start = 0
    this.#needed = PREFIX_BYTES
    while (block.length - start >= PREFIX_BYTES) {
      const length = block.readUInt32BE(start)
      checkEventLength(length)
      if (block.length - start < PREFIX_BYTES + length) {
        this.#needed = PREFIX_BYTES + length
        break
      }
      start += PREFIX_BYTES
      frames.push(this.#frame(block, start, start + length))
      start += length
    }
    this.#carried = start < block.length ? [block.subarray(start)] : []
    this.#carriedBytes = block.length - start
    return frames
  }

  #frame(bytes: Buffer, start: number, end: number): WatchFrame<T> {
    try {
      return this.#event(new ProtobufReader(bytes, start), end)
    } catch (error) {
      if (error instanceof DeckError) return { type: 'UNREADABLE', detail: error.message }
      throw error
    }
  }

  #event(reader: ProtobufReader, end: number): WatchFrame<T> {
    let type = ''
    let object: { start: number; end: number } | undefined
    while (reader.position < end) {
      const tag = reader.varint()
      if (tag === EVENT_TYPE) type = reader.text(end)
      else if (tag === EVENT_OBJECT) {
        const extensionEnd = reader.contentEnd(end)
        while (reader.position < extensionEnd) {
          const extensionTag = reader.varint()
          if (extensionTag === EXTENSION_RAW) {
            const rawEnd = reader.contentEnd(extensionEnd)
            object = rawInside(reader.bytes, reader.position, rawEnd)
            reader.position = rawEnd
          } else reader.skip(extensionTag, extensionEnd)
        }
      } else reader.skip(tag, end)
    }
    if (!object) return { type: 'UNREADABLE', detail: 'a frame without an object' }
    reader.position = object.start
    if (type === 'ERROR') return { type, status: readStatus(reader, object.end) }
    return watchFrame(type, this.#fromProtobuf(reader, object.end))
  }
}
