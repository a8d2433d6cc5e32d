import { randomUUID } from 'node:crypto'
import { hostname } from 'node:os'
import { connect } from '../src/core/kube/connect.ts'
import { processEnvironment } from '../src/core/kube/connection.ts'
import { loadConnection } from '../src/core/kube/kubeconfig.ts'
import type { KubeTransport } from '../src/core/kube/transport.ts'
import { type Clock, systemClock } from '../src/core/lib/time.ts'
import type { Config } from './kit/config/config.ts'
import { holderIdentity } from './kit/lease/create-leadership.ts'
import type { Log } from './kit/log.ts'
import { addProcessMetrics, createMetricsRegistry, type MetricsRegistry } from './kit/metrics.ts'
import { createEphemeralPair } from './kit/tls/certificate.ts'
import type { KeyPair } from './kit/tls/tls-source.ts'
import { VERSION } from './kit/version.ts'

/** What every part of the process stands on. */
export interface Foundation {
  readonly config: Config
  /** Speaks as the companion. */
  readonly transport: KubeTransport
  /** The companion's own. */
  readonly namespace: string
  readonly podName: string
  /** Of the Leases that this pod holds. */
  readonly holder: string
  /** The one name that kube-apiserver accepts of the api: `<service>.<namespace>.svc`. */
  readonly servingName: string
  /** What listeners show until there is a leaf. */
  readonly initial: KeyPair
  readonly clock: Clock
  readonly log: Log
  readonly metrics: MetricsRegistry
}

/** Finds out where the process runs and how it reaches the API server; asks nobody yet. */
export async function layFoundation(config: Config, log: Log): Promise<Foundation> {
  const environment = processEnvironment()
  const { POD_NAME, POD_NAMESPACE, POD_UID } = environment.variables
  const { kubeconfig, context } = config
  const connection = await loadConnection({ kubeconfig, context }, environment)
  const namespace = config.namespace || POD_NAMESPACE || connection.namespace
  const podName = config.podName || POD_NAME || hostname()
  const servingName = `${config.service}.${namespace}.svc`
  const clock = systemClock
  const metrics = createMetricsRegistry()
  addProcessMetrics(metrics, VERSION)
  return {
    config,
    transport: connect(connection, { environment, userAgent: `deckwatch-server/${VERSION}` }),
    namespace,
    podName,
    holder: holderIdentity(podName, POD_UID || randomUUID()),
    servingName,
    initial: await createEphemeralPair({ dnsName: servingName, now: clock.now() }),
    clock,
    log,
    metrics,
  }
}
