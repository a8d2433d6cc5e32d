import { isDeepStrictEqual } from 'node:util'
import { backoffDelay } from '../../../src/core/kube/backoff.ts'
import { listWatch, type ListWatchEvent, type ListWatchTimes } from '../../../src/core/kube/list-watch.ts'
import type { ResourceSource } from '../../../src/core/kube/paged-list.ts'
import type { KubeTransport } from '../../../src/core/kube/transport.ts'
import type { Watched } from '../../../src/core/kube/watch-frame.ts'
import { DeckError, type ErrorCode } from '../../../src/core/lib/errors.ts'
import type { Clock } from '../../../src/core/lib/time.ts'
import type { Log } from '../log.ts'
import type { MetricsRegistry } from '../metrics.ts'
import type { Reflector } from './cluster-watch.ts'
import { EventQueue } from './event-queue.ts'
import { type ReflectorMetrics, reflectorMetrics } from './reflector-metrics.ts'

/** What a reflector stands on. */
export interface ReflectorDeps<T extends Watched> {
  readonly transport: KubeTransport
  readonly source: ResourceSource<T>
  readonly clock: Clock
  readonly log: Log
  readonly metrics: MetricsRegistry
  /** Events that may wait for one subscriber before the watch is held back; 2,000 where left out. */
  readonly queueLimit?: number
  /** How long an API server may refuse before the first watch; 30 s where left out. */
  readonly patienceMs?: number
  readonly times?: Partial<ListWatchTimes>
}

const QUEUE_LIMIT = 2000

/** A right that was just given, or an API server that just started, is refused for some seconds: its caches are behind. */
const PATIENCE_MS = 30_000
const REFUSED: ReadonlySet<ErrorCode> = new Set(['KUBE_FORBIDDEN', 'KUBE_UNAUTHORIZED'] satisfies ErrorCode[])
const RETRY = { firstMs: 250, maxMs: 4000 }

/** A reflector of the source's objects; it lists once it runs, and is run once. */
export function createReflector<T extends Watched>(deps: ReflectorDeps<T>): Reflector<T> {
  return new ListWatchReflector(deps)
}

class ListWatchReflector<T extends Watched> implements Reflector<T> {
  readonly #deps: ReflectorDeps<T>
  readonly #metrics: ReflectorMetrics
  readonly #log: Log
  readonly #objects = new Map<string, T>()
  readonly #queues = new Set<EventQueue<ListWatchEvent<T>>>()
  #synced = false
  /** Why nothing is heard at present, as it was told; undefined while all is well. */
  #outage: Extract<ListWatchEvent<T>, { readonly type: 'interrupted' | 'failing' }> | undefined
  #ended = false

  constructor(deps: ReflectorDeps<T>) {
    const { resource } = deps.source.purpose
    this.#deps = deps
    this.#metrics = reflectorMetrics(deps.metrics, resource)
    this.#log = deps.log.child({ resource })
  }

  async *subscribe(signal: AbortSignal): AsyncGenerator<ListWatchEvent<T>, void> {
    const queue = new EventQueue<ListWatchEvent<T>>(this.#deps.queueLimit ?? QUEUE_LIMIT)
    const leave = (): void => queue.close({ forget: true })
    signal.addEventListener('abort', leave)
    if (signal.aborted) leave()
    else if (this.#ended) queue.close({ forget: false })
    else this.#queues.add(queue)
    // From here on the queue holds all that happens, so what is known now is told first.
    const known = [...this.#objects.values()]
    const begin = this.#begin(known.length)
    try {
      for (const object of known) {
        if (signal.aborted) return
        yield { type: 'added', object, initial: true }
      }
      yield* begin
      for (;;) {
        const event = await queue.next()
        if (event === undefined) return
        yield event
      }
    } finally {
      signal.removeEventListener('abort', leave)
      this.#queues.delete(queue)
      leave()
    }
  }

  async run(signal: AbortSignal): Promise<void> {
    const { clock, patienceMs = PATIENCE_MS } = this.#deps
    let until: number | undefined
    try {
      for (let refusals = 1; !signal.aborted; refusals += 1) {
        const began = clock.now()
        try {
          await this.#follow(signal, patienceMs)
        } catch (error) {
          if (signal.aborted) return
          // The server was away for that long, and is another one now.
          if (clock.now() - began > patienceMs) until = undefined
          until ??= clock.now() + patienceMs
          const waitMs = backoffDelay(refusals, Math.random(), 0, RETRY)
          if (!this.#mayPass(error) || clock.now() + waitMs > until) throw error
          this.#log.warn({ err: error, waitMs }, 'refused at the start; trying again')
          await clock.sleep(waitMs, signal).catch(() => undefined)
        }
      }
    } finally {
      this.#ended = true
      for (const queue of this.#queues) queue.close({ forget: false })
    }
  }

  async #follow(signal: AbortSignal, refusedMs: number): Promise<void> {
    const { transport, source, clock, times = {} } = this.#deps
    for await (const event of listWatch({ transport, source, clock, signal, times, refusedMs })) {
      if (!this.#take(event)) continue
      for (const queue of this.#queues) queue.put(event)
      for (const queue of this.#queues) await queue.roomLeft()
    }
  }

  /** Whether to begin anew may help, and nothing was told that it would tell twice. */
  #mayPass(error: unknown): boolean {
    return error instanceof DeckError && REFUSED.has(error.code) && !this.#synced && this.#objects.size === 0
  }

  /** What a subscriber that comes now is told after the known objects. */
  #begin(count: number): ListWatchEvent<T>[] {
    if (!this.#synced) return []
    return [{ type: 'synced', count }, ...(this.#outage ? [this.#outage] : [])]
  }

  /** Takes an event into the known state; false where it says nothing new to subscribers. */
  #take(event: ListWatchEvent<T>): boolean {
    switch (event.type) {
      case 'added':
      case 'modified': {
        this.#objects.set(event.object.uid, event.object)
        // Heartbeats of nodes and conditions of pods change nothing that the projection keeps.
        if (event.type === 'modified' && sameProjection(event.object, event.previous)) return false
        this.#count(event.type)
        return true
      }
      case 'deleted':
        this.#objects.delete(event.object.uid)
        this.#count(event.type)
        return true
      case 'synced':
        this.#synced = true
        this.#log.info({ objects: event.count }, 'listed')
        return true
      case 'interrupted':
      case 'failing':
        if (event.type === 'interrupted') this.#metrics.interrupted()
        this.#outage = event
        this.#log.warn(
          { reason: event.reason },
          event.type === 'interrupted' ? 'watch lost' : 'still not watching',
        )
        return true
      case 'resumed':
        this.#outage = undefined
        this.#log.info({ downMs: event.downMs, how: event.how }, 'watching again')
        return true
      default:
        return event satisfies never
    }
  }

  #count(type: 'added' | 'modified' | 'deleted'): void {
    this.#metrics.event(type, this.#deps.clock.now())
    this.#metrics.objects(this.#objects.size)
  }
}

function sameProjection<T extends Watched>(one: T, other: T): boolean {
  return isDeepStrictEqual({ ...one, resourceVersion: '' }, { ...other, resourceVersion: '' })
}
