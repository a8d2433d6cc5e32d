import type { V1Pod } from '@kubernetes/client-node'
import { formatCount } from '../../../src/core/lib/bytes.ts'
import type { ControlPlane } from '../../kit/kubernetes/control-plane.ts'
import { ensureNamespace } from '../../kit/kubernetes/namespaces.ts'
import { deletePods } from '../../kit/kubernetes/seed.ts'
import { startBuiltCompanion } from '../companion.ts'
import { type Distribution, distribution } from '../distribution.ts'
import { comparison, type Finding, milliseconds } from '../finding.ts'
import { race } from '../race.ts'
import type { Scenario } from '../scenario.ts'
import { WatchClient } from '../watch-client.ts'

const NAMESPACE = 'bench-delay'
const WATCHERS = 100
const BAR_P99_MS = 250
const GROUP_VERSION = '/apis/deckwatch.dev/v1alpha1'

/** What asking the companion costs beside asking the API server itself. */
export const companionApiScenario: Scenario = {
  name: 'companion-api',
  about:
    'the companion asked through the API server: one GET, kubectl-images -A, and the delay to 100 watchers',
  cluster: 'large',
  async run({ programs, cluster: { control, env }, size, quick }) {
    const companion = await startBuiltCompanion(control)
    try {
      const gets = await raceGets(control, quick ? 100 : 1000)
      const expect = new RegExp(`(?:^registry\\.example\\.com/.*\\n){${size.images}}`, 'm')
      const contender = (companionFlag: string) => ({
        argv: [programs.compiled, '-A', `--companion=${companionFlag}`] as const,
        env,
        expect,
      })
      const lists = await race({ asked: contender('require'), unasked: contender('never') }, quick ? 3 : 15)
      return [
        comparison(
          'GET of an image through the API server',
          gets.image,
          { name: 'GET of a ConfigMap', times: gets.configMap },
          1.5,
        ),
        comparison(
          `kubectl-images -A with the companion, ${formatCount(size.pods)} pods`,
          lists.asked,
          { name: 'the same without', times: lists.unasked },
          0.3,
        ),
        await delayToWatchers(control, quick ? 50 : 300),
      ]
    } finally {
      await companion.stop()
    }
  },
}

async function raceGets(
  { admin }: ControlPlane,
  rounds: number,
): Promise<Record<'image' | 'configMap', Distribution>> {
  const { items } = await admin.send<{ items: { metadata: { name: string } }[] }>(
    'GET',
    `${GROUP_VERSION}/clusterimages`,
  )
  const paths = {
    image: `${GROUP_VERSION}/clusterimages/${items[0]?.metadata.name}`,
    configMap: '/api/v1/namespaces/default/configmaps/kube-root-ca.crt',
  }
  const times: Record<keyof typeof paths, number[]> = { image: [], configMap: [] }
  for (let round = -20; round < rounds; round++) {
    const names = round % 2 === 0 ? (['image', 'configMap'] as const) : (['configMap', 'image'] as const)
    for (const name of names) {
      const started = performance.now()
      await admin.text('GET', paths[name])
      if (round >= 0) times[name].push(performance.now() - started)
    }
  }
  return { image: distribution(times.image), configMap: distribution(times.configMap) }
}

async function delayToWatchers(control: ControlPlane, pods: number): Promise<Finding> {
  const { admin } = control
  await ensureNamespace(admin, NAMESPACE)
  const { metadata } = await admin.send<{ metadata: { resourceVersion: string } }>(
    'GET',
    `${GROUP_VERSION}/clusterimages?limit=1`,
  )
  const client = new WatchClient(control.url, watcherCredential(control))
  const asked = new Map<string, number>()
  const delays: number[] = []
  const made: V1Pod[] = []
  try {
    const path = `${GROUP_VERSION}/clusterimageevents?watch=true&resourceVersion=${metadata.resourceVersion}`
    for (let i = 0; i < WATCHERS; i++) {
      await client.open(path, (line) => {
        const name = /delay-\d{4}/.exec(line)?.[0] ?? ''
        const at = asked.get(name)
        if (at !== undefined) delays.push(performance.now() - at)
      })
    }
    for (let index = 0; index < pods; index++) {
      const pod = delayedPod(index)
      made.push(pod)
      asked.set(pod.metadata?.name ?? '', performance.now())
      await admin.text('POST', `/api/v1/namespaces/${NAMESPACE}/pods`, pod)
      await allTold(delays, (index + 1) * WATCHERS)
    }
    const { median, p99 } = distribution(delays)
    return {
      what: `from asking for a pod to its event at ${WATCHERS} watchers, 99th percentile (median ${milliseconds(median)})`,
      ours: milliseconds(p99),
      bar: { text: `≤ ${BAR_P99_MS} ms`, met: p99 <= BAR_P99_MS },
    }
  } finally {
    client.close()
    await deletePods(control, made)
  }
}

/** Waits until every watcher has told of every pod so far, for at most a minute. */
async function allTold(delays: readonly number[], wanted: number): Promise<void> {
  const until = performance.now() + 60_000
  while (delays.length < wanted) {
    if (performance.now() > until) throw new Error(`${delays.length} of ${wanted} events have come`)
    await new Promise((resolve) => {
      setTimeout(resolve, 5)
    })
  }
}

function watcherCredential({ authority }: ControlPlane) {
  const { certificate: cert, key } = authority.issue({
    commonName: 'watcher',
    organizations: ['system:masters'],
  })
  return { ca: authority.certificate, cert, key }
}

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
