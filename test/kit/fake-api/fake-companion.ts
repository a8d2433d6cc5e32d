import type { ServerResponse } from 'node:http'
import { podDecoder } from '../../../src/core/kube/pod-decode.ts'
import { ImageGraph, type ImageTransition } from '../../../src/core/model/image-graph.ts'
import { imageList, usageCounts } from '../../../src/core/model/image-objects.ts'
import { Placements } from '../../../src/core/model/image-usage.ts'
import { NodeImages } from '../../../src/core/model/node-images.ts'
import { objectUid } from '../../../src/core/model/object-uid.ts'
import {
  DECKWATCH_API_VERSION,
  type Image,
  type ImageChange,
  type ImageEvent,
} from '../../../src/core/wire/image.ts'
import type { NodeSlice } from '../../../src/core/wire/node.ts'
import type { PodSlice } from '../../../src/core/wire/pod.ts'
import type { FakeAnswer } from './fake-answer.ts'
import { FakeChanges } from './fake-changes.ts'
import type { FakeRequest } from './fake-faults.ts'
import { kindNamed } from './fake-kinds.ts'
import { fakeStatus } from './fake-status.ts'
import type { FakeEvent, FakeObject, FakeStore } from './fake-store.ts'

const ROOT = `/apis/${DECKWATCH_API_VERSION}`
const PLURALS = [
  'images',
  'clusterimages',
  'imageevents',
  'clusterimageevents',
  'changes',
  'clusterchanges',
] as const
/** The scope of the whole cluster, which is no name of a namespace. */
const CLUSTER = ''

interface JournalEntry {
  readonly version: number
  readonly scope: string
  readonly event: ImageEvent
}

interface OpenWatch {
  readonly scope: string
  readonly send: (type: string, object: unknown) => void
  readonly end: () => void
}

/**
 * A companion in this process, over the pods of a fake API server: discovery, lists with `limit`, `continue` and
 * `sinceTime`, watches of events that resume, and Warning headers, in the forms of the real one, and the changes that
 * tests record. What is not read by the CLI (tables, single images) it does not serve.
 */
export class FakeCompanion {
  readonly #store: FakeStore
  readonly #decoder = podDecoder()
  readonly #graphs = new Map<string, ImageGraph>()
  readonly #lastChanges = new Map<string, ImageChange>()
  readonly #watches = new Set<OpenWatch>()
  #journal: JournalEntry[] = []
  #version = 1_763_000_000_000_000
  #oldest = this.#version
  /** Told with each list, as Warning headers. */
  warnings: readonly string[] = []
  /** Where its history begins, in epoch milliseconds. */
  historyBegins = 0
  /** What it serves; a component less serves less. */
  resources: readonly string[] = PLURALS
  readonly changes = new FakeChanges()

