import { createHash } from 'node:crypto'
import type { Image } from '../../src/core/wire/image.ts'
import { imageKey, type ImageKey, scopeKey } from './image-state.ts'
import type { NoticeEntry } from './notice-log.ts'
import { imageId, type PublishedImage } from './published.ts'
import type { ImageGraphPlural } from './resources.ts'
import { passingImage, servedEvent, servedImage } from './served-objects.ts'
import type { ImageIdentity, JournalEvent, KeptImage, KnownPod } from './journal-records.ts'

/** One write in the making. */
export interface Draft {
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

/** Begins a draft with the events and pods that it is about. */
export function newDraft(events: Draft['events'], pods: Draft['pods']): Draft {
  return {
    events,
    pods,
    images: new Map(),
    unchanged: [],
    goneImages: new Map(),
    notices: { images: [], clusterimages: [], imageevents: [], clusterimageevents: [] },
  }
}

/** Gives numbers, and knows what is kept of every image in use: ahead of what is committed. */
export class ImageBook {
  readonly #kept: Map<string, KeptImage>
  #number: number

  /** Goes on after a number, with what was kept by then. */
  constructor(number: number, kept: readonly KeptImage[]) {
    this.#number = number
    this.#kept = new Map(kept.map((image) => [imageId(image), image]))
  }

  /** The last number that was given. */
  get number(): number {
    return this.#number
  }

  nextNumber(): number {
    this.#number += 1
    return this.#number
  }

  /** Adds what the draft's events mean: objects that come and go, and what is told of them. */
  draftEvents(draft: Draft, objects: (key: ImageKey) => readonly Image[]): void {
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

  /**
   * Adds an object that may say something else than before; with `all` also what says the same, to be published after
   * a restart.
   */
  draftChange({ scope }: ImageKey, image: Image, draft: Draft, all: boolean): void {
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
    const kept = { ...before, content, number: this.nextNumber() }
    const object = servedImage(image, kept)
    this.#kept.set(id, kept)
    draft.images.set(id, { kept, object })
    const entry = { number: kept.number, namespace, namespaceUid, object: id }
    draft.notices[scope ? 'images' : 'clusterimages'].push({ ...entry, notice: { type: 'MODIFIED', object } })
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
}

/** The images that an event is about: its namespace's, and the cluster's where it is one of the cluster's. */
function identitiesOf({ namespace, namespaceUid, image, cluster }: JournalEvent): ImageIdentity[] {
  const own = { namespace, namespaceUid, reference: image }
  return cluster ? [own, { namespace: '', namespaceUid: '', reference: image }] : [own]
}

function contentOf(image: Image): string {
  return createHash('sha1').update(JSON.stringify(image)).digest('base64')
}
