import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import { podDecoder } from '../../../src/core/kube/pod-decode.ts'
import type { WatchFrame, WatchParser } from '../../../src/core/kube/watch-frame.ts'
import { JsonWatchParser } from '../../../src/core/kube/watch-json.ts'
import { ProtobufWatchParser } from '../../../src/core/kube/watch-protobuf.ts'
import { DeckError } from '../../../src/core/lib/errors.ts'
import type { PodSlice } from '../../../src/core/wire/pod.ts'
import type { FakeObject } from '../../kit/fake-api/fake-store.ts'
import { buildPod } from '../../kit/fake-api/pod-builder.ts'
import { encodeWatchFrame, type Kinded } from '../../kit/fake-api/protobuf-encode.ts'

function stored(name: string, resourceVersion: string): FakeObject {
  const pod = buildPod(name)
  return { ...pod, metadata: { ...pod.metadata, uid: `uid-of-${name}`, resourceVersion } }
}

const events: readonly (readonly [string, Kinded])[] = [
  ['ADDED', stored('größe', '1')],
  ['MODIFIED', stored('web-1', '2')],
  [
    'BOOKMARK',
    { kind: 'Pod', apiVersion: 'v1', metadata: { resourceVersion: '3' }, spec: { containers: null } },
  ],
  ['DELETED', stored('web-1', '4')],
  [
    'ERROR',
    { kind: 'Status', apiVersion: 'v1', status: 'Failure', code: 410, reason: 'Expired', message: 'too old' },
  ],
]

interface Encoding {
  readonly name: string
  readonly newParser: () => WatchParser<PodSlice>
  readonly encode: (type: string, object: Kinded) => Buffer
}

const encodings: readonly Encoding[] = [
  {
    name: 'JSON lines',
    newParser: () => new JsonWatchParser(podDecoder().fromJson),
    encode: (type, object) => Buffer.from(`${JSON.stringify({ type, object })}\n`),
  },
  {
    name: 'protobuf frames',
    newParser: () => {
      const { fromProtobuf } = podDecoder()
      assert.ok(fromProtobuf)
      return new ProtobufWatchParser(fromProtobuf)
    },
    encode: encodeWatchFrame,
  },
]

function describeFrame(frame: WatchFrame<PodSlice>): string {
  switch (frame.type) {
    case 'BOOKMARK':
      return `BOOKMARK ${frame.resourceVersion}`
    case 'ERROR':
      return `ERROR ${frame.status.code} ${frame.status.reason} ${frame.status.message}`
    case 'UNREADABLE':
      return 'UNREADABLE'
    default:
      return `${frame.type} ${frame.object.name} ${frame.object.resourceVersion} ${frame.object.images[0]?.image}`
  }
}

for (const { name, newParser, encode } of encodings) {
  describe(`a watch of ${name}`, () => {
    const body = Buffer.concat(events.map(([type, object]) => encode(type, object)))
    const expected = [
      'ADDED größe 1 nginx:1.25',
      'MODIFIED web-1 2 nginx:1.25',
      'BOOKMARK 3',
      'DELETED web-1 4 nginx:1.25',
      'ERROR 410 Expired too old',
    ]

    it('reads the same however the network cuts the bytes', () => {
      fc.assert(
        fc.property(fc.array(fc.nat({ max: body.length }), { maxLength: 30 }), (cuts) => {
          const parser = newParser()
          const frames: WatchFrame<PodSlice>[] = []
          let start = 0
          for (const cut of [...cuts.toSorted((one, other) => one - other), body.length]) {
            frames.push(...parser.push(body.subarray(start, cut)))
            start = cut
          }
          assert.deepEqual(frames.map(describeFrame), expected)
          assert.equal(parser.unfinished, false)
        }),
      )
    })

    it('never takes the beginning of an event for an event', () => {
      const first = encode('ADDED', stored('web-1', '1'))
      for (let length = 1; length < first.length; length++) {
        const parser = newParser()
        assert.deepEqual(parser.push(first.subarray(0, length)), [])
        assert.equal(parser.unfinished, true)
      }
    })

    it('says so when a whole message makes no sense, and reads the ones after it', () => {
      const nameless = buildPod('web-1')
      const senseless = [encode('ADDED', nameless), encode('RENAMED', stored('web-1', '1'))]
      const parser = newParser()
      const frames = parser.push(Buffer.concat([...senseless, encode('ADDED', stored('web-2', '9'))]))
      assert.deepEqual(frames.map(describeFrame), ['UNREADABLE', 'UNREADABLE', 'ADDED web-2 9 nginx:1.25'])
    })
  })
}

describe('a watch of JSON lines that is spoilt', () => {
  it('reports lines that are not JSON, or hold no object', () => {
    const parser = new JsonWatchParser(podDecoder().fromJson)
    const frames = parser.push(
      Buffer.from('{"type":"ADDED","obj\nnull\n{"type":"ADDED"}\n\n{"type":"ADDED","object":7}\n'),
    )
    assert.deepEqual(frames.map(describeFrame), ['UNREADABLE', 'UNREADABLE', 'UNREADABLE', 'UNREADABLE'])
  })
})

describe('a watch of JSON lines without an end', () => {
  it('is given up before it fills the memory', () => {
    const parser = new JsonWatchParser(podDecoder().fromJson)
    const chunk = Buffer.alloc(1024 * 1024, 'x')
    for (let chunks = 0; chunks < 64; chunks++) assert.deepEqual(parser.push(chunk), [])
    assert.throws(
      () => parser.push(chunk),
      (error) => error instanceof DeckError && error.code === 'KUBE_PROTOCOL',
    )
  })
})

describe('a watch of protobuf frames that is spoilt', () => {
  const newParser = (): ProtobufWatchParser<PodSlice> => {
    const { fromProtobuf } = podDecoder()
    assert.ok(fromProtobuf)
    return new ProtobufWatchParser(fromProtobuf)
  }

  it('reports frames that are not protobuf, or hold no object', () => {
    const spoilt = Buffer.from([0, 0, 0, 2, 0xff, 0xff, 0, 0, 0, 0, 0, 0, 0, 3, 0x0a, 0x01, 0x41])
    assert.deepEqual(newParser().push(spoilt).map(describeFrame), ['UNREADABLE', 'UNREADABLE', 'UNREADABLE'])
  })

  it('gives up on a length that no event has', () => {
    assert.throws(
      () => newParser().push(Buffer.from('HTTP/1.1 200 OK')),
      (error) => error instanceof DeckError && error.code === 'KUBE_PROTOCOL',
    )
  })
})