  constructor(store: FakeStore) {
    this.#store = store
    for (const object of store.list(kindNamed('Pod'))) this.#put(object)
    store.listen((event) => this.#take(event))
  }

  /** The resourceVersion of now. */
  get version(): number {
    return this.#version
  }

  /** How many watches are open. */
  get watches(): number {
    return this.#watches.size
  }

  /** Takes every watch's line away, as the end of its pod does. */
  endWatches(): void {
    for (const watch of this.#watches) watch.end()
  }

  /** Ends every watch with a Status, as when a right is withdrawn. */
  endWatchesWith(code: number, reason: string): void {
    for (const watch of this.#watches) {
      watch.send('ERROR', fakeStatus(code, reason, `told by a test: ${reason}`))
      watch.end()
    }
  }

  /** Sends a bookmark to every watch. */
  bookmark(): void {
    for (const { send } of this.#watches)
      send('BOOKMARK', { metadata: { resourceVersion: String(this.#version) } })
  }

  /** Forgets the journal: what was told before cannot be gone on from. */
  expire(): void {
    this.#journal = []
    this.#version += 1
    this.#oldest = this.#version
  }

  /** Records an event of the past, as if it had been there then. */
  record(event: Pick<ImageEvent, 'op' | 'image' | 'pod' | 'time' | 'late'>): void {
    for (const scope of [CLUSTER, event.pod.namespace]) this.#append(scope, event)
  }

  /** Answers a request of its group; false where it is another's. */
  serve(request: FakeRequest, answer: FakeAnswer, response: ServerResponse): boolean {
    const { path, query } = request
    if (path === ROOT) {
      const resources = this.resources.map((name) => ({ name, verbs: ['get', 'list', 'watch'] }))
      answer.json(200, { kind: 'APIResourceList', apiVersion: 'v1', groupVersion: 'v1alpha1', resources })
      return true
    }
    const isOfChanges = this.resources.includes('changes')
    if (isOfChanges && this.changes.serve(request, answer, response)) return true
    const [, namespace, plural = ''] =
      new RegExp(`^${ROOT}(?:/namespaces/([^/]+))?/([a-z]+)$`).exec(path) ?? []
    if (!this.resources.includes(plural) || plural.startsWith('cluster') !== (namespace === undefined))
      return false
    const scope = namespace ?? CLUSTER
    if (!plural.endsWith('events')) this.#listImages(scope, answer)
    else if (query.get('watch') === 'true') this.#watch(scope, request, answer, response)
    else this.#listEvents(scope, query, answer)
    return true
  }

  #listImages(scope: string, answer: FakeAnswer): void {
    const namespace = scope === CLUSTER ? undefined : scope
    const placements = new Placements({})
    for (const object of this.#store.list(kindNamed('Pod'), namespace))
      placements.add(this.#decoder.fromJson(object))
    const nodes = this.#store.list(kindNamed('Node')).map((object): NodeSlice => {
      const { images = [] } = (object['status'] ?? {}) as { images?: NodeSlice['images'] }
      return { name: object.metadata.name, images }
    })
    const { kind, items } = imageList(placements.all, new NodeImages(nodes), namespace)
    const served = items.map((image): Image => {
      const lastChange = this.#lastChanges.get(`${scope} ${image.image.reference}`)
      const metadata = {
        ...image.metadata,
        uid: objectUid(kind, scope, image.image.reference),
        resourceVersion: String(this.#version),
        creationTimestamp: `${lastChange?.time.slice(0, 19)}Z`,
      }
      return { ...image, metadata, ...(lastChange ? { lastChange } : {}) }
    })
    const summary = {
      ...usageCounts(placements.all),
      images: new Set(placements.all.map(({ image }) => image.key)).size,
    }
    // By name, as the real one lists.
    const ordered = served.toSorted((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1))
    this.#answerList(answer, kind, { summary }, ordered, '', this.warnings)
  }

  #listEvents(scope: string, query: URLSearchParams, answer: FakeAnswer): void {
    const since = Date.parse(query.get('sinceTime') ?? '') || 0
    const after = Number(query.get('continue') ?? '0')
    const limit = Number(query.get('limit') ?? '0')
    const all = this.#journal.filter(
      (entry) => entry.scope === scope && entry.version > after && Date.parse(entry.event.time) >= since,
    )
    const page = limit > 0 ? all.slice(0, limit) : all
    const more = page.length < all.length ? String(page.at(-1)?.version) : ''
    const begins = `history begins at ${new Date(this.historyBegins).toISOString().slice(0, 19)}Z`
    const warnings = since < this.historyBegins ? [begins, ...this.warnings] : this.warnings
    const kind = scope === CLUSTER ? 'ClusterImageEventList' : 'ImageEventList'
    this.#answerList(
      answer,
      kind,
      {},
      page.map(({ event }) => event),
      more,
      warnings,
    )
  }

  #answerList(
    answer: FakeAnswer,
    kind: string,
    extra: object,
    items: readonly unknown[],
    more: string,
    warnings: readonly string[],
  ): void {
    const metadata = { resourceVersion: String(this.#version), ...(more ? { continue: more } : {}) }
    const body = JSON.stringify({ kind, apiVersion: DECKWATCH_API_VERSION, metadata, ...extra, items })
    const header = warnings.map((text) => `299 - "${text.replaceAll(/["\\]/g, String.raw`\$&`)}"`)
    answer.send(
      200,
      'application/json',
      Buffer.from(body),
      header.length > 0 ? { warning: header.join(', ') } : {},
    )
  }

  #watch(scope: string, { query }: FakeRequest, { writer }: FakeAnswer, response: ServerResponse): void {
    writer.head(200, { 'content-type': 'application/json' })
    const send = (type: string, object: unknown): void =>
      writer.write(Buffer.from(`${JSON.stringify({ type, object })}\n`))
    const from = Number(query.get('resourceVersion'))
    if (from < this.#oldest || from > this.#version) {
      send('ERROR', fakeStatus(410, 'Expired', `too old resource version: ${from}`))
      writer.end()
      return
    }
    for (const entry of this.#journal)
      if (entry.scope === scope && entry.version > from) send('ADDED', entry.event)
    const end = (): void => {
      this.#watches.delete(watch)
      writer.end()
    }
    const watch: OpenWatch = { scope, send, end }
    this.#watches.add(watch)
    response.on('close', () => this.#watches.delete(watch))
  }

  #take({ kind, type, object }: FakeEvent): void {
    if (kind.kind !== 'Pod') return
    if (type !== 'DELETED') this.#put(object)
    else {
      const pod = this.#decoder.fromJson(object)
      this.#apply(pod, (graph) => graph.remove(pod))
    }
  }

  #put(object: FakeObject): void {
    const pod = this.#decoder.fromJson(object)
    this.#apply(pod, (graph) => graph.put(pod))
  }

  #apply(pod: PodSlice, change: (graph: ImageGraph) => readonly ImageTransition[]): void {
    for (const scope of [CLUSTER, pod.namespace]) {
      let graph = this.#graphs.get(scope)
      if (!graph) this.#graphs.set(scope, (graph = new ImageGraph()))
      for (const { op, image } of change(graph)) {
        if (op !== '+' && op !== '-') continue
        const { namespace, name, uid } = pod
        const time = new Date().toISOString()
        this.#append(scope, { op, image, pod: { namespace, name, uid }, time, late: false })
      }
    }
  }

  #append(scope: string, { op, image, pod, time, late }: Omit<ImageEvent, 'apiVersion' | 'kind'>): void {
    this.#version += 1
    const kind = scope === CLUSTER ? 'ClusterImageEvent' : 'ImageEvent'
    const name = String(this.#version)
    const event: ImageEvent = {
      apiVersion: DECKWATCH_API_VERSION,
      kind,
      metadata: {
        name,
        ...(scope === CLUSTER ? {} : { namespace: scope }),
        uid: objectUid(kind, scope, name),
        resourceVersion: name,
        creationTimestamp: `${time.slice(0, 19)}Z`,
      },
      op,
      image,
      pod,
      time,
      late,
    }
    this.#lastChanges.set(`${scope} ${image}`, {
      op,
      time,
      namespace: pod.namespace,
      pod: pod.name,
      uid: pod.uid,
      late,
    })
    this.#journal.push({ version: this.#version, scope, event })
    for (const watch of this.#watches) if (watch.scope === scope) watch.send('ADDED', event)
  }
}
