import type { InboxWriter } from '../store/inbox-writer.ts'
import type { MissedTime } from '../recorder/review-intake.ts'

/** A writer that says nothing for so long is waited for no more, in milliseconds. */
export const SILENT_MS = 15_000
/** Between two looks; after a longer time nobody can be blamed for silence. */
const DEAF_MS = 2000

interface Known {
  heartbeat: number
  /** Epoch milliseconds by our clock: when its heartbeat was seen to change. */
  changedAt: number
  /** The looks at which its heartbeat was seen to change, the last two; 0 where there was none. */
  changes: readonly [last: number, beforeLast: number]
  /** Everything that it received before this look was begun has a seq up to `seq`. */
  passed: number
  seq: number
  isGivenUp: boolean
  /** It was seen to be alive. */
  wasAlive: boolean
}

/**
 * Which replicas are there, and up to when each has handed over what it received. Clocks of replicas may differ: what
 * counts is that a heartbeat changes. What a look finds new was put after the look before, but may have been on its way
 * then; whatever is found new after that was begun later, since a replica does one thing after the other.
 */
export class LiveWriters {
  readonly #known = new Map<number, Known>()
  #missed: MissedTime[] = []
  #tookAt = Number.NEGATIVE_INFINITY

  /** Takes what the look of this number found; gives the writers that are given up from now on. */
  take(writers: readonly Omit<InboxWriter, 'purged'>[], look: number, now: number): readonly number[] {
    const silent: number[] = []
    if (Math.abs(now - this.#tookAt) > DEAF_MS) this.deaf(now)
    this.#tookAt = now
    for (const { writer, seq, heartbeat } of writers) {
      const known = this.#known.get(writer)
      if (!known) {
        // Whoever recorded before may be gone. Where only its clock is behind, the next heartbeat brings it back.
        const isGone = heartbeat !== 0 && now - heartbeat >= SILENT_MS
        if (isGone) silent.push(writer)
        this.#known.set(writer, {
          heartbeat,
          changedAt: now,
          changes: [look, 0],
          passed: 0,
          seq,
          isGivenUp: isGone,
          wasAlive: false,
        })
      } else if (known.heartbeat !== heartbeat) {
        const [last, beforeLast] = known.changes
        known.heartbeat = heartbeat
        known.changedAt = now
        known.changes = [look, last]
        known.seq = seq
        known.passed = beforeLast
        known.isGivenUp = false
        known.wasAlive = true
      } else if (heartbeat !== 0 && !known.isGivenUp && now - known.changedAt >= SILENT_MS) {
        known.isGivenUp = true
        known.seq = seq
        silent.push(writer)
        if (known.wasAlive)
          this.#missed.push({
            from: known.changedAt,
            to: now,
            reason: 'a replica was gone with what it knew',
          })
      }
    }
    return silent
  }

  /** After looks that failed: nobody could be heard, which is nobody's silence. */
  deaf(now: number): void {
    for (const known of this.#known.values()) known.changedAt = now
  }

  /** Everything that had come when the look of this number was begun was read, where each writer was read up to its seq. */
  readUpTo(readOf: (writer: number) => number): number {
    let least = Number.POSITIVE_INFINITY
    for (const [writer, { heartbeat, isGivenUp, passed, seq }] of this.#known) {
      if (readOf(writer) < seq) return 0
      // One that has ended in peace has handed everything over.
      if (heartbeat === 0 || isGivenUp) continue
      least = Math.min(least, passed)
    }
    return least
  }

  /** Times of which reviews may be missing, told once. */
  missed(): readonly MissedTime[] {
    const missed = this.#missed
    this.#missed = []
    return missed
  }
}
