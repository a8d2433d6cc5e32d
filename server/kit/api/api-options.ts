import type { AddressInfo } from 'node:net'
import type { KubeTransport } from '../../../src/core/kube/transport.ts'
import type { Clock } from '../../../src/core/lib/time.ts'
import type { CompanionStatus } from '../../../src/core/wire/companion-status.ts'
import type { Health } from '../health.ts'
import type { Log } from '../log.ts'
import type { MetricsRegistry } from '../metrics.ts'
import type { ProbeAnswer } from '../room.ts'
import type { TlsSource } from '../tls/tls-source.ts'
import type { Authorizer } from './authorize.ts'
import type { ApiLimits } from './limits.ts'
import type { ServedResource } from './resource.ts'
import type { Route } from './route.ts'

/** What the aggregated API stands on. */
export interface ApiOptions {
  /** Served as deckwatch.dev/v1alpha1; empty where a pod answers probes and routes only. */
  readonly resources: readonly ServedResource[]
  /** Speaks as the companion: the front proxy's ConfigMap is watched through it. */
  readonly transport: KubeTransport
  readonly authorizer: Authorizer
  readonly clock: Clock
  readonly log: Log
  readonly metrics: MetricsRegistry
  /** The certificate for `<service>.<namespace>.svc`. */
  readonly tls: TlsSource
  /** Asked at each probe, so that probes may be added after this was made. */
  readonly health: Health
  /** What /statusz tells. */
  readonly status: () => CompanionStatus | Promise<CompanionStatus>
  /** Further paths, such as `POST /peer/v1/leaf`. */
  readonly routes?: readonly Route[]
  /** `:10250`, `127.0.0.1:0`, `[::1]:10250`. */
  readonly address: string
  readonly limits?: Partial<ApiLimits>
  /** How long new requests are still answered after the signal aborted, until no more are sent here; none where left out. */
  readonly drainMs?: number
  /** How long requests may take to finish after that; 10 s where left out. */
  readonly graceMs?: number
  /** In [0, 1): spreads the ends of watches. */
  readonly random?: () => number
}

/** The aggregated API server. */
export interface Api {
  /** Listens and serves until the signal aborts and what was open has ended; rejects where it cannot listen. */
  run(signal: AbortSignal): Promise<void>
  /** Resolves once it listens. */
  readonly listening: Promise<AddressInfo>
  /** Ready when it listens and knows whom the API server vouches with (unless it serves no resources). */
  ready(): ProbeAnswer
  alive(): ProbeAnswer
}
