import { createHash } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import type {
  V1Container,
  V1ContainerStatus,
  V1EphemeralContainer,
  V1Pod,
  V1PodStatus,
} from '@kubernetes/client-node'
import { ApiStatusError } from '../kubernetes/api-client.ts'
import type { ControlPlane } from '../kubernetes/control-plane.ts'
import { createNodes } from '../kubernetes/seed.ts'

const LOOK_MS = 100

/** An image as the paper nodes have it. */
export interface PaperImage {
  /** In full: `docker.io/library/nginx`. */
  readonly repository: string
  /** Every tag under which the nodes know it. */
  readonly tags: readonly string[]
  /** Further names that the nodes know it by. */
  readonly otherNames?: readonly string[]
  /** `sha256:…` of its manifest. */
  readonly digest: string
  readonly sizeBytes: number
}

/** What the paper nodes are. */
export interface PaperKubeletOptions {
  readonly cluster: Pick<ControlPlane, 'admin'>
  readonly nodes: readonly string[]
  /** What every node reports to have. */
  readonly images: readonly PaperImage[]
  /** The image that a pod gets for a reference of its spec; undefined leaves it without an imageID, as before a pull. */
  readonly resolve: (reference: string, pod: V1Pod) => PaperImage | undefined
  /** Only pods of these namespaces are run. */
  readonly namespaces: readonly string[]
}

/** The digest of a made-up manifest. */
export function paperDigest(seed: string): string {
  return `sha256:${createHash('sha256').update(seed).digest('hex')}`
}

/** Where no kubelet can run: takes the place of scheduler and kubelets on paper. It starts nothing, and writes statuses. */
export class PaperKubelet {
  readonly #options: PaperKubeletOptions
  readonly #ending = new AbortController()
  readonly #running: Promise<void>
  /** Pods that were given a node, by the uid of their owner. */
  readonly #scheduled = new Map<string, number>()

  private constructor(options: PaperKubeletOptions) {
    this.#options = options
    this.#running = this.#run()
    // Whoever ends it is told.
    this.#running.catch(() => undefined)
  }

  /** Makes the nodes and begins. */
  static async start(options: PaperKubeletOptions): Promise<PaperKubelet> {
    const images = options.images.map((image) => ({
      names: [
        imageID(image),
        ...image.tags.map((tag) => `${image.repository}:${tag}`),
        ...(image.otherNames ?? []),
      ],
      sizeBytes: image.sizeBytes,
    }))
    await createNodes(
      options.cluster,
      options.nodes.map((name) => ({ name, images })),
    )
    for (const name of options.nodes) {
      // The API server taints every new node as not ready, and no node lifecycle controller may be there to undo it.
      await options.cluster.admin.text('PATCH', `/api/v1/nodes/${name}`, { spec: { taints: null } })
    }
    return new PaperKubelet(options)
  }

  /** Ends it; throws what it failed with. The nodes stay. */
  async stop(): Promise<void> {
    this.#ending.abort()
    await this.#running
  }

  async #run(): Promise<void> {
    const { signal } = this.#ending
    while (!signal.aborted) {
      try {
        for (const namespace of this.#options.namespaces) await this.#look(namespace)
      } catch (error) {
        // The API server is being restarted, or somebody was faster.
        if (error instanceof ApiStatusError && ![404, 409].includes(error.status)) throw error
      }
      await delay(LOOK_MS, undefined, { signal }).catch(() => undefined)
    }
  }

  async #look(namespace: string): Promise<void> {
    const { admin } = this.#options.cluster
    const path = `/api/v1/namespaces/${namespace}/pods`
    const { items } = await admin.send<{ items: V1Pod[] }>('GET', path)
    for (const pod of items) {
      const { name = '', deletionTimestamp } = pod.metadata ?? {}
      if (deletionTimestamp) await admin.text('DELETE', `${path}/${name}?gracePeriodSeconds=0`)
      else if (!pod.spec?.nodeName) {
        const target = { kind: 'Node', apiVersion: 'v1', name: this.#choose(pod) }
        await admin.text('POST', `${path}/${name}/binding`, { metadata: { name }, target })
      } else if (!this.#isTold(pod)) {
        const status = this.#status(pod)
        await admin.text('PUT', `${path}/${name}/status?fieldManager=kubelet`, { ...pod, status })
      }
    }
  }

  #choose(pod: V1Pod): string {
    const { nodes } = this.#options
    // The DaemonSet controller says by affinity which node each of its pods is for.
    const wanted =
      pod.spec?.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms[0]
        ?.matchFields?.[0]?.values?.[0]
    // Each owner's pods take turns, so that where they are does not hang on the order in which all come.
    const owner = pod.metadata?.ownerReferences?.[0]?.uid ?? ''
    const turn = this.#scheduled.get(owner) ?? 0
    if (wanted === undefined) this.#scheduled.set(owner, turn + 1)
    return wanted ?? nodes[turn % nodes.length] ?? ''
  }

  /** Whether the status tells of every container with the image that it has now. */
  #isTold({ spec, status }: V1Pod): boolean {
    const told = [...(status?.containerStatuses ?? []), ...(status?.ephemeralContainerStatuses ?? [])]
    return [...(spec?.containers ?? []), ...(spec?.ephemeralContainers ?? [])].every(({ name, image }) =>
      told.some((entry) => entry.name === name && entry.image === image),
    )
  }

  #status(pod: V1Pod): V1PodStatus {
    const { spec } = pod
    // What a Job starts comes to its end.
    const done = spec?.restartPolicy === 'Never'
    const now = new Date()
    const statuses = (list: readonly (V1Container | V1EphemeralContainer)[] | undefined, ended: boolean) =>
      list?.map((container) =>
        this.#containerStatus(pod, container, ended && container.restartPolicy !== 'Always'),
      )
    return {
      phase: done ? 'Succeeded' : 'Running',
      startTime: now,
      conditions: ['Initialized', 'Ready', 'ContainersReady', 'PodScheduled'].map((type) => ({
        type,
        status: done && type.endsWith('eady') ? 'False' : 'True',
        lastTransitionTime: now,
      })),
      ...present('initContainerStatuses', statuses(spec?.initContainers, true)),
      ...present('containerStatuses', statuses(spec?.containers, done)),
      ...present('ephemeralContainerStatuses', statuses(spec?.ephemeralContainers, false)),
    }
  }

  #containerStatus(
    pod: V1Pod,
    { name, image = '' }: V1Container | V1EphemeralContainer,
    ended: boolean,
  ): V1ContainerStatus {
    const found = this.#options.resolve(image, pod)
    const at = new Date()
    return {
      name,
      image,
      imageID: found ? imageID(found) : '',
      restartCount: 0,
      ready: !ended,
      started: !ended,
      state: found
        ? ended
          ? { terminated: { exitCode: 0, reason: 'Completed', startedAt: at, finishedAt: at } }
          : { running: { startedAt: at } }
        : { waiting: { reason: 'ImagePullBackOff' } },
    }
  }
}

function imageID({ repository, digest }: PaperImage): string {
  return `${repository}@${digest}`
}

function present<Key extends string, Value>(key: Key, value: Value | undefined): { [key in Key]?: Value } {
  return (value === undefined ? {} : { [key]: value }) as { [key in Key]?: Value }
}
