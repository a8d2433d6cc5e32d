import type { WatchNotice } from '../kit/api/resource.ts'

/** A notice of an object with its number, and the namespace that it belongs to. */
export interface NoticeEntry {
  readonly number: number
  readonly notice: Exclude<WatchNotice, { readonly type: 'BOOKMARK' }>
  /** Both empty for objects of the whole cluster. */
  readonly namespace: string
  readonly namespaceUid: string
  /** Identifies the object, so that a change of it replaces the one before; undefined for what happens once. */
  readonly object: string | undefined
}

/** Beyond so many the oldest are let go: who reads as far back as those reads the journal. */
const KEPT = 2000

/**
 * The latest notices of one resource, shared by all who watch it: each stands at its own number, and nothing is queued
 * for any of them. Of the changes of one object only the latest is kept.
 */
export class NoticeLog {
  readonly #entries: NoticeEntry[] = []
  /** The number of each object's latest change, as long as that is here. */
  readonly #changes = new Map<string, number>()
  readonly #waiting = new Set<() => void>()
  #floor: number
  #ticks = 0
  #closed = false

  /** Everything after `floor` will be here. */
  constructor(floor: number) {
    this.#floor = floor
  }

  /** Whether everything after this number is here. */
  covers(number: number): boolean {
    return number >= this.#floor
  }

  get closed(): boolean {
    return this.#closed
  }

  /** How often `tick` was called: who sees another count than before sends a bookmark. */
  get ticks(): number {
    return this.#ticks
  }

  /** Adds notices in the order of their numbers. */
  append(entries: readonly NoticeEntry[]): void {
    if (entries.length === 0) return
    for (const entry of entries) {
      if (entry.notice.type === 'MODIFIED' && entry.object !== undefined)
        this.#replace(entry.object, entry.number)
      this.#entries.push(entry)
    }
    const excess = this.#entries.length - KEPT
    if (excess > 0) this.#drop(excess)
    this.#wake()
  }

  /** The notices after a number that the log covers, at most `limit`. */
  after(number: number, limit: number): NoticeEntry[] {
    const start = this.#indexAfter(number)
    return this.#entries.slice(start, start + limit)
  }

  /** Asks every watcher for a bookmark. */
  tick(): void {
    this.#ticks += 1
    this.#wake()
  }

  /** Resolves with the next notice, tick, end of the log, or abort. */
  changed(signal: AbortSignal): Promise<void> {
    if (this.#closed || signal.aborted) return Promise.resolve()
    return new Promise((resolve) => {
      const wake = (): void => {
        this.#waiting.delete(wake)
        signal.removeEventListener('abort', wake)
        resolve()
      }
      this.#waiting.add(wake)
      signal.addEventListener('abort', wake)
    })
  }

  /** Nothing more comes from here: watchers end, and ask anew. */
  close(): void {
    this.#closed = true
    this.#wake()
  }

  #replace(object: string, number: number): void {
    const before = this.#changes.get(object)
    this.#changes.set(object, number)
    if (before === undefined) return
    const i = this.#indexAfter(before - 1)
    if (this.#entries[i]?.number === before) this.#entries.splice(i, 1)
  }

  #drop(count: number): void {
    for (const { number, object } of this.#entries.splice(0, count)) {
      this.#floor = number
      if (object !== undefined && this.#changes.get(object) === number) this.#changes.delete(object)
    }
  }

  #indexAfter(number: number): number {
    let [low, high] = [0, this.#entries.length]
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.#entries[middle]?.number ?? Infinity) > number) high = middle
      else low = middle + 1
    }
    return low
  }

  #wake(): void {
    // Each takes itself out of the set; who waits again by then waits for the next time.
    const waiting = [...this.#waiting]
    for (const wake of waiting) wake()
  }
}
