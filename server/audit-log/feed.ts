import { listWatch, type ListWatchTimes } from '../../src/core/kube/list-watch.ts'
import type { KubeTransport } from '../../src/core/kube/transport.ts'
import { DeckError } from '../../src/core/lib/errors.ts'
import type { Log } from '../kit/log.ts'
import type { RecordedResource } from './config.ts'
import { type FeedItem, ResourceSteps, type StepDeps, type WatchStart } from './recorder/resource-steps.ts'
import { type ObjectReading, watchedSource } from './recorder/watched-object.ts'
import { resourceKey } from './resource-key.ts'

/** What the watches stand on. */
export interface FeedDeps extends StepDeps {
  readonly transport: KubeTransport
  readonly log: Log
  readonly reading: ObjectReading
  readonly times?: Partial<ListWatchTimes>
}

/** Beyond so many items that wait the watches are held back. */
const MOST_WAITING = 1000

/** A right that was just given, or an API server that just started, is refused for some seconds. */
const PATIENCE_MS = 30_000
/** A resource that cannot be listed (a right is missing, its definition is gone) is tried again after so long. */
const REFUSED_RETRY_MS = 30_000

/** Follows the recorded resources and tells what becomes of their objects, step by step, until somebody takes it. */
export class Feed {
  readonly #deps: FeedDeps
  #items: FeedItem[] = []
  #wake: (() => void) | undefined
  #room: (() => void)[] = []

  constructor(deps: FeedDeps) {
    this.#deps = deps
  }

  /** Items that wait to be taken. */
  get waiting(): number {
    return this.#items.length
  }

  /** What has come, at most so much of it, in its order. */
  take(most: number): readonly FeedItem[] {
    const taken = this.#items.splice(0, most)
    if (this.#items.length < MOST_WAITING) for (const go of this.#room.splice(0)) go()
    return taken
  }

  /** Resolves when something has come, or the signal aborts. */
  arrived(signal: AbortSignal): Promise<void> {
    if (this.#items.length > 0 || signal.aborted) return Promise.resolve()
    return new Promise((resolve) => {
      this.#wake = resolve
      signal.addEventListener('abort', () => resolve(), { once: true })
    })
  }

  /** Follows one resource until the signal aborts. What cannot be listed is told in the log, and tried again. */
  async follow(recorded: RecordedResource, start: WatchStart, signal: AbortSignal): Promise<void> {
    const { transport, clock, log, reading, times = {} } = this.#deps
    const source = watchedSource(recorded, reading)
    const steps = new ResourceSteps(recorded, start, this.#deps)
    const resource = resourceKey(recorded)
    while (!signal.aborted) {
      try {
        for await (const event of listWatch({
          transport,
          source,
          clock,
          signal,
          refusedMs: PATIENCE_MS,
          times,
        })) {
          for (const item of steps.take(event)) this.#items.push(item)
          this.#wake?.()
          while (this.#items.length >= MOST_WAITING && !signal.aborted) await this.#roomLeft(signal)
        }
      } catch (error) {
        if (signal.aborted) return
        if (!(error instanceof DeckError)) throw error
        log.warn({ err: error, resource }, 'a resource cannot be watched; trying again')
        for (const item of steps.lost(clock.now())) this.#items.push(item)
        this.#wake?.()
        await clock.sleep(REFUSED_RETRY_MS, signal).catch(() => undefined)
      }
    }
  }

  #roomLeft(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      this.#room.push(resolve)
      signal.addEventListener('abort', () => resolve(), { once: true })
    })
  }
}
