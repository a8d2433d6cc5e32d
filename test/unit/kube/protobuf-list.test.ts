import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import { podDecoder } from '../../../src/core/kube/pod-decode.ts'
import { ProtobufListParser } from '../../../src/core/kube/protobuf-list.ts'
import { DeckError } from '../../../src/core/lib/errors.ts'
import type { PodSlice } from '../../../src/core/wire/pod.ts'
import { buildPod } from '../../kit/fake-api/pod-builder.ts'
import { encodeObject } from '../../kit/fake-api/protobuf-encode.ts'

const COUNT = 12

function podList(count: number): Buffer {
  return encodeObject({
    kind: 'PodList',
    apiVersion: 'v1',
    metadata: { resourceVersion: '900', continue: 'next', remainingItemCount: 5 },
    items: Array.from({ length: count }, (_, index) => buildPod(`web-${index}`, { uid: `uid-${index}` })),
  })
}

const body = podList(COUNT)

const podParser = (): ProtobufListParser<PodSlice> => {
  const { fromProtobuf } = podDecoder()
  assert.ok(fromProtobuf)
  return new ProtobufListParser(fromProtobuf)
}

function parse(bytes: Buffer, cuts: readonly number[]): PodSlice[] {
  const parser = podParser()
  const items: PodSlice[] = []
  let start = 0
  for (const cut of [...cuts.toSorted((one, other) => one - other), bytes.length]) {
    items.push(...parser.push(bytes.subarray(start, cut)))
    start = cut
  }
  return [...items, ...parser.finish()]
}

const isProtocolError = (error: unknown): boolean =>
  error instanceof DeckError && error.code === 'KUBE_PROTOCOL'

describe('the protobuf list parser', () => {
  const whole = parse(body, [])

  it('reads all items and the metadata of the list', () => {
    const parser = podParser()
    parser.push(body)
    assert.deepEqual(parser.metadata, { resourceVersion: '900', continue: 'next' })
    assert.deepEqual(
      whole.map((pod) => pod.name),
      Array.from({ length: COUNT }, (_, index) => `web-${index}`),
    )
  })

  it('knows the continue token before the first item is whole', () => {
    const parser = podParser()
    assert.deepEqual(parser.push(body.subarray(0, 120)), [])
    assert.equal(parser.metadata?.continue, 'next')
  })

  it('reads the same however the network cuts the bytes', () => {
    const cuts = fc.array(fc.nat({ max: body.length }), { maxLength: 40 })
    fc.assert(fc.property(cuts, (places) => assert.deepEqual(parse(body, places), whole)))
    const everyByte = Array.from({ length: body.length }, (_, index) => index)
    assert.deepEqual(parse(body, everyByte), whole)
  })

  it('never takes a part of a list for the whole, also where it ends between two items', () => {
    const two = podList(2)
    // The last four bytes are the two empty strings of the envelope, which a reader can do without.
    for (let length = 0; length < two.length - 4; length++) {
      assert.throws(() => parse(two.subarray(0, length), []), isProtocolError, `${length} bytes`)
    }
  })

  it('reads an empty list', () => {
    const empty = encodeObject({
      kind: 'PodList',
      apiVersion: 'v1',
      metadata: { resourceVersion: '7' },
      items: [],
    })
    assert.deepEqual(parse(empty, []), [])
    assert.deepEqual(parse(encodeObject({ kind: 'PodList', apiVersion: 'v1' }), []), [])
  })

  it('answers any bytes with items or a protocol error, and nothing else', () => {
    const spoilt = fc.array(fc.tuple(fc.nat({ max: body.length - 1 }), fc.nat({ max: 255 })), {
      minLength: 1,
      maxLength: 5,
    })
    fc.assert(
      fc.property(spoilt, (changes) => {
        const bytes = Buffer.from(body)
        for (const [place, value] of changes) bytes[place] = value
        try {
          parse(bytes, [1000, 2000])
        } catch (error) {
          assert.ok(isProtocolError(error), String(error))
        }
      }),
      { numRuns: 500 },
    )
  })
})
