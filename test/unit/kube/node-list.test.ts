import assert from 'node:assert/strict'
import { listNodes } from '../../../src/core/kube/node-list.ts'
import type { KubeTransport } from '../../../src/core/kube/transport.ts'
import { DeckError } from '../../../src/core/lib/errors.ts'
import { type FakeApi, startFakeApi } from '../../kit/fake-api/fake-api.ts'
import { fakeTransport } from '../../kit/fake-api/fake-transport.ts'
import { buildNode } from '../../kit/fake-api/pod-builder.ts'

describe('listing nodes', () => {
  let api: FakeApi
  let transport: KubeTransport

  beforeEach(async () => {
    api = await startFakeApi()
    transport = await fakeTransport(api)
  })
  afterEach(() => api.stop())

  const images = [
    { names: ['docker.io/library/nginx@sha256:aa', 'docker.io/library/nginx:1.25'], sizeBytes: 70_000_000 },
    { names: ['registry.example.com/models:7'], sizeBytes: 5_000_000_000_000 },
    { names: [], sizeBytes: 0 },
  ]

  it('gives every name and size that a node reports, the same from both encodings', async () => {
    api.put(buildNode('node-1', images))
    api.put(buildNode('node-2'))
    const expected = [
      { name: 'node-1', images },
      { name: 'node-2', images: [] },
    ]
    assert.deepEqual(await listNodes(transport), expected)
    assert.deepEqual(await listNodes(transport, { protobuf: false, pageSize: 1 }), expected)
  })

  it('reads a node that reports nothing', async () => {
    api.put({ kind: 'Node', metadata: { name: 'new' } })
    for (const protobuf of [true, false]) {
      assert.deepEqual(await listNodes(transport, { protobuf }), [{ name: 'new', images: [] }])
    }
  })

  it('says which right is missing', async () => {
    api.faults.next('/api/v1/nodes', {
      kind: 'status',
      status: 403,
      reason: 'Forbidden',
      message: 'nodes is forbidden',
    })
    await assert.rejects(
      listNodes(transport),
      (error) => error instanceof DeckError && error.code === 'KUBE_FORBIDDEN',
    )
  })
})
