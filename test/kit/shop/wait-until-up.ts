import { setTimeout as delay } from 'node:timers/promises'
import type { V1DaemonSet, V1Deployment, V1Job, V1Pod, V1StatefulSet } from '@kubernetes/client-node'
import { type KubectlCluster, kubectlOutput } from '../kubernetes/kubectl.ts'

const READY_LIMIT_MS = 180_000
const POLL_MS = 200

/** Waits until everything in these namespaces has come up, or throws with what has not after three minutes. */
export async function waitUntilUp(
  cluster: KubectlCluster,
  namespaces: readonly string[],
  signal?: AbortSignal,
): Promise<void> {
  let missing: readonly string[] = []
  for (const limit = Date.now() + READY_LIMIT_MS; Date.now() < limit;) {
    signal?.throwIfAborted()
    const found = await Promise.all(namespaces.map((namespace) => missingIn(cluster, namespace)))
    missing = found.flat()
    if (missing.length === 0) return
    await delay(POLL_MS, undefined, signal ? { signal } : {})
  }
  throw new Error(`not up after ${READY_LIMIT_MS / 1000} s: ${missing.join(', ')}`)
}

type Workload = V1Deployment | V1StatefulSet | V1DaemonSet | V1Job | V1Pod

async function missingIn(cluster: KubectlCluster, namespace: string): Promise<string[]> {
  const kinds = 'deployments,statefulsets,daemonsets,jobs,pods'
  const found = await kubectlOutput(cluster, ['get', kinds, `--namespace=${namespace}`, '--output=json'])
  const { items } = JSON.parse(found) as { items: Workload[] }
  return items
    .filter((workload) => !isUp(workload))
    .map(({ kind = '', metadata }) => `${kind.toLowerCase()}/${metadata?.name} in ${namespace}`)
}

function isUp(workload: Workload): boolean {
  switch (workload.kind) {
    case 'Deployment': {
      const { spec, status } = workload as V1Deployment
      return status?.availableReplicas === spec?.replicas && status?.replicas === spec?.replicas
    }
    case 'StatefulSet': {
      const { spec, status } = workload as V1StatefulSet
      return status?.readyReplicas === spec?.replicas
    }
    case 'DaemonSet': {
      const { status } = workload as V1DaemonSet
      return (
        status !== undefined &&
        status.desiredNumberScheduled > 0 &&
        status.numberReady === status.desiredNumberScheduled
      )
    }
    case 'Job':
      return (workload as V1Job).status?.succeeded === 1
    default: {
      const { status } = workload as V1Pod
      const ready = status?.conditions?.some(
        ({ type, status: value }) => type === 'Ready' && value === 'True',
      )
      return status?.phase === 'Succeeded' || ready === true
    }
  }
}
