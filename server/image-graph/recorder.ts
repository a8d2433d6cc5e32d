import type { Clock } from '../../src/core/lib/time.ts'
import type { NodeImages } from '../../src/core/model/node-images.ts'
import type { PodSlice } from '../../src/core/wire/pod.ts'
import type { Log } from '../kit/log.ts'
import { StoreFull } from '../kit/store/store.ts'
import type { PodBatch, PodEvent } from './feed.ts'
import { type Draft, ImageBook, newDraft } from './image-book.ts'
import type { JournalWrite } from './image-journal.ts'
import { type ImageKey, type ImageState, scopeKey } from './image-state.ts'
import { journalEvents, type SeenTransition } from './journal-events.ts'
import type { KnownPod } from './journal-records.ts'
import type { ImageGraphMetrics } from './metrics.ts'
import type { Published } from './published.ts'

/** What the recorder stands on. */
export interface RecorderDeps {
  readonly state: ImageState
  readonly published: Published
  /** The uid of the namespace that this very pod is in; empty where it has gone. */
  readonly namespaceUid: (pod: PodSlice, signal: AbortSignal) => Promise<string>
  /** What has come after the batch that is being recorded, up to the end of this pod, which is waited for a little. */
  readonly untilEnd: (uid: string, signal: AbortSignal) => Promise<readonly PodEvent[]>
  readonly clock: Clock
  readonly metrics: ImageGraphMetrics
  readonly log: Log
}

/** While there is no space, writing is tried again after so many milliseconds. */
const FULL_RETRY_MS = 5000

/** So many pods are asked for at most to find out whose namespace it is. */
const MOST_ASKED = 20

/** Objects are made for so many pods in one go, which takes some milliseconds. */
const PODS_AT_ONCE = 2000

/** The one writer of the journal: turns what pods do into events and objects, commits them, and then publishes them. */
export class Recorder {
  readonly #deps: RecorderDeps
  readonly #book: ImageBook

  /** Goes on where the journal ends: with the pods and images that were known then. */
  constructor(deps: RecorderDeps) {
    const { journal } = deps.published
    this.#deps = deps
    this.#book = new ImageBook(journal.state.number, journal.images())
    for (const { uid, namespace, namespaceUid, name, edges } of journal.pods()) {
      const images = edges.map((edge) => ({ ...edge, pullPolicy: '', imageID: '' }))
      const unknown = { resourceVersion: '', nodeName: '', phase: '', templateHash: '', owner: undefined }
      deps.state.put({ uid, namespace, name, images, ...unknown }, namespaceUid)
    }
  }

  /** Takes a batch of pods in; resolves when what it means is committed and published, however long that takes. */
  async record(batch: PodBatch, nodes: NodeImages | undefined, signal: AbortSignal): Promise<void> {
    const { events, pods } = await this.#events(batch, signal)
    if (events.length === 0 && pods.size === 0) return
    const draft = newDraft(events, pods)
    this.#book.draftEvents(draft, (key) => this.#deps.state.objects(key, nodes))
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
    this.#book.draftEvents(draft, (key) => made.get(keyText(key))?.images ?? [])
    for (const { key, images } of made.values()) {
      for (const image of images) this.#book.draftChange(key, image, draft, true)
    }
    if (draft.events.length > 0 || draft.pods.size > 0 || draft.images.size > 0)
      await this.#commit(draft, signal)
    else this.#publish(draft)
  }

  /**
   * Tells what the objects of these images say by now, where it is not what they said before. What is left over is
   * given back, so that pods that come need not wait for all of it.
   */
  async flush(
    keys: readonly ImageKey[],
    nodes: NodeImages | undefined,
    signal: AbortSignal,
  ): Promise<readonly ImageKey[]> {
    const { state } = this.#deps
    const draft = newDraft([], new Map())
    let [done, pods] = [0, 0]
    for (const key of keys) {
      if (pods > PODS_AT_ONCE) break
      pods += state.users(key)
      done += 1
      for (const image of state.objects(key, nodes)) this.#book.draftChange(key, image, draft, false)
    }
    if (draft.images.size > 0) await this.#commit(draft, signal)
    return keys.slice(done)
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
      const uid = isNew ? await this.#namespaceUid(batch, index, signal) : ''
      const transitions = state.put(pod, uid)
      for (const transition of transitions) seen.push({ transition, time })
      if (isNew || transitions.length > 0) pods.set(pod.uid, this.#known(pod))
    }
    const events = journalEvents(seen, {
      late: batch.late,
      net: batch.net,
      inUse: (image) => state.inUse(image),
    }).map((event) => ({ ...event, number: this.#book.nextNumber() }))
    return { events, pods }
  }

  /**
   * The uid of the namespace that the pod of an event is in. Where the pod has gone meanwhile, one that came while it was
   * there tells: a namespace does not end before the last of its pods.
   */
  async #namespaceUid(batch: PodBatch, index: number, signal: AbortSignal): Promise<string> {
    const { state, namespaceUid, untilEnd } = this.#deps
    const first = batch.events[index]?.pod
    if (!first) return ''
    let uid = state.namespaceUid(first.namespace) ?? ''
    if (uid !== '') return uid
    let asked = 0
    const ask = async (events: Iterable<PodEvent>): Promise<boolean> => {
      for (const { op, pod } of events) {
        if (uid !== '' || asked >= MOST_ASKED || (op === 'remove' && pod.uid === first.uid)) return true
        if (op !== 'put' || pod.namespace !== first.namespace) continue
        asked += 1
        uid = await namespaceUid(pod, signal)
      }
      return uid !== ''
    }
    const known = await ask(batch.events.slice(index))
    if (!known && !batch.net) await ask(await untilEnd(first.uid, signal))
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

  async #commit(draft: Draft, signal: AbortSignal): Promise<void> {
    const { published, clock, log, metrics, state } = this.#deps
    const write: JournalWrite = {
      number: this.#book.number,
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
