import assert from 'node:assert/strict'
import { setTimeout as delay } from 'node:timers/promises'
import type { V1PodList } from '@kubernetes/client-node'
import { eventually } from '../kit/aggregated/eventually.ts'
import { CompanionBalancer } from '../kit/companion-balancer.ts'
import { CompanionChurn } from '../kit/companion-churn.ts'
import { registerCompanion, unregisterCompanion } from '../kit/companion-cluster.ts'
import { type Companion, companionPorts, startCompanion } from '../kit/companion.ts'
import type { ControlPlane } from '../kit/kubernetes/control-plane.ts'
import { requireKubernetes } from '../kit/kubernetes/shared.ts'
import { startControlPlane } from '../kit/kubernetes/start-control-plane.ts'
import { randomNumbers } from '../kit/plugin/churn.ts'

describe('two pods with the api and one with the data, while pods come and go', function () {
  this.timeout(360_000)
  const seed = Date.now() % 1_000_000
  const random = randomNumbers(seed)
  let cluster: ControlPlane
  let balancer: CompanionBalancer
  let churned: CompanionChurn
  const apis: Companion[] = []
  let data: Companion

  before(async function () {
    await requireKubernetes(this)
    cluster = await startControlPlane()
    const ports = await companionPorts()
    const options = { components: ['api'], peers: { 'image-graph': ports.peer }, register: false } as const
    apis.push(await startCompanion(cluster, options), await startCompanion(cluster, options))
    const [leafPort = 0] = apis.map((api) => api.ports.api)
    data = await startCompanion(cluster, { components: ['image-graph'], ports, leafPort })
    balancer = await CompanionBalancer.start(apis.map((api) => api.ports.api))
    await registerCompanion(cluster.admin, data.namespace, balancer.port)
    churned = await CompanionChurn.start({ cluster, seed, cli: true })
    // Those that the tokens of the processes are bound to.
    const { items } = await cluster.admin.send<V1PodList>('GET', '/api/v1/pods')
    for (const pod of items) churned.record.answered('put', pod)
  })

  after(async () => {
    await churned?.stop()
    if (balancer) await unregisterCompanion(cluster.admin, data.namespace, balancer.port)
    await balancer?.stop()
    for (const companion of [data, ...apis]) await companion?.stop()
    await cluster?.stop()
  })

  afterEach(async () => {
    for (const companion of [data, ...apis]) if (companion?.pid === undefined) await companion?.start()
  })

  it('tell everything once, by either api', async () => {
    const { events } = await churned.during({ run: () => delay(1000), gaps: 0, atLeast: 30 })
    assert.ok(events > 20, `${events} events, seed ${seed}`)
    for (const api of apis) assert.ok((balancer.taken.get(api.ports.api) ?? 0) > 0)
  })

  it('lose and double nothing when one api after the other is killed: clients go on at the other', async () => {
    const { events } = await churned.during({
      gaps: 0,
      atLeast: 30,
      async run() {
        for (const api of [...apis, ...apis]) {
          const other = apis.find((each) => each !== api)
          await delay(random() * 1000)
          await api.kill()
          // What is asked now only the other one can answer, be it by a connection that the API server has kept.
          // On a busy machine the API server may have given both up for a moment.
          await eventually('an answer of the other', async () => {
            const { exitCode } = await cluster.kubectl(['get', 'images', '-A'])
            return exitCode === 0
          })
          assert.equal(api.pid, undefined)
          assert.ok((balancer.taken.get(other?.ports.api ?? 0) ?? 0) > 0)
          await api.start()
        }
      },
    })
    assert.ok(events > 20, `${events} events, seed ${seed}`)
  })

  it('lose and double nothing when the data is killed: the difference is told, late, by both', async () => {
    const rounds = 2
    const { events } = await churned.during({
      gaps: rounds,
      atLeast: 30,
      async run() {
        for (let round = 0; round < rounds; round += 1) {
          await delay(random() * 1000)
          await data.restart()
          await delay(1000)
        }
      },
    })
    assert.ok(events > 20, `${events} events, seed ${seed}`)
  })

  it('lose and double nothing when all are killed in turn', async () => {
    await churned.during({
      gaps: 1,
      async run() {
        for (const companion of [apis[0], data, apis[1]]) {
          await companion?.restart()
          await delay(random() * 500)
        }
      },
    })
  })
})
