import type { V1Pod } from '@kubernetes/client-node'
import { setTimeout as delay } from 'node:timers/promises'
import { formatCount } from '../../../src/core/lib/bytes.ts'
import { ensureNamespace } from '../../kit/kubernetes/namespaces.ts'
import { deletePods } from '../../kit/kubernetes/seed.ts'
import { distribution } from '../distribution.ts'
import { type Finding, memory, milliseconds } from '../finding.ts'
import { LineWatcher } from '../line-watcher.ts'
import type { Scenario } from '../scenario.ts'

const BAR_P99_MS = 250
const PAUSE_MS = 20
const NAMESPACE = 'bench-follow'

/** The stream over a big cluster: its memory, and the time from asking for a pod's creation to its line. */
export const followScenario: Scenario = {
  name: 'follow',
  about: 'kubectl-images -A --follow over 10,000 pods beside kubectl get pods -A --watch: memory and delay',
  cluster: 'large',
  async run({ programs, cluster: { control, kubectl, env }, size, quick }) {
    const pods = Array.from({ length: quick ? 100 : 500 }, (_, index) => delayedPod(index))
    const key = (line: string): string | undefined => /\bdelay-\d{4}\b/.exec(line)?.[0]
    const ours = new LineWatcher({ argv: [programs.compiled, '-A', '--follow'], env }, key)
    const watch = ['get', 'pods', '-A', '--watch', '--no-headers']
    const theirs = new LineWatcher({ argv: [kubectl, ...watch], env }, key)
    try {
      await ours.until('the end of the initial set', ({ errors }) => errors.includes('following'))
      await theirs.until('the list', ({ lines }) => lines >= size.pods)
      await ensureNamespace(control.admin, NAMESPACE)
      const delays = { ours: [] as number[], theirs: [] as number[] }
      for (const pod of pods) {
        const name = pod.metadata?.name ?? ''
        const asked = performance.now()
        await control.admin.text('POST', `/api/v1/namespaces/${NAMESPACE}/pods`, pod)
        await ours.until(name, (watcher) => watcher.seenAt(name) !== undefined)
        await theirs.until(name, (watcher) => watcher.seenAt(name) !== undefined)
        delays.ours.push((ours.seenAt(name) ?? Number.NaN) - asked)
        delays.theirs.push((theirs.seenAt(name) ?? Number.NaN) - asked)
        await delay(PAUSE_MS * Math.random())
      }
      const rival = 'kubectl get pods -A --watch'
      const [our, their] = [distribution(delays.ours), distribution(delays.theirs)]
      const lateness: Finding = {
        what: '--follow: from asking for a pod to its line, 99th percentile',
        ours: milliseconds(our.p99),
        rival: { name: rival, result: milliseconds(their.p99) },
        ratio: { median: our.median / their.median, min: our.min / their.min },
        bar: { text: `≤ ${BAR_P99_MS} ms`, met: our.p99 <= BAR_P99_MS },
      }
      const what = `kubectl-images -A --follow, ${formatCount(size.pods)} pods: peak memory`
      return [memory(what, ours.peak, { name: rival, bytes: theirs.peak }, 150), lateness]
    } finally {
      await Promise.all([ours.stop(), theirs.stop()])
      await deletePods(control, pods)
    }
  },
}

/** Its image has its name, so that the image's line can be told by it. */
function delayedPod(index: number): V1Pod {
  const name = `delay-${String(index).padStart(4, '0')}`
  return {
    metadata: { name, namespace: NAMESPACE },
    spec: {
      nodeName: 'bulk-node-000',
      containers: [{ name: 'app', image: `registry.example.com/${name}:1` }],
    },
  }
}
