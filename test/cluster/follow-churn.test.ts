import assert from 'node:assert/strict'
import type { ControlPlane } from '../kit/kubernetes/control-plane.ts'
import { requireKubernetes } from '../kit/kubernetes/shared.ts'
import { startControlPlane } from '../kit/kubernetes/start-control-plane.ts'
import { followChurn, forgotten, killedFor } from '../kit/plugin/follow-churn.ts'

const DURATION_MS = 40_000

describe('the stream of kubectl images --follow', () => {
  let cluster: ControlPlane

  before(async function () {
    await requireKubernetes(this)
    // Not the shared one: this test kills it.
    cluster = await startControlPlane()
  })

  after(() => cluster?.stop())

  it('adds up to what is there, while pods come and go at random and the API server is killed twice', async function () {
    this.timeout(10 * DURATION_MS)
    const seed = Date.now() % 1_000_000
    const faults = [killedFor(seed), forgotten(seed + 1)]
    const figures = await followChurn({ cluster, durationMs: DURATION_MS, seed, pauseMs: 50, faults })
    const told = `seed ${seed}: ${JSON.stringify(figures.followers.map(({ events, outages }) => ({ events, outages })))}`
    assert.ok(figures.operations > 100, `only ${figures.operations} operations; ${told}`)
    for (const { events, outages } of figures.followers) {
      assert.ok(events > 50, told)
      // A server that comes up may lose a watch once more.
      assert.ok(outages >= 2, told)
    }
  })
})
