import { DeckError } from '../lib/errors.ts'

const VARINT = 0
const FIXED64 = 1
const LENGTH_DELIMITED = 2
const FIXED32 = 5

/** The tag (field number and wire type) of a string, bytes or message field; constant for a constant number. */
export function lengthDelimited(field: number): number {
  return field * 8 + LENGTH_DELIMITED
}

/** The tag of a bool, int32 or int64 field. */
export function varint(field: number): number {
  return field * 8 + VARINT
}

/** An answer that is not the protobuf it claims to be. */
export function malformedProtobuf(detail: string): DeckError {
  return new DeckError('KUBE_PROTOCOL', `the API server sent malformed protobuf: ${detail}`, {
    hint: 'A proxy between here and the API server may cut or change answers; --no-protobuf asks for JSON.',
  })
}

/**
 * A cursor over protobuf bytes that reads the fields asked for and steps over all others without looking into
 * them (https://protobuf.dev/programming-guides/encoding). One reader is pointed at one buffer after another.
 */
export class ProtobufReader {
  bytes: Buffer
  position: number

  constructor(bytes: Buffer, position = 0) {
    this.bytes = bytes
    this.position = position
  }

  /** Points the reader at other bytes. */
  reset(bytes: Buffer, position: number): void {
    this.bytes = bytes
    this.position = position
  }

  /** A varint as a number, exact up to 2^53; a negative int64 comes out negative and rounded. */
  varint(): number {
    const bytes = this.bytes
    let byte = bytes[this.position++]
    if (byte === undefined) throw malformedProtobuf('a number is cut off')
    if (byte < 0x80) return byte
    let value = byte & 0x7f
    let scale = 0x80
    for (let length = 1; length < 10; length++) {
      byte = bytes[this.position++]
      if (byte === undefined) throw malformedProtobuf('a number is cut off')
      if (length === 9) {
        // The tenth byte holds bit 63 only: set, the number is a negative int64.
        if (byte > 1) break
        return byte === 1 ? value + scale - 2 ** 64 : value
      }
      value += (byte & 0x7f) * scale
      if (byte < 0x80) return value
      scale *= 0x80
    }
    throw malformedProtobuf('a number is longer than 64 bits')
  }

  /** Reads the length of a length-delimited field and returns where its content ends; the content starts at `position`. */
  contentEnd(limit: number): number {
    const length = this.varint()
    const end = this.position + length
    if (length < 0 || end > limit) throw malformedProtobuf('a field reaches past the end of its message')
    return end
  }

  /** Steps over the value of the field whose tag was read. */
  skip(tag: number, limit: number): void {
    switch (tag & 7) {
      case VARINT:
        this.varint()
        break
      case FIXED64:
        this.position += 8
        break
      case LENGTH_DELIMITED:
        this.position = this.contentEnd(limit)
        break
      case FIXED32:
        this.position += 4
        break
      default:
        throw malformedProtobuf(`wire type ${tag & 7} is not in use`)
    }
    if (this.position > limit) throw malformedProtobuf('a field reaches past the end of its message')
  }

  /** A string field's content as UTF-8. */
  text(limit: number): string {
    const end = this.contentEnd(limit)
    const text = this.bytes.toString('utf8', this.position, end)
    this.position = end
    return text
  }
}
