import assert from 'node:assert/strict'
import { CustomObjectsApi, KubeConfig, makeInformer, type KubernetesObject } from '@kubernetes/client-node'
import { eventually } from '../kit/aggregated/eventually.ts'
import { buildInformer, type Informer, startInformer } from '../kit/aggregated/informer.ts'
import { MemoryResource } from '../kit/aggregated/memory-resource.ts'
import { type Aggregated, startAggregated } from '../kit/aggregated/start-aggregated.ts'
import type { ControlPlane } from '../kit/kubernetes/control-plane.ts'
import { requireCluster } from '../kit/kubernetes/shared.ts'

const NAMESPACE = 'api-clients'
const GROUP = { group: 'deckwatch.dev', version: 'v1alpha1', plural: 'widgets' } as const

describe('informers over the aggregated API behind a real API server', () => {
  let cluster: ControlPlane
  let aggregated: Aggregated
  let program: string
  let widgets: MemoryResource

  before(async function () {
    cluster = await requireCluster(this)
    widgets = new MemoryResource()
    // The first run on a machine builds the program.
    program = await buildInformer()
    aggregated = await startAggregated(cluster, [widgets.resource])
  })
  after(() => aggregated?.stop())

  beforeEach(() => {
    for (const name of ['a', 'b']) widgets.put({ name, namespace: NAMESPACE })
  })

  for (const watchList of [true, false]) {
    describe(`client-go’s ${watchList ? 'with streamed lists (KEP-3157)' : 'with lists and watches'}`, () => {
      let informer: Informer

      afterEach(() => informer?.stop())

      const events = (): readonly string[] =>
        informer.lines.map(({ event, key = '' }) => `${event} ${key}`.trim())
      const told = (...expected: string[]): Promise<void> =>
        informer.until(() => expected.every((line) => events().includes(line)))

      it('knows what is there, and is told what comes, changes and goes', async () => {
        informer = startInformer(program, {
          kubeconfig: cluster.adminKubeconfig,
          resource: 'widgets',
          watchList,
        })
        await told('synced')
        assert.deepEqual(events().toSorted(), [`added ${NAMESPACE}/a`, `added ${NAMESPACE}/b`, 'synced'])
        assert.ok(informer.lines.filter(({ event }) => event === 'added').every(({ initial }) => initial))
        widgets.put({ name: 'c', namespace: NAMESPACE })
        widgets.put({ name: 'c', namespace: NAMESPACE, color: 'blue' })
        await told(`modified ${NAMESPACE}/c`)
        widgets.remove('c', NAMESPACE)
        await told(`deleted ${NAMESPACE}/c`)
        assert.deepEqual(events().slice(3), [
          `added ${NAMESPACE}/c`,
          `modified ${NAMESPACE}/c`,
          `deleted ${NAMESPACE}/c`,
        ])
      })

      it('goes on after its version has expired', async () => {
        informer = startInformer(program, {
          kubeconfig: cluster.adminKubeconfig,
          resource: 'widgets',
          watchList,
        })
        await told('synced')
        await eventually('its watch', () => widgets.watchers > 0)
        widgets.expire()
        widgets.put({ name: 'after', namespace: NAMESPACE })
        await told(`added ${NAMESPACE}/after`)
        widgets.remove('after', NAMESPACE)
        await told(`deleted ${NAMESPACE}/after`)
      })
    })
  }

  it('@kubernetes/client-node’s knows what is there, and is told what comes, changes and goes', async () => {
    const config = new KubeConfig()
    config.loadFromFile(cluster.adminKubeconfig)
    const api = config.makeApiClient(CustomObjectsApi)
    const told: string[] = []
    const informer = makeInformer<KubernetesObject>(
      config,
      `/apis/deckwatch.dev/v1alpha1/namespaces/${NAMESPACE}/widgets`,
      () => api.listNamespacedCustomObject({ ...GROUP, namespace: NAMESPACE }),
    )
    for (const event of ['add', 'update', 'delete'] as const) {
      informer.on(event, (object) => told.push(`${event} ${object.metadata?.name}`))
    }
    await informer.start()
    try {
      assert.deepEqual(told.toSorted(), ['add a', 'add b'])
      await eventually('its watch', () => widgets.watchers > 0)
      widgets.put({ name: 'c', namespace: NAMESPACE })
      widgets.put({ name: 'c', namespace: NAMESPACE, color: 'blue' })
      widgets.remove('c', NAMESPACE)
      await eventually('the end of c', () => told.includes('delete c'))
      assert.deepEqual(told.slice(2), ['add c', 'update c', 'delete c'])
      assert.equal(informer.list().length, 2)
    } finally {
      await informer.stop()
    }
  })
})
