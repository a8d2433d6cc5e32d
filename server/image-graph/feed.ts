import { setImmediate } from 'node:timers/promises'
import type { WatchedNode } from '../../src/core/kube/node-list.ts'
import { type Clock, timeLeft } from '../../src/core/lib/time.ts'
import type { NodeSlice } from '../../src/core/wire/node.ts'
import type { PodSlice } from '../../src/core/wire/pod.ts'
import type { Reflector } from '../kit/cluster-watch/cluster-watch.ts'

/** What became of a pod, and when that was seen, in epoch milliseconds. */
export interface PodEvent {
  readonly op: 'put' | 'remove'
  readonly pod: PodSlice
  readonly time: number
}

/** Events of pods that are recorded together. */
export interface PodBatch {
  readonly events: readonly PodEvent[]
  /** Nobody was watching when it happened. */
  readonly late: boolean
  /** The difference of two lists, in which only what differs in the end is true. */
  readonly net: boolean
}

/** What flows in: the first whole list of pods, then batches. */
export type FeedItem =
  { readonly type: 'list'; readonly pods: readonly PodSlice[] } | ({ readonly type: 'batch' } & PodBatch)

/** Where pods and nodes come from. */
export interface FeedDeps {
  readonly pods: Reflector<PodSlice>
  readonly nodes: Reflector<WatchedNode>
  readonly clock: Clock
}

/** Beyond so many events that wait the reflector is held back. */
const MOST_WAITING = 5000

/** Gathers what reflectors tell until somebody takes it: what came meanwhile is one batch. */
export class Feed {
  readonly #deps: FeedDeps
  #items: FeedItem[] = []
  /** Live events that have come since the last item. */
  #live: PodEvent[] = []
  #waiting = 0
  readonly #nodes = new Map<string, WatchedNode>()
  #nodesSynced = false
  #nodesChanged = false
  #wake: (() => void) | undefined
  #taken: (() => void) | undefined

  constructor(deps: FeedDeps) {
    this.#deps = deps
  }

  /** Listens until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const letGo = (): void => this.#taken?.()
    signal.addEventListener('abort', letGo)
    try {
      await Promise.all([this.#followPods(signal), this.#followNodes(signal)])
    } finally {
      signal.removeEventListener('abort', letGo)
    }
  }

  /** Whether all nodes are known. */
  get nodesSynced(): boolean {
    return this.#nodesSynced
  }

  /** Whether nodes say something else than when they were taken last. */
  get nodesChanged(): boolean {
    return this.#nodesChanged
  }

  /** All nodes as they are now. */
  takeNodes(): NodeSlice[] {
    this.#nodesChanged = false
    return [...this.#nodes.values()]
  }

  /** Everything that has come and was not taken yet, in its order. */
  take(): FeedItem[] {
    this.#closeBatch()
    const items = this.#items
    this.#items = []
    this.#waiting = 0
    this.#taken?.()
    return items
  }

  /** Resolves when all nodes are known, or after `ms`; rejects when the signal aborts. */
  async waitForNodes(ms: number, signal: AbortSignal): Promise<void> {
    if (!this.#nodesSynced) await this.#sleep(ms, signal)
  }

  /** Resolves when there is something to take, or after `ms`; rejects when the signal aborts. */
  async wait(ms: number, signal: AbortSignal): Promise<void> {
    if (this.#items.length === 0 && this.#live.length === 0) await this.#sleep(ms, signal)
  }

  /**
   * What has come and was not taken yet, up to the end of this pod: all of it came to be while the pod was there. Its
   * end is waited for up to `ms`. Nothing is taken; rejects when the signal aborts.
   */
  async untilEnd(uid: string, ms: number, signal: AbortSignal): Promise<readonly PodEvent[]> {
    const { clock } = this.#deps
    for (const until = clock.now() + ms; ;) {
      const events: PodEvent[] = []
      let ended = false
      for (const item of [...this.#items, { type: 'batch', events: this.#live, net: false } as const]) {
        // Between two lists there is no order.
        ended ||= item.type === 'list' || item.net
        if (ended || item.type === 'list') break
        const end = item.events.findIndex(({ op, pod }) => op === 'remove' && pod.uid === uid)
        ended = end >= 0
        events.push(...(ended ? item.events.slice(0, end) : item.events))
      }
      const left = timeLeft(clock, until, ms)
      if (ended || left === 0 || this.#waiting > MOST_WAITING) return events
      await this.#sleep(left, signal)
    }
  }

  async #sleep(ms: number, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted()
    const enough = new AbortController()
    const woken = new Promise<void>((resolve) => {
      this.#wake = resolve
    })
    const wake = (): void => this.#wake?.()
    signal.addEventListener('abort', wake)
    await Promise.race([this.#deps.clock.sleep(ms, enough.signal).catch(() => undefined), woken])
    signal.removeEventListener('abort', wake)
    this.#wake = undefined
    enough.abort()
    // What comes with the same bytes belongs into the same transaction.
    await setImmediate()
    signal.throwIfAborted()
  }

  async #followPods(signal: AbortSignal): Promise<void> {
    const { pods, clock } = this.#deps
    let list: Map<string, PodSlice> | undefined = new Map()
    // What is told between the end of an outage and `resumed`: only that says what it is.
    let missed: PodEvent[] | undefined
    for await (const event of pods.subscribe(signal)) {
      switch (event.type) {
        case 'added':
        case 'modified':
        case 'deleted': {
          const op = event.type === 'deleted' ? 'remove' : 'put'
          if (list) {
            if (op === 'put') list.set(event.object.uid, event.object)
            else list.delete(event.object.uid)
            break
          }
          const seen = { op, pod: event.object, time: clock.now() } as const
          if (missed) missed.push(seen)
          else this.#live.push(seen)
          await this.#arrived(missed ? 0 : 1, signal)
          break
        }
        case 'synced':
          if (list) this.#items.push({ type: 'list', pods: [...list.values()] })
          list = undefined
          await this.#arrived(0, signal)
          break
        case 'interrupted':
          if (!list) missed ??= []
          break
        case 'resumed':
          if (missed && missed.length > 0) {
            this.#closeBatch()
            this.#items.push({ type: 'batch', events: missed, late: true, net: event.how === 'relist' })
            await this.#arrived(missed.length, signal)
          }
          missed = undefined
          break
        case 'failing':
          break
        default:
          event satisfies never
      }
    }
  }

  async #followNodes(signal: AbortSignal): Promise<void> {
    for await (const event of this.#deps.nodes.subscribe(signal)) {
      switch (event.type) {
        case 'added':
        case 'modified':
          this.#nodes.set(event.object.uid, event.object)
          this.#nodesChanged = true
          break
        case 'deleted':
          this.#nodes.delete(event.object.uid)
          this.#nodesChanged = true
          break
        case 'synced':
          this.#nodesSynced = true
          this.#wake?.()
          break
        case 'interrupted':
        case 'failing':
        case 'resumed':
          break
        default:
          event satisfies never
      }
    }
  }

  #closeBatch(): void {
    if (this.#live.length === 0) return
    this.#items.push({ type: 'batch', events: this.#live, late: false, net: false })
    this.#live = []
  }

  async #arrived(events: number, signal: AbortSignal): Promise<void> {
    this.#waiting += events
    this.#wake?.()
    while (this.#waiting > MOST_WAITING && !signal.aborted) {
      await new Promise<void>((resolve) => {
        this.#taken = resolve
      })
    }
  }
}
