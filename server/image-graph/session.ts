import { setImmediate } from 'node:timers/promises'
import type { KubeTransport } from '../../src/core/kube/transport.ts'
import { plural } from '../../src/core/lib/text.ts'
import type { Clock } from '../../src/core/lib/time.ts'
import { NodeImages } from '../../src/core/model/node-images.ts'
import type { PodSlice } from '../../src/core/wire/pod.ts'
import { BelievableAge } from '../kit/believable-age.ts'
import type { Log } from '../kit/log.ts'
import { StoreFull } from '../kit/store/store.ts'
import type { ImageGraphConfig } from './config.ts'
import { Feed, type FeedDeps, type FeedItem, type PodEvent } from './feed.ts'
import type { ImageJournal } from './image-journal.ts'
import { type ImageKey, ImageState } from './image-state.ts'
import type { ImageGraphMetrics } from './metrics.ts'
import { NamespaceUids } from './namespace-uids.ts'
import { Published } from './published.ts'
import { Recorder } from './recorder.ts'

/** What one time of leading stands on. */
export interface SessionDeps extends FeedDeps {
  readonly transport: KubeTransport
  readonly journal: ImageJournal
  readonly clock: Clock
  readonly log: Log
  readonly metrics: ImageGraphMetrics
  readonly config: ImageGraphConfig
}

/** Changes of an object are told no more often. */
const FLUSH_MS = 1000
/** New sizes of images are taken over no more often: all objects are made anew then. */
const NODES_MS = 30_000
const TRIM_MS = 10_000
/** Watches hand on a bookmark when the last was a while ago: often enough for one a minute. */
const BOOKMARK_MS = 30_000
/** The watch tells of the end of a pod that the API server no longer has within milliseconds. */
const END_MS = 2000
/** The longest time between two steps while all is well, in milliseconds. */
export const STEP_MS = 10_000

/** The room while it holds the Lease: the one writer of the journal, from its first list of pods on. */
export class Session {
  readonly #deps: SessionDeps
  readonly #feed: Feed
  readonly #state = new ImageState()
  readonly #published: Published
  readonly #uids: NamespaceUids
  readonly #recorder: Recorder
  readonly #age: BelievableAge
  /** The uids of settled namespaces, for the first list only. */
  #settled: ReadonlyMap<string, string> = new Map()
  #nodes: NodeImages | undefined
  /** Images whose objects are still to be made anew. */
  #flushing: readonly ImageKey[] = []
  /** How many items were taken from the feed and come after the one that is being recorded. */
  #taken = 0
  #synced = false
  #lastStep: number
  #due: Record<'flush' | 'nodes' | 'trim' | 'bookmark', number>

