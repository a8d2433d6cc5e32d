import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import { podDecoder } from '../../../src/core/kube/pod-decode.ts'
import { ProtobufReader } from '../../../src/core/kube/protobuf.ts'
import { rawInside } from '../../../src/core/kube/protobuf-status.ts'
import type { PodSlice } from '../../../src/core/wire/pod.ts'
import type { FakeObject } from '../../kit/fake-api/fake-store.ts'
import { buildPod, type PodPlan } from '../../kit/fake-api/pod-builder.ts'
import { encodeObject } from '../../kit/fake-api/protobuf-encode.ts'

function stored(name: string, plan: PodPlan): FakeObject {
  const pod = buildPod(name, plan)
  return { ...pod, metadata: { ...pod.metadata, uid: `uid-of-${name}`, resourceVersion: '4711' } }
}

/** The slice from JSON and the slice from protobuf, read by one decoder. */
function bothSlices(pod: FakeObject): [PodSlice, PodSlice] {
  const decoder = podDecoder()
  const bytes = encodeObject(pod)
  const raw = rawInside(bytes, 0, bytes.length)
  assert.ok(raw && decoder.fromProtobuf)
  return [
    decoder.fromJson(JSON.parse(JSON.stringify(pod))),
    decoder.fromProtobuf(new ProtobufReader(bytes, raw.start), raw.end),
  ]
}

describe('decoding pods', () => {
  it('reads containers of every type and image volumes, in the order of the contract', () => {
    const pod = stored('web-7d9c5b-x2x4q', {
      namespace: 'shop',
      containers: [
        { name: 'app', image: 'web:2.1', imageID: 'docker.io/library/web@sha256:aa', pullPolicy: 'Always' },
      ],
      initContainers: [{ name: 'migrate', image: 'migrate:1', imageID: 'sha256:bb' }],
      sidecars: [{ name: 'proxy', image: 'envoy:1.30', imageID: 'sha256:cc' }],
      ephemeralContainers: [{ name: 'debugger', image: 'busybox', imageID: 'sha256:dd' }],
      imageVolumes: [
        { name: 'models', reference: 'registry.example.com/models:7', pullPolicy: 'IfNotPresent' },
      ],
      labels: { app: 'web', 'pod-template-hash': '7d9c5b' },
      owner: { kind: 'ReplicaSet', name: 'web-7d9c5b', uid: 'uid-of-rs' },
      node: 'node-3',
    })
    const [fromJson, fromProtobuf] = bothSlices(pod)
    assert.deepEqual(fromJson, {
      uid: 'uid-of-web-7d9c5b-x2x4q',
      namespace: 'shop',
      name: 'web-7d9c5b-x2x4q',
      resourceVersion: '4711',
      nodeName: 'node-3',
      phase: 'Running',
      templateHash: '7d9c5b',
      owner: { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'web-7d9c5b', uid: 'uid-of-rs' },
      images: [
        {
          type: 'init',
          name: 'migrate',
          image: 'migrate:1',
          pullPolicy: 'IfNotPresent',
          imageID: 'sha256:bb',
        },
        {
          type: 'sidecar',
          name: 'proxy',
          image: 'envoy:1.30',
          pullPolicy: 'IfNotPresent',
          imageID: 'sha256:cc',
        },
        {
          type: 'container',
          name: 'app',
          image: 'web:2.1',
          pullPolicy: 'Always',
          imageID: 'docker.io/library/web@sha256:aa',
        },
        {
          type: 'ephemeral',
          name: 'debugger',
          image: 'busybox',
          pullPolicy: 'IfNotPresent',
          imageID: 'sha256:dd',
        },
        {
          type: 'volume',
          name: 'models',
          image: 'registry.example.com/models:7',
          pullPolicy: 'IfNotPresent',
          imageID: '',
        },
      ],
    })
    assert.deepEqual(fromProtobuf, fromJson)
  })

  it('keeps sidecars where the spec lists them among the init containers', () => {
    const pod = stored('web', {})
    const spec = pod['spec'] as Record<string, unknown>
    spec['initContainers'] = [
      { name: 'proxy', image: 'envoy:1', restartPolicy: 'Always' },
      { name: 'migrate', image: 'migrate:1' },
    ]
    for (const slice of bothSlices(pod)) {
      assert.deepEqual(
        slice.images.map(({ type, name }) => [type, name]),
        [
          ['sidecar', 'proxy'],
          ['init', 'migrate'],
          ['container', 'app'],
        ],
      )
    }
  })

  it('takes an ordinary container that is restarted always for what it is', () => {
    const pod = stored('web', {})
    const spec = pod['spec'] as Record<string, unknown>
    spec['containers'] = [{ name: 'app', image: 'web:1', restartPolicy: 'Always' }]
    for (const slice of bothSlices(pod)) assert.equal(slice.images[0]?.type, 'container')
  })

  it('reads a pod that no kubelet has seen yet', () => {
    const slices = bothSlices(stored('web', { status: false, node: '' }))
    for (const slice of slices) {
      assert.deepEqual([slice.nodeName, slice.phase, slice.images[0]?.imageID], ['', 'Pending', ''])
    }
  })

  it('names the controller, not just any owner', () => {
    const pod = stored('web', { owner: { kind: 'Job', name: 'nightly', apiVersion: 'batch/v1' } })
    const references = pod.metadata['ownerReferences'] as object[]
    references.unshift({ apiVersion: 'v1', kind: 'ConfigMap', name: 'other', uid: 'x' })
    for (const slice of bothSlices(pod)) assert.equal(slice.owner?.kind, 'Job')
    references.splice(1)
    for (const slice of bothSlices(pod)) assert.equal(slice.owner, undefined)
  })

  it('keeps strings as they are: long, not ASCII, with control characters', () => {
    const image = `registry.example.com/größe\u001b[31m/${'a'.repeat(4000)}:é`
    for (const slice of bothSlices(stored('web', { containers: [image] })))
      assert.equal(slice.images[0]?.image, image)
  })

  it('gives empty slices, not failures, for JSON that is no pod', () => {
    for (const value of [null, 7, 'pod', [], {}, { metadata: null, spec: { containers: 3 } }]) {
      assert.deepEqual(podDecoder().fromJson(value).images, [])
    }
  })

  it('reads the same from both encodings, whatever the pod', () => {
    const text = fc.string({ unit: 'grapheme', maxLength: 30 })
    const containers = fc.array(fc.record({ name: text, image: text, imageID: text }), { maxLength: 3 })
    const plan = fc.record(
      {
        namespace: text,
        containers,
        initContainers: containers,
        sidecars: containers,
        ephemeralContainers: containers,
        imageVolumes: fc.array(fc.record({ name: text, reference: text, pullPolicy: text }), {
          maxLength: 2,
        }),
        labels: fc.dictionary(fc.constantFrom('app', 'pod-template-hash', 'pod-template-has', 'x'), text),
        owner: fc.record({ kind: text, name: text, apiVersion: text, uid: text }),
        node: text,
        status: fc.boolean(),
      },
      { requiredKeys: [] },
    )
    fc.assert(
      fc.property(text, plan, (name, one) => {
        const [fromJson, fromProtobuf] = bothSlices(stored(name, one))
        assert.deepEqual(fromProtobuf, fromJson)
      }),
      { numRuns: 300 },
    )
  })
})
