import type { RecordingGap } from './change.ts'

/** What one pod of the companion tells about itself at `/statusz`. */
export interface CompanionStatus {
  readonly version: string
  readonly pod: string
  /** RFC 3339 UTC. */
  readonly startedAt: string
  /** `api`, and the rooms of this pod. */
  readonly components: readonly ComponentStatus[]
  /** The volume with the stores; left out where the pod keeps nothing. */
  readonly volume?: { readonly sizeBytes: number; readonly freeBytes: number }
  readonly certificates: readonly CertificateStatus[]
}

/** One component of one pod. */
export interface ComponentStatus {
  readonly name: string
  readonly ready: boolean
  readonly alive: boolean
  /** Why it is not ready or not alive, or what it does; one clause. */
  readonly reason: string
  readonly store?: {
    readonly usedBytes: number
    readonly limitBytes: number
    /** RFC 3339 UTC of the oldest record. */
    readonly oldest?: string
    readonly bytesPerDay?: number
  }
  /** Of the audit log. */
  readonly recording?: RecordingStatus
}

/** How the audit log gets on; times are RFC 3339 UTC. */
export interface RecordingStatus {
  /** Since when changes have been recorded without a gap; left out while they are not. */
  readonly since?: string
  /** Whether the API server is told to send reviews, since when, and why not. */
  readonly webhook: { readonly ok: boolean; readonly reason: string; readonly since: string }
  /** Reviews that were answered and wait for the store. */
  readonly journal: {
    readonly usedBytes: number
    readonly limitBytes: number
    readonly entriesBehind: number
  }
  /** Of the last hour, or since the pod began (`startedAt`) where that is less: a restart forgets them. */
  readonly lastHour: RecordingCounts
  /** Of the last ten minutes: what goes wrong now. Older companions do not tell. */
  readonly lastTenMinutes?: RecordingCounts
  /** How a collector is told of changes, since the recorder began; left out where none is. */
  readonly export?: {
    readonly exported: number
    /** Refused for good, and missing there. */
    readonly refused: number
    /** Since when nothing is taken, and why. */
    readonly failing?: { readonly since: string; readonly reason: string }
  }
  /** Times without a record, the latest first, some at most. */
  readonly gaps: readonly RecordingGap[]
}

/** What came of reviews, and of changes that had none. */
export interface RecordingCounts {
  readonly reviews: number
  /** Answered, and kept nowhere: the journal was full, or they could not be read. */
  readonly dropped: number
  /** Changes that landed without a review. */
  readonly unattributed: number
}

/** One certificate that the companion made and renews; times are RFC 3339 UTC. */
export interface CertificateStatus {
  /** `serving authority`, `serving`, `peer authority`, `peer`. */
  readonly name: string
  readonly notBefore: string
  readonly notAfter: string
  /** When it will be renewed. */
  readonly renewAt: string
}
