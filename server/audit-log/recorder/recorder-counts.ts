import type { SilentReason } from '../../../src/core/model/change-facts.ts'
import type { ChangeState } from '../../../src/core/wire/change.ts'

/** What a recorder has done since its start, as plain numbers that pass between threads. */
export interface RecorderCounts {
  reviews: number
  /** UPDATEs that changed nothing, or nothing but noise. */
  noChange: number
  truncated: number
  /** Of resources that are no longer recorded. */
  unknownResource: number
  decided: Partial<Record<ChangeState, number>>
  /** Steps that no review explains and that are not recorded, by why. */
  silent: Partial<Record<SilentReason, number>>
  commits: number
  commitSeconds: number
  /** Commits that were tried again: no space, or no database. */
  retries: number
  /** Reviews that have not landed (yet) and steps that have no explanation (yet). */
  held: number
  waiting: number
  /** Epoch milliseconds: when the oldest review that is not decided came; undefined where there is none. */
  oldestPending: number | undefined
  /** Whether nothing is recorded now. */
  gap: boolean
}

/** Nothing has happened. */
export function noCounts(): RecorderCounts {
  return {
    reviews: 0,
    noChange: 0,
    truncated: 0,
    unknownResource: 0,
    decided: {},
    silent: {},
    commits: 0,
    commitSeconds: 0,
    retries: 0,
    held: 0,
    waiting: 0,
    oldestPending: undefined,
    gap: false,
  }
}

/** One more of a kind. */
export function countOne<K extends string>(counts: Partial<Record<K, number>>, key: K): void {
  const before: number | undefined = counts[key]
  counts[key] = (before ?? 0) + 1
}