  constructor(deps: SessionDeps) {
    const { journal, clock, log, metrics, config } = deps
    this.#deps = deps
    this.#feed = new Feed(deps)
    this.#uids = new NamespaceUids(deps)
    this.#published = new Published({ journal, summarise: (wanted) => this.#state.summary(wanted) })
    this.#recorder = new Recorder({
      state: this.#state,
      published: this.#published,
      namespaceUid: (pod, signal) => this.#namespaceUid(pod, signal),
      untilEnd: async (uid, signal) => (this.#taken > 0 ? [] : this.#feed.untilEnd(uid, END_MS, signal)),
      clock,
      metrics,
      log,
    })
    const now = clock.now()
    this.#lastStep = now
    this.#age = new BelievableAge({ now, oldest: journal.oldest, keptMs: config.historyMs, log })
    this.#due = { flush: now, nodes: now, trim: now, bookmark: now + BOOKMARK_MS }
  }

  /** What readers see; undefined before the first list of pods is recorded. */
  get published(): Published | undefined {
    return this.#synced ? this.#published : undefined
  }

  /** When the last step was finished, in epoch milliseconds. */
  get lastStep(): number {
    // While there is no space, or no answer, trying again is what is done.
    const retries = this.#published.fullSince !== undefined || this.#uids.trouble !== undefined
    return retries ? this.#deps.clock.now() : this.#lastStep
  }

  /** One clause on what is done, or waited for. */
  get reason(): string {
    const { trouble } = this.#uids
    if (trouble !== undefined) return `waiting for ${trouble}`
    if (!this.#synced) {
      return this.#published.fullSince === undefined
        ? 'waiting for the first list of pods and nodes'
        : 'waiting for space: there is no space left on the volume to record the first list of pods'
    }
    return `following ${plural(this.#state.podCount, 'pod')}, ${plural(this.#published.count('clusterimages'), 'image')} in use`
  }

  /** Works until the signal aborts, and then rejects with its reason. */
  async run(signal: AbortSignal): Promise<void> {
    const failed = new AbortController()
    const either = AbortSignal.any([signal, failed.signal])
    const feeding = this.#feed.run(either)
    const working = this.#work(either)
    try {
      await Promise.race([feeding.then(() => working), working])
    } finally {
      failed.abort()
      this.#published.close()
      await Promise.allSettled([feeding, working])
    }
  }

  async #work(signal: AbortSignal): Promise<void> {
    for (;;) {
      signal.throwIfAborted()
      const items = await this.#next(signal)
      this.#taken = items.length
      for (const item of items) {
        this.#taken -= 1
        await this.#take(item, signal)
      }
      if (this.#synced) await this.#routine(signal)
      this.#lastStep = this.#deps.clock.now()
    }
  }

  /** Waits for what comes next; the first list is taken only when the nodes are known, so that sizes are in it. */
  async #next(signal: AbortSignal): Promise<readonly FeedItem[]> {
    const { clock } = this.#deps
    if (!this.#feed.nodesSynced) {
      await this.#feed.waitForNodes(STEP_MS / 2, signal)
      return []
    }
    if (this.#flushing.length > 0) {
      await setImmediate()
      return this.#feed.take()
    }
    const flush = this.#state.isDirty ? this.#due.flush : Infinity
    const nodes = this.#feed.nodesChanged ? this.#due.nodes : Infinity
    const until = Math.min(flush, nodes, this.#due.trim, this.#due.bookmark) - clock.now()
    await this.#feed.wait(Math.min(STEP_MS / 2, Math.max(0, until)), signal)
    return this.#feed.take()
  }

  async #take(item: FeedItem, signal: AbortSignal): Promise<void> {
    if (item.type === 'list') await this.#begin(item.pods, signal)
    else await this.#recorder.record(item, this.#nodes, signal)
  }

  /** Records what the first list differs in from what was known: all of it on an empty journal. */
  async #begin(pods: readonly PodSlice[], signal: AbortSignal): Promise<void> {
    const time = this.#deps.clock.now()
    this.#nodes = new NodeImages(this.#feed.takeNodes())
    this.#settled = await this.#uids.settled(signal)
    const listed = new Set(pods.map(({ uid }) => uid))
    // Ends first: a name that was used again is free before it is taken.
    const gone = [...this.#state.pods()].filter(({ pod }) => !listed.has(pod.uid))
    const events: PodEvent[] = [
      ...gone.map(({ pod }) => ({ op: 'remove', pod, time }) as const),
      ...pods.map((pod) => ({ op: 'put', pod, time }) as const),
    ]
    await this.#recorder.begin({ events, late: true, net: true }, this.#nodes, signal)
    this.#settled = new Map()
    this.#synced = true
    this.#deps.metrics.state(this.#published, this.#state.podCount)
    this.#deps.log.info(
      { pods: this.#state.podCount, images: this.#published.count('clusterimages') },
      'the image graph is in sync',
    )
  }

  async #routine(signal: AbortSignal): Promise<void> {
    const now = this.#deps.clock.now()
    // The clock was set back: nothing waits for the time that it said before.
    if (now < this.#lastStep) this.#due = { flush: now, nodes: now, trim: now, bookmark: now }
    if (this.#feed.nodesChanged && now >= this.#due.nodes) {
      this.#nodes = new NodeImages(this.#feed.takeNodes())
      this.#state.markAllDirty()
      this.#due.nodes = now + NODES_MS
    }
    if (this.#flushing.length === 0 && this.#state.isDirty && now >= this.#due.flush) {
      this.#flushing = this.#state.takeDirty()
      this.#due.flush = now + FLUSH_MS
    }
    if (this.#flushing.length > 0)
      this.#flushing = await this.#recorder.flush(this.#flushing, this.#nodes, signal)
    if (now >= this.#due.trim && !this.#trim(now)) this.#due.trim = now + TRIM_MS
    if (now >= this.#due.bookmark) {
      this.#published.tick()
      this.#due.bookmark = now + BOOKMARK_MS
    }
  }

  /** Whether there is more to trim. */
  #trim(now: number): boolean {
    try {
      return this.#deps.journal.trim(this.#deps.config, this.#age.look(now) ? now : undefined)
    } catch (err) {
      if (!(err instanceof StoreFull)) throw err
      this.#deps.log.warn({ err }, 'old events could not be removed: no space is left')
      return false
    }
  }

  #namespaceUid(pod: PodSlice, signal: AbortSignal): Promise<string> {
    const uid = this.#settled.get(pod.namespace)
    return uid === undefined ? this.#uids.of(pod, signal) : Promise.resolve(uid)
  }
}
