import { setTimeout as delay } from 'node:timers/promises'
import type { ApiOptions } from '../../../server/kit/api/api-options.ts'
import { createApi } from '../../../server/kit/api/api.ts'
import { createAuthorizer } from '../../../server/kit/api/authorize.ts'
import type { ServedResource } from '../../../server/kit/api/resource.ts'
import { rights } from '../../../server/kit/api/rights.ts'
import { createHealth } from '../../../server/kit/health.ts'
import { createMetricsRegistry, type MetricsRegistry } from '../../../server/kit/metrics.ts'
import { podRights } from '../../../server/kit/rights.ts'
import { connect } from '../../../src/core/kube/connect.ts'
import { loadConnection } from '../../../src/core/kube/kubeconfig.ts'
import { systemClock } from '../../../src/core/lib/time.ts'
import { ApiStatusError, type ApiClient } from '../kubernetes/api-client.ts'
import { CertificateAuthority } from '../kubernetes/certificates.ts'
import type { ControlPlane } from '../kubernetes/control-plane.ts'
import { ensureNamespace, ensureServiceAccount } from '../kubernetes/namespaces.ts'
import { recordedLog, type RecordedLog } from '../recorded-log.ts'

const NAME = 'deckwatch-kit'
const API_SERVICE = 'v1alpha1.deckwatch.dev'

/** The aggregated API of this process, behind a real API server. */
export interface Aggregated {
  /** On 127.0.0.1: for those who come without the API server. */
  readonly port: number
  readonly serving: CertificateAuthority
  readonly log: RecordedLog
  readonly metrics: MetricsRegistry
  /** Ends the server and removes what stands for it in the cluster. */
  stop(): Promise<void>
}

/**
 * Serves resources from this process as deckwatch.dev/v1alpha1 of the cluster, with exactly the rights of an installed
 * api, until `stop`; one at a time in a cluster. The API server finds it by a Service of type ExternalName, which
 * works without --enable-aggregator-routing only.
 */
export async function startAggregated(
  cluster: ControlPlane,
  resources: readonly ServedResource[],
  options: Partial<ApiOptions> = {},
): Promise<Aggregated> {
  const { admin } = cluster
  await ensureNamespace(admin, NAME)
  await ensureServiceAccount(admin, NAME, NAME)
  await grantRights(admin)
  const connection = await loadConnection({
    kubeconfig: cluster.tokenKubeconfig(await cluster.token(NAME, NAME)),
  })
  const transport = connect(connection)
  const [log, metrics] = [recordedLog(), createMetricsRegistry()]
  const authorizer = createAuthorizer({ transport, clock: systemClock, metrics })
  const serving = new CertificateAuthority('deckwatch-kit-serving')
  const pair = serving.issue({ commonName: 'deckwatch', hosts: [`${NAME}.${NAME}.svc`] })
  const api = createApi({
    resources,
    transport,
    authorizer,
    clock: systemClock,
    log,
    metrics,
    tls: { current: () => pair, onChange: () => () => undefined },
    health: createHealth([{ name: 'api', ready: () => api.ready(), alive: () => api.alive() }]),
    status: () => ({ version: '0.0.0', pod: 'kit', startedAt: '', components: [], certificates: [] }),
    address: '127.0.0.1:0',
    graceMs: 1000,
    ...options,
  })
  const stopping = new AbortController()
  const running = Promise.all([api.run(stopping.signal), authorizer.run(stopping.signal)])
  const stop = async (): Promise<void> => {
    await unregister(admin)
    stopping.abort()
    await running
    transport.close()
  }
  try {
    const { port } = await api.listening
    await register(admin, port, serving)
    await untilServed(admin)
    return { port, serving, log, metrics, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

/** Lets the API server send the group's requests to this port. */
async function register(
  admin: ApiClient,
  port: number,
  { certificate }: CertificateAuthority,
): Promise<void> {
  await create(admin, `/api/v1/namespaces/${NAME}/services`, {
    metadata: { name: NAME },
    spec: { type: 'ExternalName', externalName: 'localhost' },
  })
  await create(admin, '/apis/apiregistration.k8s.io/v1/apiservices', {
    metadata: { name: API_SERVICE },
    spec: {
      group: 'deckwatch.dev',
      version: 'v1alpha1',
      groupPriorityMinimum: 100,
      versionPriority: 100,
      service: { namespace: NAME, name: NAME, port },
      caBundle: Buffer.from(certificate).toString('base64'),
    },
  })
}

async function unregister(admin: ApiClient): Promise<void> {
  await remove(admin, `/apis/apiregistration.k8s.io/v1/apiservices/${API_SERVICE}`)
  await remove(admin, `/api/v1/namespaces/${NAME}/services/${NAME}`)
}

/** A real GET, since Available=True says nothing about TLS; and the indices by which kubectl finds kinds and schemas. */
async function untilServed(admin: ApiClient): Promise<void> {
  const until = Date.now() + 120_000
  for (;;) {
    try {
      await admin.text('GET', '/apis/deckwatch.dev/v1alpha1')
      const indices = await Promise.all(['/apis', '/openapi/v3'].map((path) => admin.text('GET', path)))
      if (indices.every((index) => index.includes('deckwatch.dev'))) return
    } catch (error) {
      if (!(error instanceof ApiStatusError)) throw error
    }
    if (Date.now() > until) throw new Error('the API server does not serve the group')
    await delay(50)
  }
}

async function grantRights(admin: ApiClient): Promise<void> {
  const subjects = [{ kind: 'ServiceAccount', name: NAME, namespace: NAME }]
  const rbac = '/apis/rbac.authorization.k8s.io/v1'
  const group = 'rbac.authorization.k8s.io'
  const rules = rights.cluster.map(({ why: _why, ...rule }) => ({
    ...rule,
    ...('resourceNames' in rule
      ? { resourceNames: rule.resourceNames.map((name) => name.replace('{namespace}', NAME)) }
      : {}),
  }))
  await create(admin, `${rbac}/clusterroles`, { metadata: { name: NAME }, rules })
  for (const role of [NAME, ...podRights.clusterRoles.map(({ name }) => name)]) {
    await create(admin, `${rbac}/clusterrolebindings`, {
      metadata: { name: `${NAME}-${role}` },
      roleRef: { apiGroup: group, kind: 'ClusterRole', name: role },
      subjects,
    })
  }
  for (const { name } of rights.kubeSystemRoles) {
    await create(admin, `${rbac}/namespaces/kube-system/rolebindings`, {
      metadata: { name: `${NAME}-${name}` },
      roleRef: { apiGroup: group, kind: 'Role', name },
      subjects,
    })
  }
}

async function create(admin: ApiClient, collection: string, object: unknown): Promise<void> {
  try {
    await admin.text('POST', collection, object)
  } catch (error) {
    if (!(error instanceof ApiStatusError && error.status === 409)) throw error
  }
}

async function remove(admin: ApiClient, path: string): Promise<void> {
  try {
    await admin.text('DELETE', path)
  } catch (error) {
    if (!(error instanceof ApiStatusError && error.status === 404)) throw error
  }
}
