import type { KubeTransport } from '../../src/core/kube/transport.ts'
import type { WatchedNode } from '../../src/core/kube/node-list.ts'
import { DeckError } from '../../src/core/lib/errors.ts'
import { type Clock, rfc3339Seconds } from '../../src/core/lib/time.ts'
import type { PodSlice } from '../../src/core/wire/pod.ts'
import { ApiError } from '../kit/api/api-error.ts'
import type { ResourceReader, ServedResource } from '../kit/api/resource.ts'
import { retryAfter } from '../kit/api/retry-after.ts'
import type { Reflector } from '../kit/cluster-watch/cluster-watch.ts'
import type { Leadership } from '../kit/lease/leadership.ts'
import type { Log } from '../kit/log.ts'
import type { MetricsRegistry } from '../kit/metrics.ts'
import type { ProbeAnswer, Room, StoreUsage } from '../kit/room.ts'
import { type Store, StoreFull, type StoreOptions } from '../kit/store/store.ts'
import type { ImageGraphConfig } from './config.ts'
import { EventReader } from './event-reader.ts'
import { ImageJournal } from './image-journal.ts'
import { ImageReader } from './image-reader.ts'
import { MIGRATIONS } from './journal-migrations.ts'
import { ListSnapshots } from './list-snapshots.ts'
import { createImageGraphMetrics, type ImageGraphMetrics } from './metrics.ts'
import type { Published } from './published.ts'
import { imageGraphResources, type ImageGraphPlural } from './resources.ts'
import { Session, STEP_MS } from './session.ts'
import { journalUsage } from './store-usage.ts'

export { IMAGE_GRAPH_DEFAULTS, type ImageGraphConfig } from './config.ts'
export { IMAGE_GRAPH_PLURALS, imageGraphResources, type ImageGraphPlural } from './resources.ts'

/** What the image graph stands on. */
export interface ImageGraphDeps {
  readonly pods: Reflector<PodSlice>
  readonly nodes: Reflector<WatchedNode>
  /** For the uids of namespaces. */
  readonly transport: KubeTransport
  /** Opens the room's store in the folder of the volume; the room closes it when it no longer leads. */
  readonly openStore: (options: Omit<StoreOptions, 'folder'>) => Store
  /** Of the Lease `deckwatch-image-graph`. */
  readonly leadership: Leadership
  readonly clock: Clock
  readonly log: Log
  readonly metrics: MetricsRegistry
  readonly config: ImageGraphConfig
}

const NAME = 'image-graph'

/** While another process still has the store, or there is no space, opening it is tried again after so many milliseconds. */
const OPEN_RETRY_MS = 2000

/** The room of the image graph: which images are in use where, since when, and what came and went before. */
export function createImageGraph(deps: ImageGraphDeps): Room {
  return new ImageGraphRoom(deps)
}

class ImageGraphRoom implements Room {
  readonly name = NAME
  readonly resources: readonly ServedResource[]
  readonly #deps: ImageGraphDeps
  readonly #metrics: ImageGraphMetrics
  readonly #log: Log
  #journal: ImageJournal | undefined
  #session: Session | undefined
  /** Why the store cannot be opened, while that is tried again. */
  #unopened: string | undefined
  #running = false
  /** Since when nothing is served, in epoch milliseconds, while nothing is. */
  #unservedSince: number

  constructor(deps: ImageGraphDeps) {
    this.#deps = deps
    this.#unservedSince = deps.clock.now()
    this.#log = deps.log.child({ room: NAME })
    this.#metrics = createImageGraphMetrics(deps.metrics)
    const readers = this.#readers()
    this.resources = imageGraphResources((plural) => readers[plural])
  }

  async run(signal: AbortSignal): Promise<void> {
    this.#running = true
    try {
      await this.#deps.leadership.lead((holding) => this.#lead(holding), signal)
    } finally {
      this.#running = false
    }
  }

