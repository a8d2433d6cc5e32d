import assert from 'node:assert/strict'
import { setTimeout as delay } from 'node:timers/promises'
import { CompanionChurn, type ChurnFault } from '../kit/companion-churn.ts'
import { type Companion, startCompanion } from '../kit/companion.ts'
import type { ControlPlane } from '../kit/kubernetes/control-plane.ts'
import { requireKubernetes } from '../kit/kubernetes/shared.ts'
import { startControlPlane } from '../kit/kubernetes/start-control-plane.ts'
import { randomNumbers } from '../kit/plugin/churn.ts'

const MINUTE_MS = 60_000
const MINUTES = Number(process.env['DECKWATCH_SOAK_MINUTES'] ?? 60)
const KILLS_A_ROUND = 5
/** Past the time after which the companion opens a silent watch again. */
const HANG_MS = 100_000

describe(`the companion's journal over ${MINUTES} minutes of churn (DECKWATCH_SOAK_MINUTES)`, () => {
  const seed = Date.now() % 1_000_000
  const random = randomNumbers(seed)
  let cluster: ControlPlane
  let companion: Companion
  let churned: CompanionChurn

  before(async function () {
    await requireKubernetes(this)
    cluster = await startControlPlane()
    companion = await startCompanion(cluster)
    churned = await CompanionChurn.start({ cluster, seed, cli: true, pauseMs: 80 })
  })

  after(async () => {
    await churned?.stop()
    await companion?.stop()
    await cluster?.stop()
  })

  const away = async (ms: number): Promise<void> => {
    await cluster.apiServer.kill()
    await delay(ms)
    await cluster.apiServer.start()
  }
  const faults: readonly (readonly [name: string, fault: ChurnFault])[] = [
    [
      'companion killed',
      {
        gaps: KILLS_A_ROUND,
        async run() {
          for (let kill = 0; kill < KILLS_A_ROUND; kill += 1) {
            await delay(random() * 5000)
            await companion.restart()
          }
        },
      },
    ],
    ['API server killed', { gaps: 1, run: () => away(random() * 2000) }],
    [
      'companion away',
      {
        gaps: 1,
        async run() {
          await companion.terminate()
          await delay(30_000)
          await companion.start()
        },
      },
    ],
    ['resourceVersions expired', { gaps: 1, run: () => cluster.expireResourceVersions() }],
    [
      'API server hung',
      {
        gaps: 1,
        async run() {
          cluster.apiServer.pause()
          await delay(HANG_MS)
          cluster.apiServer.resume()
        },
      },
    ],
    ['API server away', { gaps: 1, run: () => away(MINUTE_MS) }],
  ]

  it('tells every event once, whatever fails', async function () {
    const durationMs = MINUTES * MINUTE_MS
    this.timeout(2 * durationMs + 10 * MINUTE_MS)
    const until = Date.now() + durationMs
    const rows: Record<string, unknown>[] = []
    for (let round = 0; Date.now() < until; round += 1) {
      const [name, fault] = faults[round % faults.length] ?? []
      if (!fault) break
      const figures = await churned.during({ ...fault, aroundMs: 20_000 })
      rows.push({ fault: name, ...figures })
    }
    console.log(`seed ${seed}`)
    console.table(rows)
    assert.ok(rows.every(({ operations }) => Number(operations) > 0))
  })
})
