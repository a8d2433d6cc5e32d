import { createHash } from 'node:crypto'
import type { Clock } from '../../src/core/lib/time.ts'
import type { NodeImages } from '../../src/core/model/node-images.ts'
import type { Image } from '../../src/core/wire/image.ts'
import type { PodSlice } from '../../src/core/wire/pod.ts'
import type { Log } from '../kit/log.ts'
import { StoreFull } from '../kit/store/store.ts'
import { imageKey, type ImageKey, type ImageState, scopeKey } from './image-state.ts'
import { journalEvents, type SeenTransition } from './journal-events.ts'
import type { ImageGraphMetrics } from './metrics.ts'
import type { PodBatch, PodEvent } from './feed.ts'
import type { NoticeEntry } from './notice-log.ts'
import { imageId, type Published, type PublishedImage } from './published.ts'
import type { ImageGraphPlural } from './resources.ts'
import { passingImage, servedEvent, servedImage } from './served-objects.ts'
import type { ImageIdentity, JournalEvent, JournalWrite, KeptImage, KnownPod } from './store.ts'

/** What the recorder stands on. */
export interface RecorderDeps {
  readonly state: ImageState
  readonly published: Published
  /** The uid of the namespace that this very pod is in; empty where it has gone. */
  readonly namespaceUid: (pod: PodSlice, signal: AbortSignal) => Promise<string>
  readonly clock: Clock
  readonly metrics: ImageGraphMetrics
  readonly log: Log
}

/** While there is no space, writing is tried again after so many milliseconds. */
const FULL_RETRY_MS = 5000

/** So many pods are asked for at most to find out whose namespace it is. */
const MOST_ASKED = 20

/** One write in the making. */
interface Draft {
  readonly events: readonly JournalEvent[]
  /** By uid; undefined for a pod that has gone. */
  readonly pods: ReadonlyMap<string, KnownPod | undefined>
  /** Of these what is kept has changed. */
  readonly images: Map<string, PublishedImage>
  /** What is kept of these is kept already. */
  readonly unchanged: PublishedImage[]
  readonly goneImages: Map<string, ImageIdentity>
  readonly notices: Record<ImageGraphPlural, NoticeEntry[]>
}

/** The one writer of the journal: turns what pods do into events and objects, commits them, and then publishes them. */
export class Recorder {
  readonly #deps: RecorderDeps
  /** Of every image in use, ahead of what is published. */
  readonly #kept = new Map<string, KeptImage>()
  /** The last number given. */
  #number: number

  /** Goes on where the journal ends: with the pods and images that were known then. */
  constructor(deps: RecorderDeps) {
    const { journal } = deps.published
    this.#deps = deps
    this.#number = journal.state.number
    for (const { uid, namespace, namespaceUid, name, edges } of journal.pods()) {
      const images = edges.map((edge) => ({ ...edge, pullPolicy: '', imageID: '' }))
      const unknown = { resourceVersion: '', nodeName: '', phase: '', templateHash: '', owner: undefined }
      deps.state.put({ uid, namespace, name, images, ...unknown }, namespaceUid)
    }
    for (const kept of journal.images()) this.#kept.set(imageId(kept), kept)
  }

  /** Takes a batch of pods in; resolves when what it means is committed and published, however long that takes. */
  async record(batch: PodBatch, nodes: NodeImages | undefined, signal: AbortSignal): Promise<void> {
    const { events, pods } = await this.#events(batch, signal)
    if (events.length === 0 && pods.size === 0) return
    const draft = newDraft(events, pods)
    this.#draftEvents(draft, (key) => this.#deps.state.objects(key, nodes))
    await this.#commit(draft, signal)
  }

  /** Takes the first list in, and publishes all objects. */
  async begin(batch: PodBatch, nodes: NodeImages | undefined, signal: AbortSignal): Promise<void> {
    const { state } = this.#deps
    const { events, pods } = await this.#events(batch, signal)
    const draft = newDraft(events, pods)
    state.markAllDirty()
    // Each is made once, be it new, changed or as before.
    const made = new Map(
      state.takeDirty().map((key) => [keyText(key), { key, images: state.objects(key, nodes) }]),
    )
    this.#draftEvents(draft, (key) => made.get(keyText(key))?.images ?? [])
    for (const { key, images } of made.values()) {
      for (const image of images) this.#draftChange(key, image, draft, true)
    }
    if (draft.events.length > 0 || draft.pods.size > 0 || draft.images.size > 0)
      await this.#commit(draft, signal)
    else this.#publish(draft)
  }

