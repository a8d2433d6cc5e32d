import { networkInterfaces } from 'node:os'
import { setTimeout as delay } from 'node:timers/promises'
import type { V1Pod } from '@kubernetes/client-node'
import { ApiStatusError, type ApiClient } from '../kubernetes/api-client.ts'
import type { ControlPlane } from '../kubernetes/control-plane.ts'
import { createNodes } from '../kubernetes/seed.ts'
import { skip } from '../skip.ts'

const LOOK_MS = 100
const NODE = 'paper-node'

/** The states that a paper pod can be in. */
export type PaperPodState = 'ready' | 'unready' | 'unpullable' | 'crashing' | 'unscheduled'

/**
 * Where no kubelet can run: gives the pods of a namespace a node and a state on paper. They have the address of this host,
 * so that what listens there answers for all of them. The cluster needs --enable-aggregator-routing, and all
 * controllers, so that pods go with their Deployment.
 */
export class PaperPods {
  /** Of every pod, from now on. */
  state: PaperPodState
  readonly namespace: string
  readonly #admin: ApiClient
  readonly #ending = new AbortController()
  readonly #running: Promise<void>

  private constructor(admin: ApiClient, namespace: string, state: PaperPodState) {
    this.#admin = admin
    this.namespace = namespace
    this.state = state
    this.#running = this.#run()
    // Whoever ends it is told.
    this.#running.catch(() => undefined)
  }

  /** Makes the node and begins. */
  static async start(
    cluster: Pick<ControlPlane, 'admin'>,
    namespace = 'deckwatch',
    state: PaperPodState = 'ready',
  ): Promise<PaperPods> {
    await createNodes(cluster, [{ name: NODE }])
    // The API server taints every new node as not ready, and no node lifecycle controller may be there to undo it.
    await cluster.admin.text('PATCH', `/api/v1/nodes/${NODE}`, { spec: { taints: null } })
    return new PaperPods(cluster.admin, namespace, state)
  }

  /** Ends it and removes its node; throws what it failed with. */
  async stop(): Promise<void> {
    this.#ending.abort()
    await this.#admin.text('DELETE', `/api/v1/nodes/${NODE}`)
    await this.#running
  }

  async #run(): Promise<void> {
    const { signal } = this.#ending
    while (!signal.aborted) {
      try {
        await this.#look()
      } catch (error) {
        // The API server is being restarted, or somebody was faster.
        if (error instanceof ApiStatusError && error.status < 500 && ![404, 409].includes(error.status))
          throw error
      }
      await delay(LOOK_MS, undefined, { signal }).catch(() => undefined)
    }
  }

  async #look(): Promise<void> {
    const path = `/api/v1/namespaces/${this.namespace}/pods`
    const { items } = await this.#admin.send<{ items: V1Pod[] }>('GET', path)
    for (const pod of items) {
      const { name = '', deletionTimestamp } = pod.metadata ?? {}
      if (deletionTimestamp) {
        await this.#admin.text('DELETE', `${path}/${name}?gracePeriodSeconds=0`)
      } else if (!pod.spec?.nodeName && this.state !== 'unscheduled') {
        const target = { kind: 'Node', apiVersion: 'v1', name: NODE }
        await this.#admin.text('POST', `${path}/${name}/binding`, { metadata: { name }, target })
      } else if (!isTold(pod, this.state)) {
        await this.#admin.text('PATCH', `${path}/${name}/status`, { status: podStatus(pod, this.state) })
      }
    }
  }
}

/** An address of this host that is not on loopback, which EndpointSlices do not take. */
export function hostAddress(): string {
  const found = ownAddress()
  if (found === undefined) throw new Error('this host has no address but loopback')
  return found
}

/** Skips where pods on paper can have no address. */
export function requireHostAddress(context: Mocha.Context): void {
  if (ownAddress() === undefined) skip(context, 'pods on paper need an address of this host besides loopback')
}

function ownAddress(): string | undefined {
  return Object.values(networkInterfaces())
    .flat()
    .find((address) => address?.family === 'IPv4' && !address.internal)?.address
}

/** The node lifecycle controller, where there is one, takes readiness away from pods of a node that sends no heartbeats. */
function isTold({ status }: V1Pod, wanted: PaperPodState): boolean {
  const ready = status?.conditions?.find(({ type }) => type === 'Ready')?.status === 'True'
  return status?.reason === wanted && ready === (wanted === 'ready')
}

function podStatus(pod: V1Pod, wanted: PaperPodState): object {
  const now = new Date()
  const ready = wanted === 'ready'
  const condition = (type: string, status: boolean, message = '') => ({
    type,
    status: status ? 'True' : 'False',
    lastTransitionTime: now,
    message,
  })
  const state = {
    ready: { running: { startedAt: now } },
    unready: { running: { startedAt: now } },
    unscheduled: {},
    unpullable: { waiting: { reason: 'ImagePullBackOff', message: 'Back-off pulling image: not found' } },
    crashing: { waiting: { reason: 'CrashLoopBackOff', message: 'back-off 10s' } },
  }[wanted]
  return {
    // Where a real kubelet leaves it empty; here it says what was told last.
    reason: wanted,
    phase: wanted === 'ready' || wanted === 'unready' ? 'Running' : 'Pending',
    podIP: hostAddress(),
    podIPs: [{ ip: hostAddress() }],
    conditions:
      wanted === 'unscheduled'
        ? [condition('PodScheduled', false, '0/3 nodes are available: 3 Insufficient memory.')]
        : [condition('PodScheduled', true), condition('ContainersReady', ready), condition('Ready', ready)],
    containerStatuses: pod.spec?.containers.map(({ name, image = '' }) => ({
      name,
      image,
      imageID: '',
      ready,
      restartCount: wanted === 'crashing' ? 3 : 0,
      state,
      lastState: wanted === 'crashing' ? { terminated: { exitCode: 2, reason: 'Error' } } : {},
    })),
  }
}
