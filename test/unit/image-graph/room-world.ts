import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import {
  createImageGraph,
  IMAGE_GRAPH_DEFAULTS,
  type ImageGraphConfig,
  type ImageGraphPlural,
} from '../../../server/image-graph/index.ts'
import type {
  GetQuery,
  ListPage,
  ListQuery,
  ResourceReader,
  ServedObject,
  WatchNotice,
  WatchQuery,
} from '../../../server/kit/api/resource.ts'
import type { Leadership } from '../../../server/kit/lease/leadership.ts'
import { createMetricsRegistry } from '../../../server/kit/metrics.ts'
import type { Room } from '../../../server/kit/room.ts'
import { openStore } from '../../../server/kit/store/open-store.ts'
import { type Store, StoreFull } from '../../../server/kit/store/store.ts'
import type { Clock } from '../../../src/core/lib/time.ts'
import { ManualClock } from '../../kit/manual-clock.ts'
import { recordedLog } from '../../kit/recorded-log.ts'
import { PaperCluster } from './paper-cluster.ts'

const CALLER = { username: 'test', uid: '', groups: [], extra: {} }

/** A leadership that is had at once and taken away by the test. */
class PaperLeadership implements Leadership {
  holder: string | undefined = 'this one'
  free = true
  #wake: () => void = () => {}
  #lose: () => void = () => {}

  give(): void {
    this.free = true
    this.#wake()
  }

  take(): void {
    this.free = false
    this.holder = 'another'
    this.#lose()
  }

  async lead(work: (holding: AbortSignal) => Promise<void>, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      if (this.free) {
        const lost = new AbortController()
        this.#lose = () => lost.abort()
        await work(AbortSignal.any([signal, lost.signal]))
      } else {
        await new Promise<void>((resolve) => {
          this.#wake = resolve
          signal.addEventListener('abort', () => resolve(), { once: true })
        })
      }
    }
  }
}

/** The image graph over a cluster on paper and a store on disk; it can be stopped and started again. */
export class RoomWorld {
  readonly clock = new ManualClock()
  readonly cluster = new PaperCluster(this.clock)
  readonly folder = mkdtempSync(join(tmpdir(), 'deckwatch-image-graph-'))
  readonly log = recordedLog()
  readonly leadership = new PaperLeadership()
  readonly config: ImageGraphConfig
  /** What the room's clock is ahead, in milliseconds: somebody set it. */
  skew = 0
  /** While set, every write finds the disk full. */
  full = false
  metrics = createMetricsRegistry()
  #running: { readonly room: Room; readonly stop: AbortController; readonly ended: Promise<void> } | undefined

  constructor(config: Partial<ImageGraphConfig> = {}) {
    this.config = { ...IMAGE_GRAPH_DEFAULTS, ...config }
  }

  get room(): Room {
    if (!this.#running) throw new Error('the room is not running')
    return this.#running.room
  }

  /** Starts the room; it is in sync when this resolves, as far as nothing keeps it. */
  async start(): Promise<void> {
    const { cluster, log, leadership, config } = this
    const clock: Clock = {
      now: () => this.clock.now() + this.skew,
      sleep: (ms, signal) => this.clock.sleep(ms, signal),
    }
    this.metrics = createMetricsRegistry()
    const room = createImageGraph({
      pods: cluster.pods,
      nodes: cluster.nodes,
      transport: cluster.transport,
      openStore: (options) => this.#fillable(openStore({ ...options, folder: this.folder }, { clock, log })),
      leadership,
      clock,
      log,
      metrics: this.metrics,
      config,
    })
    const stop = new AbortController()
    const ended = room.run(stop.signal)
    ended.catch(() => undefined)
    this.#running = { room, stop, ended }
    await this.settle()
  }

  async stop(): Promise<void> {
    const running = this.#running
    this.#running = undefined
    running?.stop.abort()
    await running?.ended
  }

  /** Stops for good and removes the store. */
  async end(): Promise<void> {
    await this.stop()
    rmSync(this.folder, { recursive: true, force: true })
  }

  /** Lets some seconds pass, in which all that has happened is taken in. */
  async settle(seconds = 3): Promise<void> {
    for (let second = 0; second < seconds; second += 1) {
      for (let turn = 0; turn < 12; turn += 1) await setImmediate()
      await this.clock.advance(1000)
    }
    for (let turn = 0; turn < 12; turn += 1) await setImmediate()
  }

  reader(plural: ImageGraphPlural): ResourceReader {
    const resource = this.room.resources.find((each) => each.plural === plural)
    if (!resource) throw new Error(`the room does not serve ${plural}`)
    return resource.reader
  }

  list(plural: ImageGraphPlural, query: Partial<ListQuery> = {}): Promise<ListPage> {
    const all = { namespace: undefined, namespaceUid: undefined, fields: [], limit: 0, continue: '' }
    return this.reader(plural).list({ ...all, sinceTime: undefined, ...query }, CALLER, AbortSignal.any([]))
  }

  get(plural: ImageGraphPlural, query: Partial<GetQuery>): Promise<ServedObject | undefined> {
    const all = { name: '', namespace: undefined, namespaceUid: undefined }
    return this.reader(plural).get({ ...all, ...query }, CALLER, AbortSignal.any([]))
  }

  watch(
    plural: ImageGraphPlural,
    query: Partial<WatchQuery> = {},
    signal = AbortSignal.any([]),
  ): AsyncIterator<WatchNotice> {
    const all = { namespace: undefined, namespaceUid: undefined, fields: [], resourceVersion: undefined }
    const notices = this.reader(plural).watch({ ...all, sinceTime: undefined, ...query }, CALLER, signal)
    return notices[Symbol.asyncIterator]()
  }

  /** Everything that a watch from a place tells by now. */
  async replay(
    plural: ImageGraphPlural,
    resourceVersion: string | undefined,
    query: Partial<WatchQuery> = {},
  ): Promise<WatchNotice[]> {
    const stop = new AbortController()
    const watch = this.watch(plural, { ...query, resourceVersion }, stop.signal)
    const told: WatchNotice[] = []
    let quiet = false
    const reading = (async () => {
      for (;;) {
        const { done, value } = await watch.next()
        if (done) return
        quiet = false
        told.push(value)
      }
    })()
    // Looked at below, once it is quiet.
    reading.catch(() => undefined)
    while (!quiet) {
      quiet = true
      for (let turn = 0; turn < 5; turn += 1) await setImmediate()
    }
    stop.abort()
    await reading
    return told
  }

  #fillable(store: Store): Store {
    return new Proxy(store, {
      get: (target, key) => {
        if (key === 'write' && this.full) {
          return () => {
            throw new StoreFull('on purpose')
          }
        }
        const value: unknown = Reflect.get(target, key, target)
        return typeof value === 'function' ? (value.bind(target) as unknown) : value
      },
    })
  }
}
