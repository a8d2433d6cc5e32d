import type { Reflector } from '../../../server/kit/cluster-watch/cluster-watch.ts'
import type { ListWatchEvent } from '../../../src/core/kube/list-watch.ts'
import type { WatchedNode } from '../../../src/core/kube/node-list.ts'
import type { KubeRequest, KubeResponse, KubeTransport } from '../../../src/core/kube/transport.ts'
import type { Watched } from '../../../src/core/kube/watch-frame.ts'
import type { Clock } from '../../../src/core/lib/time.ts'
import type { NodeImage } from '../../../src/core/wire/node.ts'
import type { PodSlice } from '../../../src/core/wire/pod.ts'
import { webPod } from '../images/pods.ts'

interface Subscriber<T> {
  readonly events: ListWatchEvent<T>[]
  wake: () => void
}

/** Objects of one type and what subscribers are told of them, as a reflector does it; an outage can be had. */
export class PaperReflector<T extends Watched> implements Reflector<T> {
  readonly objects = new Map<string, T>()
  readonly #clock: Clock
  readonly #subscribers = new Set<Subscriber<T>>()
  /** What was known when the outage began, and what has happened since. */
  #outage: { readonly known: Map<string, T>; readonly missed: ListWatchEvent<T>[] } | undefined

  constructor(clock: Clock) {
    this.#clock = clock
  }

  put(object: T): void {
    const previous = this.objects.get(object.uid)
    this.objects.set(object.uid, object)
    this.#tell(previous ? { type: 'modified', object, previous } : { type: 'added', object, initial: false })
  }

  remove(uid: string): void {
    const object = this.objects.get(uid)
    if (!object) return
    this.objects.delete(uid)
    this.#tell({ type: 'deleted', object })
  }

  interrupt(): void {
    if (this.#outage) return
    this.#send({ type: 'interrupted', at: this.#clock.now(), reason: 'connection refused' })
    this.#outage = { known: new Map(this.objects), missed: [] }
  }

  /** Ends the outage: what happened is told event by event, or as the difference of two lists. */
  resume(how: 'watch' | 'relist'): void {
    const outage = this.#outage
    if (!outage) return
    this.#outage = undefined
    const told = how === 'watch' ? outage.missed : this.#difference(outage.known)
    for (const event of told) this.#send(event)
    this.#send({ type: 'resumed', at: this.#clock.now(), downMs: 1, how })
  }

  async *subscribe(signal: AbortSignal): AsyncGenerator<ListWatchEvent<T>, void> {
    const known = this.#outage?.known ?? this.objects
    const subscriber: Subscriber<T> = { events: [], wake: () => {} }
    for (const object of known.values()) subscriber.events.push({ type: 'added', object, initial: true })
    subscriber.events.push({ type: 'synced', count: known.size })
    if (this.#outage) {
      subscriber.events.push({ type: 'interrupted', at: this.#clock.now(), reason: 'connection refused' })
    }
    this.#subscribers.add(subscriber)
    const end = (): void => subscriber.wake()
    signal.addEventListener('abort', end)
    try {
      while (!signal.aborted) {
        const event = subscriber.events.shift()
        if (event) yield event
        else
          await new Promise<void>((resolve) => {
            subscriber.wake = resolve
          })
      }
    } finally {
      signal.removeEventListener('abort', end)
      this.#subscribers.delete(subscriber)
    }
  }

  async run(): Promise<void> {
    // Tests tell it what happens.
  }

  #difference(known: ReadonlyMap<string, T>): ListWatchEvent<T>[] {
    const events: ListWatchEvent<T>[] = []
    for (const [uid, object] of known) if (!this.objects.has(uid)) events.push({ type: 'deleted', object })
    for (const [uid, object] of this.objects) {
      const previous = known.get(uid)
      if (!previous) events.push({ type: 'added', object, initial: false })
      else if (previous !== object) events.push({ type: 'modified', object, previous })
    }
    return events
  }

  #tell(event: ListWatchEvent<T>): void {
    if (this.#outage) this.#outage.missed.push(event)
    else this.#send(event)
  }

  #send(event: ListWatchEvent<T>): void {
    for (const subscriber of this.#subscribers) {
      subscriber.events.push(event)
      subscriber.wake()
    }
  }
}

/** A namespace's life on paper. */
interface PaperNamespace {
  readonly uid: string
  readonly created: number
}

/** Pods, nodes and namespaces without a server; the transport answers what the image graph asks of namespaces. */
export class PaperCluster {
  readonly pods: PaperReflector<PodSlice>
  readonly nodes: PaperReflector<WatchedNode>
  readonly namespaces = new Map<string, PaperNamespace>()
  /** Requests so far, as `GET /api/…`. */
  readonly requests: string[] = []
  /** While set, every request is answered with this status. */
  failure: number | undefined
  /** Happens before each answer to a request of this path. */
  beforeAnswer: ((path: string) => void) | undefined
  readonly #clock: Clock
  readonly #suffix: string
  #made = 0