  ready(): ProbeAnswer {
    const published = this.#session?.published
    if (!published) return { ok: false, reason: this.#waitingFor() }
    const notes = [this.#session?.reason ?? '', ...spaceNotes(published), ...damageNotes(published)]
    return { ok: true, reason: notes.join('; ') }
  }

  alive(): ProbeAnswer {
    if (!this.#session) return { ok: true, reason: this.#waitingFor() }
    const idleMs = this.#deps.clock.now() - this.#session.lastStep
    const ok = idleMs < 1.5 * STEP_MS
    return {
      ok,
      reason: ok
        ? this.#session.reason
        : `the last step was finished ${Math.round(idleMs / 1000)} s ago, one is due every ${STEP_MS / 1000} s`,
    }
  }

  storeUsage(): StoreUsage {
    const { config, clock } = this.#deps
    if (this.#journal) return journalUsage(this.#journal, config, clock.now())
    return { usedBytes: 0, limitBytes: config.historyBytes, oldest: undefined, bytesPerDay: undefined }
  }

  /** Works as the one writer until the Lease is lost. */
  async #lead(holding: AbortSignal): Promise<void> {
    try {
      const { store, journal } = await this.#open(holding)
      try {
        this.#journal = journal
        this.#session = new Session({ ...this.#deps, journal, log: this.#log, metrics: this.#metrics })
        await this.#session.run(holding)
      } finally {
        if (this.#session?.published) this.#unservedSince = this.#deps.clock.now()
        this.#session = undefined
        this.#journal = undefined
        store.close()
      }
    } catch (error) {
      if (!holding.aborted) throw error
    }
  }

  /** Opens the journal; the process that led before may still be on its way out, and the disk may be full. */
  async #open(signal: AbortSignal): Promise<{ store: Store; journal: ImageJournal }> {
    const { openStore, clock } = this.#deps
    for (;;) {
      signal.throwIfAborted()
      let store: Store | undefined
      try {
        store = openStore({ name: NAME, migrations: MIGRATIONS })
        const journal = new ImageJournal(store, clock.now())
        this.#unopened = undefined
        return { store, journal }
      } catch (error) {
        store?.close()
        const isLocked = error instanceof DeckError && error.code === 'STORE_LOCKED'
        const isFull = [error, error instanceof Error && error.cause].some(
          (each) => each instanceof StoreFull,
        )
        // A process that ended for want of space would take the API along, which says what is wrong.
        if (!(error instanceof Error && (isLocked || isFull))) throw error
        this.#unopened = error.message
        this.#log.warn({ err: error }, 'the store cannot be used yet')
        await clock.sleep(OPEN_RETRY_MS, signal)
      }
    }
  }

  #readers(): Record<ImageGraphPlural, ResourceReader> {
    const published = (): Published => this.#served()
    const snapshots = new ListSnapshots(this.#deps.clock)
    const ofImages = { published, snapshots, warnings: spaceNotes }
    const ofEvents = { published, warnings: (from: Published) => [...spaceNotes(from), ...damageNotes(from)] }
    return {
      images: new ImageReader({ plural: 'images', ...ofImages }),
      clusterimages: new ImageReader({ plural: 'clusterimages', ...ofImages }),
      imageevents: new EventReader({ cluster: false, ...ofEvents }),
      clusterimageevents: new EventReader({ cluster: true, ...ofEvents }),
    }
  }

  #served(): Published {
    const published = this.#session?.published
    if (published) return published
    const again = retryAfter(this.#unservedSince, this.#deps.clock.now())
    throw new ApiError(
      'ServiceUnavailable',
      `the image graph cannot answer yet: ${this.#waitingFor()}`,
      again,
    )
  }

  #waitingFor(): string {
    if (this.#session) return this.#session.reason
    if (this.#unopened !== undefined) return this.#unopened
    if (!this.#running) return 'not running'
    const { holder } = this.#deps.leadership
    return `waiting for the Lease deckwatch-image-graph${holder ? `, held by ${holder}` : ''}`
  }
}

function spaceNotes({ fullSince }: Published): string[] {
  if (fullSince === undefined) return []
  const since = rfc3339Seconds(fullSince)
  return [
    `no space is left on the companion's volume: nothing is recorded since ${since}, and what is shown is of then`,
  ]
}

function damageNotes({ journal: { setAside, state } }: Published): string[] {
  if (!setAside) return []
  const at = rfc3339Seconds(state.begins)
  return [`the history was found damaged and begun anew at ${at}; the old file was set aside`]
}
