import type { KubeTransport } from '../../src/core/kube/transport.ts'
import type { Clock } from '../../src/core/lib/time.ts'
import type { AccessReviewer } from '../kit/api/access-reviews.ts'
import type { Leadership } from '../kit/lease/leadership.ts'
import type { Log } from '../kit/log.ts'
import type { MetricsRegistry } from '../kit/metrics.ts'
import type { Thread } from '../kit/thread/thread-host.ts'
import type { AuditLogConfig, RecordedResource } from './config.ts'
import type { RecorderReport } from './recorder-report.ts'
import type { BundleSource } from './registration/registration.ts'

/** What the audit log stands on. */
export interface AuditLogDeps {
  /** Speaks as the companion. */
  readonly transport: KubeTransport
  /** The companion's own. */
  readonly namespace: string
  /** Of the volume. */
  readonly folder: string
  /** Of the Lease `deckwatch-audit-log`. */
  readonly leadership: Leadership
  readonly reviewer: AccessReviewer
  /** Who signed the certificate that the API server meets at the webhook. */
  readonly authority: BundleSource
  /** By which the API server reaches the webhook. */
  readonly service: { readonly name: string; readonly port: number }
  /** User names of the companion, whose own writes are not recorded. */
  readonly ownUsers: readonly string[]
  /** Starts the recorder in a thread of its own, until the signal aborts. */
  readonly startRecorder: (start: RecorderStart, signal: AbortSignal) => Thread<RecorderReport>
  readonly clock: Clock
  readonly log: Log
  readonly metrics: MetricsRegistry
  readonly config: AuditLogConfig
}

/** What the recorder's thread is started with; structured clone takes it, and the key stays in memory. */
export interface RecorderStart {
  readonly folder: string
  readonly journalFolder: string
  /** Of a JournalProgress. */
  readonly progress: SharedArrayBuffer
  /** Of a RightOfWay: the reviews that are being answered. */
  readonly requests: SharedArrayBuffer
  /** Of the journal. */
  readonly writer: number
  readonly hmacKey: Uint8Array
  /** The companion's own. */
  readonly namespace: string
  readonly resources: readonly RecordedResource[]
  readonly config: AuditLogConfig
  /** Megabytes of the thread's young generation. */
  readonly youngGenerationMb: number
}
