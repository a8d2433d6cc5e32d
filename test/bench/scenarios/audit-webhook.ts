import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import process from 'node:process'
import type { ControlPlane } from '../../kit/kubernetes/control-plane.ts'
import { COMPANION_NAMESPACE } from '../../kit/companion.ts'
import { ensureNamespace } from '../../kit/kubernetes/namespaces.ts'
import { type RunningWebhook, startBareWebhook } from '../bare-webhook.ts'
import { peakOf } from '../command.ts'
import { startBuiltCompanion } from '../companion.ts'
import { distribution } from '../distribution.ts'
import { type Finding, milliseconds } from '../finding.ts'
import { ReviewBodies, REVIEWED_NAMESPACES } from '../review-bodies.ts'
import { type LoadResult, sendReviews } from '../review-load.ts'
import type { Scenario } from '../scenario.ts'

const PER_SECOND = 200
const BURST = 2000
const BURST_MS = 2000
const BAR = { p50: 2.5, p99: 8, peakMB: 300 }
const WARM_UP = 400

/** What the webhook takes to make a review durable and answer it, alone and in a whole companion, on one core. */
export const auditWebhookScenario: Scenario = {
  name: 'audit-webhook',
  about: `${PER_SECOND} reviews a second of 20–30 kB, durable before the answer, on one core; a burst of ${BURST}`,
  cluster: 'small',
  async run({ cluster: { control }, quick }) {
    const reviews = quick ? 600 : 6000
    for (const name of REVIEWED_NAMESPACES) await ensureNamespace(control.admin, name)
    const cores = availableParallelism()
    const others = [process.pid, ...control.folder.pids]
    try {
      // Who asks is elsewhere, where there is an elsewhere, and so is the cluster.
      if (cores > 1) for (const pid of others) onCores(pid, `1-${cores - 1}`)
      const floor = await measure(() => startBareWebhook(control, 'answer'), reviews)
      const alone = await measure(() => startBareWebhook(control, 'record'), reviews)
      const whole = await measure(() => startWhole(control), reviews)
      return [
        ...steady('webhook and journal alone', alone, floor, false),
        ...steady('whole companion', whole, floor, true),
        ...burst('webhook and journal alone', alone),
        ...burst('whole companion', whole),
      ]
    } finally {
      for (const pid of others) onCores(pid, `0-${cores - 1}`)
    }
  },
}

interface Measured {
  readonly steady: LoadResult
  readonly burst: LoadResult
  /** Of those of the burst, as far as that can be counted. */
  readonly kept: number
  readonly peakBytes: number
  /** Of all threads, for each review of the steady load. */
  readonly cpuMicroseconds: number
}

async function measure(start: () => Promise<RunningWebhook>, reviews: number): Promise<Measured> {
  const bodies = new ReviewBodies()
  const some = (count: number): Buffer[] => Array.from({ length: count }, () => bodies.next())
  const webhook = await start()
  try {
    onCores(webhook.pid, '0')
    await sendReviews(webhook.url, some(WARM_UP), poisson(PER_SECOND))
    const cpu = cpuSeconds(webhook.pid)
    const steadily = await sendReviews(webhook.url, some(reviews), poisson(PER_SECOND))
    const cpuMicroseconds = ((cpuSeconds(webhook.pid) - cpu) * 1e6) / reviews
    const before = webhook.kept?.() ?? 0
    const atOnce = await sendReviews(webhook.url, some(BURST), () => BURST_MS / BURST)
    const kept = webhook.kept ? webhook.kept() - before : atOnce.ids.size
    return { steady: steadily, burst: atOnce, kept, peakBytes: peakOf(webhook.pid), cpuMicroseconds }
  } finally {
    await webhook.stop()
  }
}

/** What all threads of a process have used so far; Linux counts in hundredths (proc(5), fields 14 and 15). */
function cpuSeconds(pid: number | undefined): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
  return (Number(fields[11]) + Number(fields[12])) / 100
}

function poisson(perSecond: number): () => number {
  return () => (-Math.log(1 - Math.random()) * 1000) / perSecond
}

/** Every thread of a process on these cores alone. */
function onCores(pid: number | undefined, cores: string): void {
  execFileSync('taskset', ['--all-tasks', '--cpu-list', '--pid', cores, String(pid)], { stdio: 'ignore' })
}

async function startWhole(control: ControlPlane): Promise<RunningWebhook> {
  const companion = await startBuiltCompanion(control, { components: ['api', 'audit-log'] })
  const { data } = await control.admin.send<{ data: { path: string } }>(
    'GET',
    `/api/v1/namespaces/${COMPANION_NAMESPACE}/secrets/deckwatch-audit-log`,
  )
  const segment = Buffer.from(data.path, 'base64').toString('utf8')
  return { url: `${companion.url}/audit/${segment}`, pid: companion.pid, stop: () => companion.stop() }
}

function steady(what: string, ours: Measured, floor: Measured, hasBar: boolean): Finding[] {
  const [mine, least] = [distribution(ours.steady.times), distribution(floor.steady.times)]
  const lost = ours.steady.times.length - ours.steady.ids.size
  const rival = 'the same listener, answering only'
  const time = (name: string, value: number, floorValue: number, bar: number): Finding => ({
    what: `${what}, ${PER_SECOND} reviews/s: ${name}${lost > 0 ? ` (${lost} NOT RECORDED)` : ''}`,
    ours: milliseconds(value),
    rival: { name: rival, result: milliseconds(floorValue) },
    ratio: { median: value / floorValue },
    ...(hasBar ? { bar: { text: `≤ ${bar} ms`, met: value <= bar && lost === 0 } } : {}),
  })
  return [
    time('median', mine.median, least.median, BAR.p50),
    time('99th percentile', mine.p99, least.p99, BAR.p99),
    {
      what: `${what}: CPU of all threads for a review`,
      ours: `${Math.round(ours.cpuMicroseconds)} µs`,
      rival: { name: rival, result: `${Math.round(floor.cpuMicroseconds)} µs` },
      ratio: { median: ours.cpuMicroseconds / floor.cpuMicroseconds },
    },
  ]
}

function burst(what: string, { burst: sent, kept, peakBytes }: Measured): Finding[] {
  const { median, p99 } = distribution(sent.times)
  return [
    {
      what: `${what}, ${BURST} reviews in ${BURST_MS / 1000} s: lost (median ${milliseconds(median)}, 99th percentile ${milliseconds(p99)})`,
      ours: String(BURST - Math.min(kept, sent.ids.size)),
      bar: { text: '0', met: kept === BURST && sent.ids.size === BURST && sent.refused === 0 },
    },
    {
      what: `${what}: largest memory`,
      ours: `${Math.round(peakBytes / 1e6)} MB`,
      bar: { text: `≤ ${BAR.peakMB} MB`, met: peakBytes <= BAR.peakMB * 1e6 },
    },
  ]
}
