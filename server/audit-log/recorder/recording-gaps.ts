import type { StoredGap } from '../store/audit-store.ts'

/** What is true of both witnesses at a moment. */
export interface Witnesses {
  /** Every watch has told all objects once, and none has lost its place. */
  readonly synced: boolean
  /** One clause where reviews do not come in or are not kept (`webhook was removed`, `journal full`); else undefined. */
  readonly failing: string | undefined
}

/** What is to be kept of a moment. */
export interface GapNews {
  readonly gaps: readonly StoredGap[]
  readonly heartbeat: number | undefined
}

/** Shorter ones are no gaps, in milliseconds. */
const SHORTEST_MS = 5000
const HEARTBEAT_MS = 1000

/** When both witnesses were up, and when they were not; all times are epoch milliseconds. */
export class RecordingGaps {
  #lastUp: number
  #startReason: string | undefined
  #open: StoredGap[]
  #news: StoredGap[] = []

  /** `open`: gaps of an earlier run that have no end. */
  constructor(
    start: { readonly begins: number; readonly heartbeat: number | undefined },
    open: readonly StoredGap[],
  ) {
    this.#lastUp = start.heartbeat ?? start.begins
    this.#startReason = start.heartbeat === undefined ? 'recording had not begun' : 'companion restarted'
    this.#open = [...open]
  }

  /** Whether nothing is recorded now. */
  get lasts(): boolean {
    return this.#open.length > 0
  }

  /** A watch went on from a new list. */
  relisted(resource: string, at: number, downMs: number): void {
    if (downMs <= SHORTEST_MS) return
    this.#news.push({ from: at - downMs, to: at, reason: `watch of ${resource} lost` })
  }

  /** Reviews of that time may have been received that did not come here. */
  missed(gap: { readonly from: number; readonly to: number; readonly reason: string }): void {
    this.#news.push(gap)
  }

  /** To be called about each second. */
  look({ synced, failing }: Witnesses, now: number): GapNews {
    const gaps = this.#news
    this.#news = []
    const reason = synced ? failing : this.#startReason
    if (reason !== undefined || !synced) {
      if (this.#open.length === 0 && now - this.#lastUp > SHORTEST_MS && reason !== undefined) {
        const gap = { from: this.#lastUp, to: undefined, reason: this.#startReason ?? reason }
        this.#open.push(gap)
        gaps.push(gap)
      }
      return { gaps, heartbeat: undefined }
    }
    if (this.#startReason !== undefined && this.#open.length === 0 && now - this.#lastUp > SHORTEST_MS) {
      gaps.push({ from: this.#lastUp, to: now, reason: this.#startReason })
    }
    this.#startReason = undefined
    for (const gap of this.#open) gaps.push({ ...gap, to: Math.max(gap.from, now) })
    this.#open = []
    // A clock that was set back begins anew.
    const due = now < this.#lastUp || now - this.#lastUp >= HEARTBEAT_MS
    if (due || gaps.length > 0) this.#lastUp = now
    return { gaps, heartbeat: due || gaps.length > 0 ? now : undefined }
  }
}
