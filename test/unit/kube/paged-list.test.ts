import assert from 'node:assert/strict'
import {
  type ListEnd,
  listJson,
  pagedList,
  type PagedListOptions,
} from '../../../src/core/kube/paged-list.ts'
import { listPods, podSource } from '../../../src/core/kube/pod-list.ts'
import type { KubeTransport } from '../../../src/core/kube/transport.ts'
import { DeckError, type ErrorCode } from '../../../src/core/lib/errors.ts'
import { systemClock } from '../../../src/core/lib/time.ts'
import type { PodSlice } from '../../../src/core/wire/pod.ts'
import { type FakeApi, type FakeApiOptions, startFakeApi } from '../../kit/fake-api/fake-api.ts'
import { fakeTransport } from '../../kit/fake-api/fake-transport.ts'
import { buildPod } from '../../kit/fake-api/pod-builder.ts'
import { ManualClock } from '../../kit/manual-clock.ts'

describe('a paged list', () => {
  const started: FakeApi[] = []
  let api: FakeApi
  let transport: KubeTransport

  async function start(options: FakeApiOptions = {}): Promise<void> {
    api = await startFakeApi(options)
    started.push(api)
    transport = await fakeTransport(api)
    for (let index = 0; index < 7; index++) api.put(buildPod(`web-${index}`, { namespace: 'shop' }))
  }

  beforeEach(() => start())
  afterEach(async () => {
    for (const one of started.splice(0)) await one.stop()
  })

  async function collect(
    list: AsyncGenerator<readonly PodSlice[], ListEnd>,
  ): Promise<{ names: string[]; end: ListEnd }> {
    const names: string[] = []
    for (;;) {
      const next = await list.next()
      if (next.done) return { names, end: next.value }
      names.push(...next.value.map((pod) => pod.name))
    }
  }

  const refused = (list: AsyncGenerator<readonly PodSlice[], ListEnd>, code: ErrorCode): Promise<void> =>
    assert.rejects(collect(list), (error) => error instanceof DeckError && error.code === code)

  const all = ['web-0', 'web-1', 'web-2', 'web-3', 'web-4', 'web-5', 'web-6']

  for (const protobuf of [true, false]) {
    const encoding = protobuf ? 'protobuf' : 'JSON'

    it(`gives every object once over its pages (${encoding})`, async () => {
      for (const pageSize of [1, 3, 7, 500, 0]) {
        const { names, end } = await collect(listPods(transport, { pageSize, protobuf }))
        assert.deepEqual(names, all)
        assert.equal(end.consistent, true)
        assert.match(end.resourceVersion, /^\d+$/)
      }
    })

    it(`asks for the next page while this one is still read (${encoding})`, async () => {
      const list = listPods(transport, { pageSize: 3, protobuf })
      // The first page breaks off after its metadata: only the token can have brought about the second request.
      api.faults.next('/api/v1/pods', { kind: 'cut', bytes: 600, how: 'stall' })
      const reading = list.next()
      while (api.requests.length < 2) await new Promise((resolve) => setTimeout(resolve, 1))
      assert.ok(api.requests[1]?.query.get('continue'))
      api.dropConnections()
      await assert.rejects(reading)
    })

    it(`never takes a part for the whole (${encoding})`, async () => {
      for (const how of ['close', 'end'] as const) {
        api.faults.next('/api/v1/pods', { kind: 'cut', bytes: 3000, how })
        await refused(
          listPods(transport, { protobuf }),
          how === 'close' ? 'KUBE_UNREACHABLE' : 'KUBE_PROTOCOL',
        )
      }
      api.faults.next('/api/v1/pods', { kind: 'content-length', more: 10 })
      await refused(listPods(transport, { protobuf }), 'KUBE_UNREACHABLE')
    })

    it(`reads a body that comes in drops (${encoding})`, async () => {
      api.faults.next('/api/v1/pods', { kind: 'drip', bytes: 997, everyMs: 1 })
      assert.deepEqual((await collect(listPods(transport, { protobuf }))).names, all)
    })
  }

  it('gives empty batches while the bytes of a JSON page come, about one a second', async () => {
    let now = 0
    // Each look at the clock finds it a quarter of a second later.
    const clock = { ...systemClock, now: () => (now += 250) }
    api.faults.next('/api/v1/pods', { kind: 'drip', bytes: 500, everyMs: 1 })
    const sizes: number[] = []
    const list = listPods(transport, { protobuf: false, clock })
    for await (const batch of list) sizes.push(batch.length)
    const last = sizes.pop()
    assert.equal(last, 7)
    assert.ok(sizes.length > 1, `${sizes.length} batches before the last`)
    assert.ok(sizes.every((size) => size === 0))
  })

  it('asks for protobuf first, or only for JSON when told so', async () => {
    await collect(listPods(transport))
    await collect(listPods(transport, { protobuf: false }))
    assert.deepEqual(
      api.requests.map(({ accept }) => accept),
      ['application/vnd.kubernetes.protobuf,application/json', 'application/json'],
    )
  })

  it('reads what the server chose to send', async () => {
    await start({ protobuf: false })
    assert.deepEqual((await collect(listPods(transport))).names, all)
  })

  it('passes on namespace and selectors', async () => {
    api.put(buildPod('db-0', { namespace: 'data', labels: { app: 'db', tier: 'a b' } }))
    api.put(buildPod('db-1', { namespace: 'data', labels: { app: 'db' }, node: 'node-2' }))
    assert.deepEqual((await collect(listPods(transport, { namespace: 'data' }))).names, ['db-0', 'db-1'])
    const labelSelector = 'app=db,!tier'
    assert.deepEqual((await collect(listPods(transport, { labelSelector }))).names, ['db-1'])
    const fieldSelector = 'spec.nodeName!=node-2,metadata.namespace=data'
    assert.deepEqual((await collect(listPods(transport, { fieldSelector, pageSize: 1 }))).names, ['db-0'])
  })

  describe('whose continue token expires on the way', () => {
    /** Reads the first page, lets `meanwhile` happen, and reads the rest. */
    async function interrupted(
      meanwhile: () => void,
      options: PagedListOptions = {},
    ): Promise<{ names: string[]; end: ListEnd }> {
      // The token of page two is used at once, so that page three is the first that can find it expired.
      api.faults.next((request) => request.query.has('continue'), {
        kind: 'status',
        status: 429,
        retryAfterSeconds: 1,
      })
      const clock = new ManualClock()
      const list = pagedList(transport, podSource(), { pageSize: 3, clock, random: () => 0, ...options })
      const first = await list.next()
      await clock.untilSleep((ms) => ms === 1000)
      meanwhile()
      await clock.advance(1000)
      const rest = await collect(list)
      assert.ok(!first.done)
      return { names: [...first.value.map((pod) => pod.name), ...rest.names], end: rest.end }
    }

    const changes = (): void => {
      api.remove('Pod', 'shop', 'web-0')
      api.remove('Pod', 'shop', 'web-1')
      api.put(buildPod('web-1', { namespace: 'shop' }))
      api.remove('Pod', 'shop', 'web-4')
      api.put(buildPod('web-9', { namespace: 'shop' }))
      api.expire()
    }
    const afterChanges = ['web-0', 'web-1', 'web-2', 'web-3', 'web-5', 'web-6', 'web-9']

    it('goes on after its last key, with the token of the 410', async () => {
      const { names, end } = await interrupted(changes)
      assert.deepEqual(names, afterChanges)
      assert.equal(end.consistent, false)
    })

    it('reads the rest in one page where the 410 has no token, without repeating a name', async () => {
      await start({ continuesExpiredLists: false })
      const { names, end } = await interrupted(changes)
      assert.deepEqual(names, afterChanges)
      assert.equal(end.consistent, false)
    })

    it('fails for a caller who needs one moment', async () => {
      await assert.rejects(
        interrupted(changes, { whenExpired: 'fail' }),
        (error) => error instanceof DeckError && error.code === 'KUBE_EXPIRED',
      )
    })
  })

  it('waits as long as a 429 asks for and tries again', async () => {
    const clock = new ManualClock()
    api.faults.next('/api/v1/pods', { kind: 'status', status: 429, retryAfterSeconds: 7 }, 2)
    const reading = collect(listPods(transport, { clock, random: () => 0 }))
    for (let time = 0; time < 2; time++) {
      await clock.untilSleep((ms) => ms === 7000)
      await clock.advance(7000)
    }
    assert.deepEqual((await reading).names, all)
    assert.equal(api.requests.length, 3)
  })

  it('gives up when the waits of a 429 add up to more than a minute', async () => {
    api.faults.always('/api/v1/pods', { kind: 'status', status: 429, retryAfterSeconds: 61 })
    await refused(listPods(transport, { clock: new ManualClock() }), 'KUBE_THROTTLED')
    assert.equal(api.requests.length, 1)
  })

  it('names other failures by what the server says, in either encoding', async () => {
    const cases: readonly (readonly [number, ErrorCode])[] = [
      [400, 'KUBE_BAD_REQUEST'],
      [401, 'KUBE_UNAUTHORIZED'],
      [403, 'KUBE_FORBIDDEN'],
      [404, 'KUBE_NOT_FOUND'],
      [500, 'KUBE_UNAVAILABLE'],
      [503, 'KUBE_UNAVAILABLE'],
    ]
    for (const [status, code] of cases) {
      for (const protobuf of [true, false]) {
        api.faults.next('/api/v1/pods', { kind: 'status', status, message: 'so it is' })
        await assert.rejects(
          collect(listPods(transport, { protobuf })),
          (error) => error instanceof DeckError && error.code === code && error.message.includes('so it is'),
        )
      }
    }
  })

  it('says so when something other than an API server answers', async () => {
    api.faults.next('/api/v1/pods', {
      kind: 'answer',
      status: 200,
      contentType: 'text/html',
      body: '<h1>sign in</h1>',
    })
    await refused(listPods(transport), 'KUBE_PROTOCOL')
    for (const body of ['{"kind":"Status"}', 'null', '[]', '{"items":{}}', '{"items":']) {
      api.faults.next('/api/v1/pods', { kind: 'answer', status: 200, contentType: 'application/json', body })
      await refused(listPods(transport), 'KUBE_PROTOCOL')
    }
  })

  it('reads a list without items as an empty one', async () => {
    const body = '{"kind":"PodList","apiVersion":"v1","metadata":{"resourceVersion":"5"},"items":null}'
    api.faults.next('/api/v1/pods', { kind: 'answer', status: 200, contentType: 'application/json', body })
    assert.deepEqual(await collect(listPods(transport)), {
      names: [],
      end: { resourceVersion: '5', consistent: true },
    })
  })

  it('ends its requests when the caller stops early', async () => {
    api.faults.next((request) => request.query.has('continue'), { kind: 'stall' })
    for await (const batch of listPods(transport, { pageSize: 2 })) {
      assert.equal(batch.length, 2)
      break
    }
    // A stalled request that was left open would keep the server from closing.
    await api.stop()
  })

  it('ends at once when its signal aborts, wherever it stands', async () => {
    const stalls: readonly Parameters<FakeApi['faults']['next']>[1][] = [
      { kind: 'stall' },
      { kind: 'cut', bytes: 0, how: 'stall' },
      { kind: 'cut', bytes: 2000, how: 'stall' },
      { kind: 'status', status: 429, retryAfterSeconds: 30 },
    ]
    for (const fault of stalls) {
      api.faults.next('/api/v1/pods', fault)
      const asked = api.requests.length
      const stop = new AbortController()
      const reading = collect(listPods(transport, { signal: stop.signal }))
      while (api.requests.length === asked) await new Promise((resolve) => setTimeout(resolve, 1))
      stop.abort()
      await assert.rejects(reading)
    }
  })

  it('lists other types as the objects they are', async () => {
    const owner = { kind: 'Deployment', name: 'web', apiVersion: 'apps/v1', uid: 'u', controller: true }
    for (const name of ['web-1', 'web-2', 'web-3']) {
      api.put({ kind: 'ReplicaSet', metadata: { name, namespace: 'shop', ownerReferences: [owner] } })
    }
    const sets: { metadata?: { name?: string; ownerReferences?: { name: string }[] } }[] = []
    const source = { path: '/apis/apps/v1/replicasets', purpose: { resource: 'replicasets.apps' } }
    for await (const batch of listJson<(typeof sets)[number]>(transport, source, { pageSize: 2 }))
      sets.push(...batch)
    assert.deepEqual(
      sets.map((set) => [set.metadata?.name, set.metadata?.ownerReferences?.[0]?.name]),
      [
        ['web-1', 'web'],
        ['web-2', 'web'],
        ['web-3', 'web'],
      ],
    )
  })
})
