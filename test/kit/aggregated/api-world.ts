import { once } from 'node:events'
import type { IncomingMessage, OutgoingHttpHeaders } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { text } from 'node:stream/consumers'
import type { ApiOptions } from '../../../server/kit/api/api-options.ts'
import { createApi } from '../../../server/kit/api/api.ts'
import { createAuthorizer } from '../../../server/kit/api/authorize.ts'
import { createHealth } from '../../../server/kit/health.ts'
import { createMetricsRegistry, type MetricsRegistry } from '../../../server/kit/metrics.ts'
import { systemClock } from '../../../src/core/lib/time.ts'
import { CertificateAuthority, type KeyPair } from '../kubernetes/certificates.ts'
import { recordedLog, type RecordedLog } from '../recorded-log.ts'
import { MemoryResource } from './memory-resource.ts'
import { SmallCluster } from './small-cluster.ts'

/** The common name that the world's front proxy vouches under. */
export const FRONT_PROXY_NAME = 'front-proxy-client'

/** How one request to the world's API is made. */
export interface WorldRequest {
  readonly method?: string
  /** Whom the front proxy names; `jane` where left out. */
  readonly user?: string
  readonly groups?: readonly string[]
  readonly headers?: OutgoingHttpHeaders
  /** Another client certificate than the front proxy's, or none. */
  readonly certificate?: KeyPair | 'none'
  readonly signal?: AbortSignal
}

/** A whole answer. */
export interface WorldAnswer {
  readonly status: number
  readonly headers: IncomingMessage['headers']
  readonly body: string
}

/** The aggregated API in this process, before a small cluster, with a front proxy of the test's own. */
export interface ApiWorld {
  readonly port: number
  readonly serving: CertificateAuthority
  readonly frontProxy: CertificateAuthority
  readonly cluster: SmallCluster
  readonly widgets: MemoryResource
  readonly clusterWidgets: MemoryResource
  readonly log: RecordedLog
  readonly metrics: MetricsRegistry
  /** Sends a raw request target, and gives the answer when its headers have come. */
  open(path: string, request?: WorldRequest): Promise<IncomingMessage>
  /** The same, whole. */
  ask(path: string, request?: WorldRequest): Promise<WorldAnswer>
  stop(): Promise<void>
}

/** What the ConfigMap of a cluster with this authority says. */
export function frontProxyData(
  authorities: readonly CertificateAuthority[],
  names: readonly string[] = [FRONT_PROXY_NAME],
): Readonly<Record<string, string>> {
  return {
    'requestheader-client-ca-file': authorities.map(({ certificate }) => certificate).join(''),
    'requestheader-allowed-names': JSON.stringify(names),
    'requestheader-username-headers': '["X-Remote-User"]',
    'requestheader-uid-headers': '["X-Remote-Uid"]',
    'requestheader-group-headers': '["X-Remote-Group"]',
    'requestheader-extra-headers-prefix': '["X-Remote-Extra-"]',
  }
}

/** Starts it; what tests set goes over the kit's own. */
export async function startApiWorld({
  serving = new CertificateAuthority('serving'),
  ...options
}: Partial<ApiOptions> & { readonly serving?: CertificateAuthority } = {}): Promise<ApiWorld> {
  const frontProxy = new CertificateAuthority('front-proxy')
  const cluster = new SmallCluster(frontProxyData([frontProxy]))
  const [widgets, clusterWidgets] = [new MemoryResource(), new MemoryResource({ namespaced: false })]
  const [log, metrics] = [recordedLog(), createMetricsRegistry()]
  const { clock = systemClock } = options
  const authorizer = createAuthorizer({ transport: cluster, clock, metrics })
  const pair = serving.issue({ commonName: 'deckwatch', hosts: ['deckwatch.deckwatch.svc'] })
  const api = createApi({
    resources: [widgets.resource, clusterWidgets.resource],
    transport: cluster,
    authorizer,
    clock,
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
  const { port } = await Promise.race([
    api.listening,
    running.then(() => Promise.reject(new Error('it ended'))),
  ])
  const proxyPair = frontProxy.issue({ commonName: FRONT_PROXY_NAME })

  const open = async (path: string, request: WorldRequest = {}): Promise<IncomingMessage> => {
    const { method = 'GET', user = 'jane', groups = [], headers, certificate = proxyPair, signal } = request
    const outgoing = httpsRequest({
      host: '127.0.0.1',
      port,
      servername: 'deckwatch.deckwatch.svc',
      ca: serving.certificate,
      ...(certificate === 'none' ? {} : { cert: certificate.certificate, key: certificate.key }),
      agent: false,
      method,
      path,
      headers: { 'x-remote-user': user, 'x-remote-group': [...groups], ...headers },
      ...(signal ? { signal } : {}),
    })
    outgoing.end()
    const [answer] = (await once(outgoing, 'response')) as [IncomingMessage]
    outgoing.on('error', () => undefined)
    return answer
  }
  const world: ApiWorld = {
    port,
    serving,
    frontProxy,
    cluster,
    widgets,
    clusterWidgets,
    log,
    metrics,
    open,
    ask: async (path, request) => {
      const answer = await open(path, request)
      const body = await text(answer)
      return {
        status: answer.statusCode ?? 0,
        headers: answer.headers,
        body,
      }
    },
    stop: async () => {
      stopping.abort()
      await running
    },
  }
  await untilReady(world)
  return world
}

async function untilReady(world: ApiWorld): Promise<void> {
  for (;;) {
    const { status } = await world.ask('/readyz', { certificate: 'none' })
    if (status === 200) return
  }
}
