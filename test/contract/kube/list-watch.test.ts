import * as fc from 'fast-check'
import assert from 'node:assert/strict'
import { connect } from '../../../src/core/kube/connect.ts'
import { loadConnection } from '../../../src/core/kube/kubeconfig.ts'
import { listWatch } from '../../../src/core/kube/list-watch.ts'
import { podSource } from '../../../src/core/kube/pod-list.ts'
import { systemClock } from '../../../src/core/lib/time.ts'
import { type FakeApi, startFakeApi } from '../../kit/fake-api/fake-api.ts'
import { fakeTransport } from '../../kit/fake-api/fake-transport.ts'
import { buildPod } from '../../kit/fake-api/pod-builder.ts'
import type { ControlPlane } from '../../kit/kubernetes/control-plane.ts'
import { ensureNamespace } from '../../kit/kubernetes/namespaces.ts'
import { requireKubernetes } from '../../kit/kubernetes/shared.ts'
import { startControlPlane } from '../../kit/kubernetes/start-control-plane.ts'
import { EventFold } from './event-fold.ts'
import { checkListWatch, type WatchedServer } from './check-list-watch.ts'

describe('list + watch against the fake API server', () => {
  let api: FakeApi
  before(async () => {
    api = await startFakeApi()
  })
  after(() => api.stop())

  for (const protobuf of [true, false]) {
    describe(protobuf ? 'in protobuf' : 'in JSON', () => checkListWatch(() => fakeServer(api), protobuf))
  }

  it('adds up to what is there after any sequence of changes and faults', async function () {
    this.timeout(300_000)
    const name = fc.constantFrom('a', 'b', 'c', 'd')
    const step = fc.oneof(
      { weight: 4, arbitrary: fc.record({ does: fc.constant('put' as const), name }) },
      { weight: 3, arbitrary: fc.record({ does: fc.constant('remove' as const), name }) },
      {
        weight: 3,
        arbitrary: fc.record({
          does: fc.constantFrom(
            'drop',
            'expire',
            'end',
            'bookmark',
            'pause',
            'garbage',
            'duplicates',
            'half',
          ),
          name,
        }),
      },
    )
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), fc.boolean(), async (steps, protobuf) => {
        await followSteps(steps, protobuf)
      }),
      { numRuns: 60 },
    )
  })
})

describe('list + watch against a real API server', () => {
  let cluster: ControlPlane | undefined
  before(async function () {
    await requireKubernetes(this)
    // One of its own, for it is killed again and again.
    cluster = await startControlPlane({ controllers: 'none' })
  })
  after(() => cluster?.stop())

  for (const protobuf of [true, false]) {
    describe(protobuf ? 'in protobuf' : 'in JSON', () => {
      // What differs between the encodings is checked in full above.
      checkListWatch(() => realServer(cluster ?? assert.fail('no control plane')), protobuf, protobuf)
    })
  }
})

async function followSteps(
  steps: readonly { readonly does: string; readonly name: string }[],
  protobuf: boolean,
): Promise<void> {
  const api = await startFakeApi()
  const stop = new AbortController()
  try {
    api.put(buildPod('at-start'))
    const events = listWatch({
      transport: await fakeTransport(api),
      source: podSource({ protobuf }),
      clock: systemClock,
      signal: stop.signal,
      pageSize: 2,
      times: { settleMs: 20, backoff: { firstMs: 1, maxMs: 4 } },
    })
    const fold = new EventFold()
    const reading = (async () => {
      for await (const event of events) {
        fold.apply(event)
        if (event.type === 'added' && event.object.name === 'sentinel') return
      }
    })()
    for (const { does, name } of steps) {
      take(api, does, name)
      if (does === 'pause') await new Promise((resolve) => setTimeout(resolve, 3))
    }
    api.faults.clear()
    api.put(buildPod('sentinel'))
    await reading
    assert.deepEqual(fold.contents, contentsOf(api))
  } finally {
    stop.abort()
    await api.stop()
  }
}

function take(api: FakeApi, does: string, name: string): void {
  const isWatch = /watch=true/
  switch (does) {
    case 'put':
      api.put(buildPod(name, { labels: { change: String(process.hrtime.bigint()) } }))
      break
    case 'remove':
      api.remove('Pod', 'default', name)
      break
    case 'drop':
      api.dropConnections()
      break
    case 'expire':
      api.expire()
      break
    case 'end':
      api.endWatches()
      break
    case 'bookmark':
      api.bookmark()
      break
    case 'garbage':
      api.faults.next(isWatch, { kind: 'garbage' })
      break
    case 'duplicates':
      api.faults.next(isWatch, { kind: 'duplicates' })
      break
    case 'half':
      api.faults.next(/\/pods/, { kind: 'cut', bytes: 1500, how: 'end' })
      break
    default:
      break
  }
}

function contentsOf(api: FakeApi, namespace?: string): ReadonlyMap<string, string> {
  const pods = api.list('Pod', namespace)
  return new Map(pods.map(({ metadata }) => [metadata.uid ?? '', metadata.resourceVersion ?? '']))
}

function fakeServer(api: FakeApi): WatchedServer {
  return {
    transport: () => fakeTransport(api),
    namespace: async () => `watched-${process.hrtime.bigint()}`,
    create: async (namespace, name) => void api.put(buildPod(name, { namespace })),
    change: async (namespace, name) => {
      api.put(buildPod(name, { namespace, labels: { change: `${process.hrtime.bigint()}` } }))
    },
    remove: async (namespace, name) => void api.remove('Pod', namespace, name),
    contents: async (namespace) => contentsOf(api, namespace),
    crash: () => api.down(),
    restart: () => api.up(),
    expire: async () => {
      api.expire()
      api.dropConnections()
    },
  }
}

interface PodMetadata {
  readonly metadata: { readonly uid: string; readonly resourceVersion: string }
}

function realServer(cluster: ControlPlane): WatchedServer {
  const { admin, adminKubeconfig, apiServer } = cluster
  const pods = (namespace: string): string => `/api/v1/namespaces/${namespace}/pods`
  return {
    transport: async () => connect(await loadConnection({ kubeconfig: adminKubeconfig })),
    namespace: async () => {
      const name = `watched-${process.hrtime.bigint()}`
      await ensureNamespace(admin, name)
      return name
    },
    create: async (namespace, name) => {
      const spec = { containers: [{ name: 'app', image: 'nginx:1.25' }] }
      await admin.send('POST', pods(namespace), { metadata: { name }, spec })
    },
    change: async (namespace, name) => {
      const labels = { change: String(process.hrtime.bigint()) }
      await admin.send('PATCH', `${pods(namespace)}/${name}`, { metadata: { labels } })
    },
    remove: async (namespace, name) => {
      await admin.send('DELETE', `${pods(namespace)}/${name}?gracePeriodSeconds=0`)
    },
    contents: async (namespace) => {
      const { items } = await admin.send<{ items: PodMetadata[] }>('GET', pods(namespace))
      return new Map(items.map(({ metadata }) => [metadata.uid, metadata.resourceVersion]))
    },
    crash: () => apiServer.kill(),
    restart: () => apiServer.start(),
    expire: () => cluster.expireResourceVersions(),
  }
}