  /** The suffix is of all uids of pods. */
  constructor(clock: Clock, suffix = '') {
    this.#clock = clock
    this.#suffix = suffix
    this.pods = new PaperReflector(clock)
    this.nodes = new PaperReflector(clock)
  }

  /** The uid of the namespace, which is made where there is none. */
  namespace(name: string): string {
    let namespace = this.namespaces.get(name)
    if (!namespace) {
      namespace = { uid: `${name}-life-${(this.#made += 1)}`, created: this.#clock.now() }
      this.namespaces.set(name, namespace)
    }
    return namespace.uid
  }

  /** Runs a pod of these images (by container name), or changes the one of this name. */
  run(
    namespace: string,
    name: string,
    images: Readonly<Record<string, string>>,
    over: Partial<PodSlice> = {},
  ): PodSlice {
    this.namespace(namespace)
    const before = this.find(namespace, name)
    const uses = Object.entries(images).map(([container, image]) => ({
      type: 'container' as const,
      name: container,
      image,
      pullPolicy: '',
      imageID: '',
    }))
    const uid = before?.uid ?? `${namespace}/${name}#${(this.#made += 1)}${this.#suffix}`
    const resourceVersion = String((this.#made += 1))
    const pod = webPod(name, uses, { ...over, namespace, uid, resourceVersion })
    this.pods.put(pod)
    return pod
  }

  end(namespace: string, name: string): void {
    const pod = this.find(namespace, name)
    if (pod) this.pods.remove(pod.uid)
  }

  find(namespace: string, name: string): PodSlice | undefined {
    return [...this.pods.objects.values()].find((pod) => pod.namespace === namespace && pod.name === name)
  }

  /** Deletes a namespace with all its pods. */
  endNamespace(name: string): void {
    for (const pod of this.pods.objects.values()) if (pod.namespace === name) this.pods.remove(pod.uid)
    this.namespaces.delete(name)
  }

  node(name: string, images: readonly NodeImage[]): void {
    this.nodes.put({ name, images, uid: name, resourceVersion: String((this.#made += 1)) })
  }

  readonly transport: KubeTransport = {
    send: async (request) => this.#answer(request),
    close: () => undefined,
  }

  #answer({ method = 'GET', path }: KubeRequest): KubeResponse {
    this.requests.push(`${method} ${path}`)
    this.beforeAnswer?.(path)
    if (this.failure !== undefined) return answer(this.failure, { kind: 'Status', message: 'on purpose' })
    const url = new URL(path, 'http://paper')
    const [, , , kind, name = '', below] = url.pathname.split('/')
    if (kind !== 'namespaces') return answer(404, { kind: 'Status', reason: 'NotFound' })
    if (below === 'pods') {
      const wanted = url.searchParams.get('fieldSelector')?.replace('metadata.name=', '')
      const pod = wanted === undefined ? undefined : this.find(name, wanted)
      return answer(200, { kind: 'PodList', items: pod ? [{ metadata: { uid: pod.uid } }] : [] })
    }
    if (name === '') {
      const items = [...this.namespaces].map(([own, life]) => namespaceObject(own, life))
      return answer(200, { kind: 'NamespaceList', metadata: { resourceVersion: '1' }, items })
    }
    const namespace = this.namespaces.get(name)
    if (!namespace) return answer(404, { kind: 'Status', status: 'Failure', reason: 'NotFound', code: 404 })
    return answer(200, namespaceObject(name, namespace))
  }
}

function namespaceObject(name: string, { uid, created }: PaperNamespace) {
  return { kind: 'Namespace', metadata: { name, uid, creationTimestamp: new Date(created).toISOString() } }
}

function answer(status: number, body: unknown): KubeResponse {
  async function* bytes(): AsyncGenerator<Uint8Array> {
    yield Buffer.from(JSON.stringify(body))
  }
  return { status, headers: { 'content-type': 'application/json' }, body: bytes() }
}