  /** Tells what the objects of images say by now, where it is not what they said before. */
  async flush(nodes: NodeImages | undefined, signal: AbortSignal): Promise<void> {
    const draft = newDraft([], new Map())
    for (const key of this.#deps.state.takeDirty()) {
      for (const image of this.#deps.state.objects(key, nodes)) this.#draftChange(key, image, draft, false)
    }
    if (draft.images.size > 0) await this.#commit(draft, signal)
  }

  /** Takes a batch of pods into the state, and gives its events with their numbers and the pods to be kept. */
  async #events(batch: PodBatch, signal: AbortSignal): Promise<Pick<Draft, 'events' | 'pods'>> {
    const { state } = this.#deps
    const seen: SeenTransition[] = []
    const pods = new Map<string, KnownPod | undefined>()
    for (const [index, { op, pod, time }] of batch.events.entries()) {
      const isNew = state.pod(pod.uid) === undefined
      if (op === 'remove') {
        if (!isNew) pods.set(pod.uid, undefined)
        for (const transition of state.remove(pod.uid)) seen.push({ transition, time })
        continue
      }
      const uid = isNew ? await this.#namespaceUid(batch.events, index, signal) : ''
      const transitions = state.put(pod, uid)
      for (const transition of transitions) seen.push({ transition, time })
      if (isNew || transitions.length > 0) pods.set(pod.uid, this.#known(pod))
    }
    const events = journalEvents(seen, {
      late: batch.late,
      net: batch.net,
      inUse: (image) => state.inUse(image),
    }).map((event) => ({ ...event, number: (this.#number += 1) }))
    return { events, pods }
  }

  /**
   * The uid of the namespace that the pod of an event is in. Where the pod has gone meanwhile, one that came while it was
   * there tells: a namespace does not end before the last of its pods.
   */
  async #namespaceUid(events: readonly PodEvent[], index: number, signal: AbortSignal): Promise<string> {
    const { state, namespaceUid } = this.#deps
    const first = events[index]?.pod
    if (!first) return ''
    let uid = state.namespaceUid(first.namespace) ?? ''
    let asked = 0
    for (let next = index; uid === '' && next < events.length && asked < MOST_ASKED; next += 1) {
      const event = events[next]
      if (event?.op === 'remove' && event.pod.uid === first.uid) break
      if (event?.op !== 'put' || event.pod.namespace !== first.namespace) continue
      asked += 1
      uid = await namespaceUid(event.pod, signal)
    }
    return uid
  }

  #known({ uid, namespace, name, images }: PodSlice): KnownPod {
    const namespaceUid = this.#deps.state.pod(uid)?.scope.namespaceUid ?? ''
    return {
      uid,
      namespace,
      namespaceUid,
      name,
      edges: images.map((use) => ({ type: use.type, name: use.name, image: use.image })),
    }
  }

  /** Keeps what the event says of its image in its namespace and, where it is one of the cluster's, there. */
  #keep(event: JournalEvent): void {
    for (const identity of identitiesOf(event)) {
      const id = imageId(identity)
      if (event.op === '-') this.#kept.delete(id)
      else {
        const { number, time, namespace, pod, podUid, late } = event
        const change = { time, namespace, pod, podUid, late }
        this.#kept.set(id, { ...identity, added: number, number, content: '', change })
      }
    }
  }

  #draftEvents(draft: Draft, objects: (key: ImageKey) => readonly Image[]): void {
    for (const event of draft.events) this.#keep(event)
    const last = new Map<string, JournalEvent>()
    for (const event of draft.events) {
      for (const identity of identitiesOf(event)) last.set(imageId(identity), event)
    }
    for (const event of draft.events) this.#draftEvent(event, draft, last, objects)
  }

  #draftEvent(
    event: JournalEvent,
    draft: Draft,
    last: ReadonlyMap<string, JournalEvent>,
    objects: (key: ImageKey) => readonly Image[],
  ): void {
    const { number, op, namespace, namespaceUid } = event
    const place = { number, namespace, namespaceUid, object: undefined }
    draft.notices.imageevents.push({
      ...place,
      notice: { type: 'ADDED', object: servedEvent(event, { cluster: false }) },
    })
    if (event.cluster) {
      draft.notices.clusterimageevents.push({
        ...place,
        notice: { type: 'ADDED', object: servedEvent(event, { cluster: true }) },
      })
    }
    for (const identity of identitiesOf(event)) {
      const id = imageId(identity)
      const scope = identity.namespace === '' ? undefined : { namespace: identity.namespace, namespaceUid }
      const plural = scope ? 'images' : 'clusterimages'
      // What came and went, or went and came, within the batch is told by what its event says.
      const current =
        op === '+' && last.get(id) === event ? this.#currentObject(identity, scope, objects) : undefined
      if (current) draft.images.set(id, current)
      if (op === '-' && last.get(id) === event) draft.goneImages.set(id, identity)
      draft.notices[plural].push({
        number,
        namespace: identity.namespace,
        namespaceUid: identity.namespaceUid,
        object: undefined,
        notice: {
          type: op === '+' ? 'ADDED' : 'DELETED',
          object: current?.object ?? passingImage(event, scope),
        },
      })
    }
  }

