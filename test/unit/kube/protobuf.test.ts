import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import { lengthDelimited, ProtobufReader, varint } from '../../../src/core/kube/protobuf.ts'
import { DeckError } from '../../../src/core/lib/errors.ts'

const protocolError = (error: unknown): boolean =>
  error instanceof DeckError && error.code === 'KUBE_PROTOCOL'

/** Base 128, least significant group first (https://protobuf.dev/programming-guides/encoding/#varints). */
function encodeVarint(value: bigint): Buffer {
  const bytes: number[] = []
  let left = BigInt.asUintN(64, value)
  for (; left >= 0x80n; left >>= 7n) bytes.push(Number(left & 0x7fn) | 0x80)
  return Buffer.from([...bytes, Number(left)])
}

describe('the protobuf reader', () => {
  it('reads numbers up to 2^53 exactly', () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), (value) => {
        const bytes = encodeVarint(BigInt(value))
        const reader = new ProtobufReader(bytes)
        assert.equal(reader.varint(), value)
        assert.equal(reader.position, bytes.length)
      }),
    )
  })

  it('reads the ten bytes of a negative number to their end', () => {
    const bytes = encodeVarint(-5n)
    const reader = new ProtobufReader(bytes)
    assert.ok(reader.varint() <= 0)
    assert.equal(reader.position, bytes.length)
  })

  it('computes tags from field numbers as protoc does', () => {
    assert.deepEqual([lengthDelimited(1), lengthDelimited(34), varint(6)], [0x0a, 0x112, 0x30])
  })

  it('steps over every wire type', () => {
    const fields = Buffer.from([
      0x08,
      0x96,
      0x01, // 1: varint 150
      0x11,
      1,
      2,
      3,
      4,
      5,
      6,
      7,
      8, // 2: fixed64
      0x1a,
      0x02,
      0x68,
      0x69, // 3: "hi"
      0x25,
      1,
      2,
      3,
      4, // 4: fixed32
    ])
    const reader = new ProtobufReader(fields)
    while (reader.position < fields.length) reader.skip(reader.varint(), fields.length)
    assert.equal(reader.position, fields.length)
  })

  it('reads a string as UTF-8', () => {
    const text = 'registry.example.com/größe:1'
    const content = Buffer.from(text)
    const reader = new ProtobufReader(Buffer.concat([encodeVarint(BigInt(content.length)), content]))
    assert.equal(reader.text(reader.bytes.length), text)
  })

  it('refuses groups, lengths past the end, numbers that are cut or too long', () => {
    const cases: readonly (readonly [number[], (reader: ProtobufReader) => unknown])[] = [
      [[0x0b], (reader) => reader.skip(reader.varint(), 1)],
      [[0x05, 0x61], (reader) => reader.text(2)],
      [[0x80], (reader) => reader.varint()],
      [Array.from({ length: 11 }, () => 0x80), (reader) => reader.varint()],
      [[0x09, 1, 2], (reader) => reader.skip(reader.varint(), 3)],
    ]
    for (const [bytes, read] of cases)
      assert.throws(() => read(new ProtobufReader(Buffer.from(bytes))), protocolError)
  })
})
