import assert from 'node:assert/strict'
import type { ControlPlane } from '../kit/kubernetes/control-plane.ts'
import { requireKubernetes } from '../kit/kubernetes/shared.ts'
import { startControlPlane } from '../kit/kubernetes/start-control-plane.ts'
import {
  expired,
  followChurn,
  forgotten,
  hungFor,
  killedFor,
  type FollowerFigures,
} from '../kit/plugin/follow-churn.ts'

const MINUTE_MS = 60_000
const MINUTES = Number(process.env['DECKWATCH_SOAK_MINUTES'] ?? 60)
/** Something happens to the API server about so often, in minutes. */
const FAULT_EVERY = 3
/** Past the time after which a follower opens a silent watch again. */
const HANG_MS = 100_000
/** Growth past which a follower would need a restart within months, in bytes an hour. */
const SLOPE_LIMIT = 8 * 1024 * 1024
const SETTLED_SHARE = 0.5

/** Bytes an hour by least squares over the later half, when the heap has found its size. */
function slope({ memory }: FollowerFigures): number {
  const late = memory.slice(Math.floor(memory.length * SETTLED_SHARE))
  const mean = (values: readonly number[]): number =>
    values.reduce((sum, value) => sum + value, 0) / values.length
  const [at, bytes] = [mean(late.map(([time]) => time)), mean(late.map(([, size]) => size))]
  const covariance = late.reduce((sum, [time, size]) => sum + (time - at) * (size - bytes), 0)
  const variance = late.reduce((sum, [time]) => sum + (time - at) ** 2, 0)
  return (covariance / variance) * 60 * MINUTE_MS
}

function mebibytes(bytes: number): number {
  return Math.round((bytes / 2 ** 20) * 10) / 10
}

describe(`the stream of kubectl images --follow over ${MINUTES} minutes (DECKWATCH_SOAK_MINUTES)`, () => {
  let cluster: ControlPlane

  before(async function () {
    await requireKubernetes(this)
    cluster = await startControlPlane()
  })

  after(() => cluster?.stop())

  it('adds up, and its memory stays where it is', async function () {
    const durationMs = MINUTES * MINUTE_MS
    this.timeout(2 * durationMs + 5 * MINUTE_MS)
    const seed = Date.now() % 1_000_000
    const faults = Array.from({ length: Math.floor(MINUTES / FAULT_EVERY) }, (_, index) => {
      const kill = killedFor(seed + index)
      return [kill, expired, forgotten(seed + index), hungFor(HANG_MS)][index % 4] ?? kill
    })
    const { operations, followers } = await followChurn({ cluster, durationMs, seed, pauseMs: 100, faults })
    const rows = followers.map((follower) => ({
      'kubectl images --follow': follower.args.join(' '),
      events: follower.events,
      outages: follower.outages,
      'peak, MiB': mebibytes(Math.max(...follower.memory.map(([, bytes]) => bytes))),
      'growth, MiB an hour': mebibytes(slope(follower)),
    }))
    console.log(`seed ${seed}: ${operations} operations on pods, ${faults.length} faults of the API server`)
    console.table(rows)
    // Over a few minutes the heap is still finding its size.
    if (MINUTES < 30) return
    for (const follower of followers) {
      const grown = slope(follower)
      assert.ok(grown <= SLOPE_LIMIT, `${follower.args.join(' ')} grows by ${mebibytes(grown)} MiB an hour`)
    }
  })
})
