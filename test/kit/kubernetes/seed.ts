import type { V1Node, V1Pod } from '@kubernetes/client-node'
import { ApiStatusError } from './api-client.ts'
import type { ControlPlane } from './control-plane.ts'
import { ensureNamespace } from './namespaces.ts'

const PARALLEL = 8

type Cluster = Pick<ControlPlane, 'admin'>

/** A node that reports to have these images. */
export interface NodeSeed {
  readonly name: string
  /** As in `status.images`: every name and digest of an image, and its bytes. */
  readonly images?: readonly { readonly names: readonly string[]; readonly sizeBytes: number }[]
}

/** Makes Node objects, ready and with their images, behind which no kubelet stands. */
export async function createNodes(
  { admin }: Cluster,
  nodes: Iterable<NodeSeed>,
  signal?: AbortSignal,
): Promise<void> {
  await inParallel(nodes, async ({ name, images = [] }) => {
    const node: V1Node = {
      metadata: { name, labels: { 'kubernetes.io/hostname': name, 'kubernetes.io/os': 'linux' } },
    }
    await admin.text('POST', '/api/v1/nodes?fieldManager=kubelet', node, signal)
    const now = new Date()
    const status = {
      addresses: [{ type: 'InternalIP', address: '127.0.0.1' }],
      capacity: { cpu: '32', memory: '128Gi', pods: '500' },
      allocatable: { cpu: '32', memory: '128Gi', pods: '500' },
      conditions: [{ type: 'Ready', status: 'True', lastHeartbeatTime: now, lastTransitionTime: now }],
      images,
    }
    await admin.text('PATCH', `/api/v1/nodes/${name}/status?fieldManager=kubelet`, { status }, signal)
  })
}

/**
 * Makes pods over eight connections, and the namespaces they name; a pod's `status`, where it has one, is set
 * as its kubelet would. Give `spec.nodeName`, or a scheduler must be there.
 */
export async function createPods(
  { admin }: Cluster,
  pods: Iterable<V1Pod>,
  signal?: AbortSignal,
): Promise<void> {
  const namespaces = new Map<string, Promise<void>>()
  await inParallel(pods, async ({ status, ...pod }) => {
    const { namespace, name } = identity(pod)
    const made = namespaces.get(namespace) ?? ensureNamespace(admin, namespace)
    namespaces.set(namespace, made)
    await made
    const collection = `/api/v1/namespaces/${namespace}/pods`
    const created = await admin.send<V1Pod>(
      'POST',
      `${collection}?fieldManager=kube-controller-manager`,
      pod,
      signal,
    )
    if (!status) return
    // A PUT costs the API server a quarter less than a PATCH.
    const running = { ...created, status }
    await admin.text('PUT', `${collection}/${name}/status?fieldManager=kubelet`, running, signal)
  })
}

/** Deletes pods at once (grace 0, as no kubelet would ever confirm); those that are gone already are fine. */
export async function deletePods(
  { admin }: Cluster,
  pods: Iterable<V1Pod>,
  signal?: AbortSignal,
): Promise<void> {
  await inParallel(pods, async (pod) => {
    const { namespace, name } = identity(pod)
    try {
      await admin.text(
        'DELETE',
        `/api/v1/namespaces/${namespace}/pods/${name}?gracePeriodSeconds=0`,
        undefined,
        signal,
      )
    } catch (error) {
      if (!(error instanceof ApiStatusError && error.status === 404)) throw error
    }
  })
}

function identity({ metadata }: V1Pod): { readonly namespace: string; readonly name: string } {
  if (!metadata?.name) throw new Error('a seeded pod needs metadata.name')
  return { namespace: metadata.namespace ?? 'default', name: metadata.name }
}

/** The first failure ends it after what is under way. */
async function inParallel<Item>(items: Iterable<Item>, work: (item: Item) => Promise<void>): Promise<void> {
  const iterator = items[Symbol.iterator]()
  let failed = false
  const worker = async (): Promise<void> => {
    for (let next = iterator.next(); !next.done && !failed; next = iterator.next()) {
      try {
        await work(next.value)
      } catch (error) {
        failed = true
        throw error
      }
    }
  }
  await Promise.all(Array.from({ length: PARALLEL }, worker))
}
