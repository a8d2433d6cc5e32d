import assert from 'node:assert/strict'
import { setTimeout as delay } from 'node:timers/promises'
import { CompanionChurn } from '../kit/companion-churn.ts'
import { type Companion, startCompanion } from '../kit/companion.ts'
import type { ControlPlane } from '../kit/kubernetes/control-plane.ts'
import { requireKubernetes } from '../kit/kubernetes/shared.ts'
import { startControlPlane } from '../kit/kubernetes/start-control-plane.ts'
import { randomNumbers } from '../kit/plugin/churn.ts'

const AWAY_MS = 60_000

describe('while pods come and go, no event is lost or doubled', function () {
  this.timeout(360_000)
  const seed = Date.now() % 1_000_000
  const random = randomNumbers(seed)
  let cluster: ControlPlane
  let companion: Companion
  let churned: CompanionChurn

  let minute: Promise<void>

  /** In a cluster of its own, so that nobody waits for it. */
  async function awayForAMinute(): Promise<void> {
    const other = await startControlPlane()
    let [served, followed]: [Companion?, CompanionChurn?] = []
    try {
      served = await startCompanion(other)
      followed = await CompanionChurn.start({ cluster: other, seed: seed + 1, cli: true })
      await followed.during({
        gaps: 1,
        async run() {
          await other.apiServer.kill()
          await delay(AWAY_MS)
          await other.apiServer.start()
        },
      })
    } finally {
      await followed?.stop()
      await served?.stop()
      await other.stop()
    }
  }

  before(async function () {
    await requireKubernetes(this)
    minute = awayForAMinute()
    // The last test tells.
    minute.catch(() => undefined)
    // Not the shared one: these tests kill it.
    cluster = await startControlPlane()
    companion = await startCompanion(cluster)
    churned = await CompanionChurn.start({ cluster, seed, cli: true })
  })

  after(async () => {
    await churned?.stop()
    await companion?.stop()
    await cluster?.stop()
  })

  afterEach(async () => {
    if (cluster && !cluster.apiServer.running) await cluster.apiServer.start()
    if (companion?.pid === undefined) await companion?.start()
  })

  it('when nothing goes wrong', async () => {
    const { operations, events, exact } = await churned.during({
      run: () => delay(1000),
      gaps: 0,
      atLeast: 40,
    })
    assert.ok(
      exact && operations > 50 && events > 20,
      `${operations} operations, ${events} events, seed ${seed}`,
    )
  })

  it('when the companion is killed with kill -9 at random moments', async () => {
    const rounds = 3
    const { events, exact } = await churned.during({
      gaps: rounds,
      atLeast: 30,
      async run() {
        for (let round = 0; round < rounds; round += 1) {
          await delay(random() * 1000)
          await companion.restart()
        }
      },
    })
    assert.ok(exact && events > 20, `${events} events, seed ${seed}`)
  })

  it('when the companion is away for a while: then the difference is told, late', async () => {
    const { exact } = await churned.during({
      gaps: 1,
      async run() {
        assert.equal(await companion.terminate(), 0)
        await delay(4000)
        await companion.start()
      },
    })
    assert.ok(exact)
  })

  it('when the API server is killed under the watches', async () => {
    await churned.during({
      gaps: 2,
      async run() {
        for (let round = 0; round < 2; round += 1) {
          await cluster.apiServer.kill()
          await delay(random() * 1000)
          await cluster.apiServer.start()
          await delay(1000)
        }
      },
    })
  })

  it('when etcd is compacted and every resourceVersion is too old', async () => {
    await churned.during({ gaps: 1, run: () => cluster.expireResourceVersions() })
  })

  it('when the companion is killed while the API server is away', async () => {
    await churned.during({
      gaps: 1,
      async run() {
        await cluster.apiServer.kill()
        await companion.kill()
        const ready = companion.start()
        await delay(500)
        await cluster.apiServer.start()
        await ready
      },
    })
  })

  it('when the API server is away for a minute', () => minute)
})
