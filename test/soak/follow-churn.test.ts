import assert from 'node:assert/strict'
import type { ControlPlane } from '../kit/kubernetes/control-plane.ts'
import { requireKubernetes } from '../kit/kubernetes/shared.ts'
import { startControlPlane } from '../kit/kubernetes/start-control-plane.ts'
import { followChurn, killedFor, type FollowerFigures } from '../kit/plugin/follow-churn.ts'

const MINUTE_MS = 60_000
const MINUTES = Number(process.env['DECKWATCH_SOAK_MINUTES'] ?? 60)
/** An API server that is killed about so often, in minutes. */
const FAULT_EVERY = 3
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
    const faults = Array.from({ length: Math.floor(MINUTES / FAULT_EVERY) }, (_, i) => killedFor(seed + i))
    const { operations, followers } = await followChurn({ cluster, durationMs, seed, pauseMs: 100, faults })
    const rows = followers.map((follower) => {
      const peak = Math.max(...follower.memory.map(([, bytes]) => bytes))
      const { args, events, outages } = follower
      return {
        args: args.join(' '),
        events,
        outages,
        peakMiB: Math.round(peak / 2 ** 20),
        slope: slope(follower),
      }
    })
    process.stdout.write(`seed ${seed}, ${operations} operations, ${faults.length} kills\n`)
    for (const { args, events, outages, peakMiB, slope: growth } of rows) {
      const perHour = `${(growth / 2 ** 20).toFixed(1)} MiB an hour`
      process.stdout.write(
        `${args}: ${events} events, ${outages} outages, peak ${peakMiB} MiB, growth ${perHour}\n`,
      )
    }
    // Over a few minutes the heap is still finding its size.
    if (MINUTES >= 30) for (const row of rows) assert.ok(row.slope <= SLOPE_LIMIT, JSON.stringify(row))
  })
})
