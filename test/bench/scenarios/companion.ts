import type { V1Pod } from '@kubernetes/client-node'
import { setTimeout as delay } from 'node:timers/promises'
import { formatCount } from '../../../src/core/lib/bytes.ts'
import type { ControlPlane } from '../../kit/kubernetes/control-plane.ts'
import { createPods, deletePods } from '../../kit/kubernetes/seed.ts'
import { residentBytes, startBuiltCompanion } from '../companion.ts'
import { distribution } from '../distribution.ts'
import { type Finding, milliseconds } from '../finding.ts'
import type { Scenario } from '../scenario.ts'

const READY_BAR_MS = 5000
const MEMORY_BAR = 220e6
/** What a heap that finds its size may still grow by, in bytes a minute. */
const FLAT = 2e6
const PODS_PER_SECOND = 20
/** How long a pod of the churn lives. */
const LIFE_PODS = 200
const NAMESPACE = 'bench-churn'

/** The companion on a big cluster: how soon it is ready, and its memory while pods come and go. */
export const companionScenario: Scenario = {
  name: 'companion',
  about: 'the companion over 10,000 pods: time to ready, and memory under a churn of 20 pods a second',
  cluster: 'large',
  async run({ cluster: { control }, size, quick }) {
    const companion = await startBuiltCompanion(control)
    try {
      const again: number[] = []
      for (let round = 0; round < (quick ? 1 : 3); round++) {
        await companion.kill()
        const started = performance.now()
        await companion.start()
        again.push(performance.now() - started)
      }
      const fresh: number[] = []
      for (let round = 0; round < (quick ? 1 : 3); round++) {
        const started = performance.now()
        const other = await startBuiltCompanion(control, {
          register: false,
          namespace: `bench-fresh-${round}`,
        })
        fresh.push(performance.now() - started)
        await other.stop()
      }
      const pods = formatCount(size.pods)
      return [
        readiness(`companion over ${pods} pods: from its start to ready, nothing kept`, fresh),
        readiness('the same with its store', again),
        ...(await churnMemory(control, companion.pid, quick ? 30 : 300)),
      ]
    } finally {
      await companion.stop()
    }
  },
}

function readiness(what: string, times: readonly number[]): Finding {
  const { median } = distribution(times)
  return {
    what,
    ours: milliseconds(median),
    bar: { text: `≤ ${READY_BAR_MS / 1000} s`, met: median <= READY_BAR_MS },
  }
}

async function churnMemory(
  control: ControlPlane,
  pid: number | undefined,
  seconds: number,
): Promise<readonly Finding[]> {
  const samples: { readonly minute: number; readonly bytes: number }[] = []
  const living: V1Pod[] = []
  const started = performance.now()
  try {
    for (let made = 0; performance.now() - started < seconds * 1000; made++) {
      const pod = churnPod(made)
      await createPods(control, [pod])
      living.push(pod)
      if (living.length > LIFE_PODS) await deletePods(control, living.splice(0, 1))
      if (made % PODS_PER_SECOND === 0) {
        samples.push({ minute: (performance.now() - started) / 60_000, bytes: residentBytes(pid) })
      }
      const ahead = ((made + 1) * 1000) / PODS_PER_SECOND - (performance.now() - started)
      if (ahead > 0) await delay(ahead)
    }
  } finally {
    await deletePods(control, living)
  }
  const later = samples.slice(samples.length / 2)
  const most = Math.max(...later.map(({ bytes }) => bytes))
  const slope = slopeOf(later)
  return [
    {
      what: `its memory after ${seconds / 60} min of ${PODS_PER_SECOND} pods/s, the most in the later half`,
      ours: `${Math.round(most / 1e6)} MB`,
      bar: { text: `≤ ${MEMORY_BAR / 1e6} MB`, met: most <= MEMORY_BAR },
    },
    {
      what: 'growth in the later half',
      ours: `${(slope / 1e6).toFixed(1)} MB/min`,
      bar: { text: `≤ ${FLAT / 1e6} MB/min`, met: slope <= FLAT },
    },
  ]
}

/** Bytes a minute, by least squares. */
function slopeOf(samples: readonly { readonly minute: number; readonly bytes: number }[]): number {
  const mean = (values: readonly number[]): number =>
    values.reduce((sum, value) => sum + value, 0) / values.length
  const [x, y] = [mean(samples.map(({ minute }) => minute)), mean(samples.map(({ bytes }) => bytes))]
  const over = samples.reduce((sum, { minute, bytes }) => sum + (minute - x) * (bytes - y), 0)
  return over / samples.reduce((sum, { minute }) => sum + (minute - x) ** 2, 0)
}

/** A fifth of the images are new, as after a deployment; the others are known. */
function churnPod(index: number): V1Pod {
  const name = `churn-${String(index).padStart(5, '0')}`
  const image = index % 5 === 0 ? `registry.example.com/${name}:1` : 'registry.example.com/churn:1'
  return {
    metadata: { name, namespace: NAMESPACE },
    spec: { nodeName: 'bulk-node-000', containers: [{ name: 'app', image }] },
    status: { phase: 'Running' },
  }
}