  #currentObject(
    { reference, ...identity }: ImageIdentity,
    scope: ImageKey['scope'],
    objects: (key: ImageKey) => readonly Image[],
  ): PublishedImage | undefined {
    const image = objects({ scope, key: imageKey(reference) }).find(
      (each) => each.image.reference === reference,
    )
    const id = imageId({ reference, ...identity })
    const before = this.#kept.get(id)
    if (!image || !before) return undefined
    const kept = { ...before, content: contentOf(image) }
    this.#kept.set(id, kept)
    return { kept, object: servedImage(image, kept) }
  }

  /** With `all` also what says the same as before is published, as after a restart. */
  #draftChange({ scope }: ImageKey, image: Image, draft: Draft, all: boolean): void {
    const { namespace = '', namespaceUid = '' } = scope ?? {}
    const id = imageId({ namespace, namespaceUid, reference: image.image.reference })
    const before = this.#kept.get(id)
    if (!before)
      throw new Error(`the image graph has no record of what is in use: ${id} of ${scopeKey(scope)}`)
    const content = contentOf(image)
    if (content === before.content) {
      if (all && !draft.images.has(id))
        draft.unchanged.push({ kept: before, object: servedImage(image, before) })
      return
    }
    const kept = { ...before, content, number: (this.#number += 1) }
    const object = servedImage(image, kept)
    this.#kept.set(id, kept)
    draft.images.set(id, { kept, object })
    const entry = { number: kept.number, namespace, namespaceUid, object: id }
    draft.notices[scope ? 'images' : 'clusterimages'].push({ ...entry, notice: { type: 'MODIFIED', object } })
  }

  async #commit(draft: Draft, signal: AbortSignal): Promise<void> {
    const { published, clock, log, metrics, state } = this.#deps
    const write: JournalWrite = {
      number: this.#number,
      events: draft.events,
      pods: [...draft.pods.values()].filter((pod) => pod !== undefined),
      gonePods: [...draft.pods].flatMap(([uid, pod]) => (pod ? [] : [uid])),
      images: [...draft.images.values()].map(({ kept }) => kept),
      goneImages: [...draft.goneImages.values()],
    }
    for (;;) {
      const began = performance.now()
      try {
        published.journal.commit(write)
        const oldest = draft.events[0]?.time
        const lag = oldest === undefined ? undefined : Math.max(0, clock.now() - oldest) / 1000
        metrics.committed(draft.events, (performance.now() - began) / 1000, lag)
        break
      } catch (error) {
        if (!(error instanceof StoreFull)) throw error
        if (published.fullSince === undefined)
          log.error({ err: error }, 'nothing is recorded: no space is left')
        published.fullSince ??= clock.now()
        metrics.state(published, state.podCount)
        await clock.sleep(FULL_RETRY_MS, signal)
      }
    }
    if (published.fullSince !== undefined) {
      log.info({ since: new Date(published.fullSince).toISOString() }, 'recording again, nothing was lost')
      published.fullSince = undefined
    }
    this.#publish(draft)
  }

  #publish({ images, unchanged, goneImages, notices }: Draft): void {
    const { published, metrics, state } = this.#deps
    published.apply({
      images: [...images.values(), ...unchanged],
      goneImages: [...goneImages.values()],
      notices,
    })
    metrics.state(published, state.podCount)
  }
}

function keyText({ scope, key }: ImageKey): string {
  return `${scopeKey(scope)} ${key}`
}

function newDraft(events: Draft['events'], pods: Draft['pods']): Draft {
  return {
    events,
    pods,
    images: new Map(),
    unchanged: [],
    goneImages: new Map(),
    notices: { images: [], clusterimages: [], imageevents: [], clusterimageevents: [] },
  }
}

/** The images that an event is about: its namespace's, and the cluster's where it is one of the cluster's. */
function identitiesOf({ namespace, namespaceUid, image, cluster }: JournalEvent): ImageIdentity[] {
  const own = { namespace, namespaceUid, reference: image }
  return cluster ? [own, { namespace: '', namespaceUid: '', reference: image }] : [own]
}

function contentOf(image: Image): string {
  return createHash('sha1').update(JSON.stringify(image)).digest('base64')
}
