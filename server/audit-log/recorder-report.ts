import type { ChangeState } from '../../src/core/wire/change.ts'
import type { RecorderState } from './readers/change-source.ts'
import type { StoredGap } from './store/audit-store.ts'

/** What the recorder tells of itself, about once a second and whenever something became visible. */
export interface RecorderReport extends RecorderState {
  /** Epoch milliseconds: since when both witnesses have been heard without a gap; undefined while they are not. */
  readonly since: number | undefined
  /** Some of the latest gaps, the latest first. */
  readonly gaps: readonly StoredGap[]
  /** Seq of the last journal entry that the store has, or, of several replicas, that was handed over. */
  readonly taken: number
  /** Of several replicas: this one holds the Lease and has heard all there is to watch. */
  readonly joins?: boolean
  /** Age of the oldest change that is still pending, in milliseconds; 0 where there is none. */
  readonly pendingAgeMs: number
  /** Since the start of the thread. */
  readonly totals: RecorderTotals
  /** Undefined where nothing is exported. */
  readonly export: ExportProgress | undefined
}

/** What the recorder counted since its start. */
export interface RecorderTotals {
  /** Changes that came into a state. */
  readonly changes: Readonly<Partial<Record<ChangeState, number>>>
  /** Reviews of writes that change nothing. */
  readonly noOps: number
  /** Changes that landed without a review because a rule leaves them out. */
  readonly excluded: number
  readonly gapMs: number
}

/** How the export to a collector gets on, since the start of the thread. */
export interface ExportProgress {
  readonly exported: number
  /** Attempts that failed and were made again. */
  readonly failures: number
  /** Changes that the collector refused for good: they are missing there. */
  readonly refused: number
  /** While nothing is taken: since when (epoch milliseconds), and why, one clause. */
  readonly failing: { readonly since: number; readonly reason: string } | undefined
}

/** The totals of a recorder that has counted nothing yet. */
export const NOTHING_COUNTED: RecorderTotals = { changes: {}, noOps: 0, excluded: 0, gapMs: 0 }

/** What is true in the main thread, and the recorder must know. */
export interface RecorderFacts {
  /** Of several replicas: this one holds the Lease. */
  readonly holds: boolean
  /** Whether reviews come and can be kept: the webhook is registered, the journal has room. */
  readonly witness: {
    readonly ok: boolean
    readonly reason: string
    /** Epoch milliseconds: since when it has been so. */
    readonly since: number
  }
}
