import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Clock } from '../../src/core/lib/time.ts'
import { aborted } from './aborted.ts'
import { ApiError } from './api/api-error.ts'
import { createListener } from './api/listener.ts'
import { PipeliningGuard } from './api/pipelining.ts'
import { listenAddress } from './listen-address.ts'
import type { Log } from './log.ts'
import type { MetricsAuthorizer } from './metrics-access.ts'
import type { MetricsRegistry } from './metrics.ts'
import { RareWarning } from './rare-warning.ts'
import type { TlsSource } from './tls/tls-source.ts'

/** What the metrics listener stands on. */
export interface MetricsListenerOptions {
  /** `:8080`. */
  readonly address: string
  readonly registry: MetricsRegistry
  readonly log: Log
  readonly clock: Pick<Clock, 'now'>
  /** Serve by TLS, and only to whom the authorizer lets; left out: to all, in the clear, as is usual for metrics. */
  readonly auth?: { readonly tls: TlsSource; readonly authorize: MetricsAuthorizer }
}

/** The listener of /metrics. */
export interface MetricsListener {
  /** Listens and serves until the signal aborts; rejects where it cannot listen. */
  run(signal: AbortSignal): Promise<void>
  /** Resolves once it listens. */
  readonly listening: Promise<AddressInfo>
}

const GRACE_MS = 1000
const REQUEST_MS = 10_000
/** Prometheus needs one or two. */
const MAX_CONNECTIONS = 100

/** A listener that serves nothing but the registry. */
export function createMetricsListener(options: MetricsListenerOptions): MetricsListener {
  const listening = Promise.withResolvers<AddressInfo>()
  listening.promise.catch(() => undefined)
  const unsaid = new RareWarning('the API server did not say who may get metrics', options)
  const handle = (request: IncomingMessage, response: ServerResponse): void => {
    answer(request, response, options, unsaid).catch((err: unknown) => {
      options.log.error({ err }, 'metrics could not be given')
      response.destroy()
    })
  }
  return {
    listening: listening.promise,
    async run(signal) {
      const { auth, address, log, clock } = options
      const listener = auth
        ? createListener({ address, tls: auth.tls, log, clock, handle })
        : plainListener(address, handle)
      try {
        listening.resolve(await listener.listen())
      } catch (error) {
        listening.reject(error)
        throw error
      }
      await aborted(signal)
      await listener.close(GRACE_MS)
    },
  }
}

function plainListener(
  address: string,
  handle: (request: IncomingMessage, response: ServerResponse) => void,
): { listen(): Promise<AddressInfo>; close(graceMs: number): Promise<void> } {
  const pipelining = new PipeliningGuard()
  const server: Server = createServer(
    { requestTimeout: REQUEST_MS, headersTimeout: REQUEST_MS },
    (request, response) => {
      if (pipelining.admits(request, response)) handle(request, response)
    },
  )
  server.maxConnections = MAX_CONNECTIONS
  // Who does not take the answer would keep its place for ever.
  server.timeout = REQUEST_MS
  return {
    async listen() {
      const { promise, resolve, reject } = Promise.withResolvers<void>()
      server.once('error', reject)
      server.listen(listenAddress(address), resolve)
      await promise
      return server.address() as AddressInfo
    },
    async close(graceMs) {
      const closed = new Promise<void>((resolve) => {
        server.close(() => resolve())
      })
      server.closeIdleConnections()
      const cut = setTimeout(() => server.closeAllConnections(), graceMs)
      await closed
      clearTimeout(cut)
    },
  }
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  { registry, auth }: MetricsListenerOptions,
  unsaid: RareWarning,
): Promise<void> {
  const refuse = (status: number, text: string, headers: Readonly<Record<string, string>> = {}): void => {
    response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8', ...headers }).end(`${text}\n`)
  }
  if (request.url?.split('?')[0] !== '/metrics') return refuse(404, 'only /metrics is here')
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    return refuse(405, 'only GET', { allow: 'GET, HEAD' })
  }
  if (auth) {
    const [, token] = /^Bearer +(\S+)$/i.exec(request.headers.authorization ?? '') ?? []
    const access =
      token === undefined
        ? 401
        : await auth.authorize(token, request.socket.remoteAddress ?? '').catch((err: unknown) => {
            if (err instanceof ApiError && err.reason === 'TooManyRequests') return 429 as const
            unsaid.warn({ err })
            return 503 as const
          })
    if (access === 401) return refuse(401, 'a token is needed', { 'www-authenticate': 'Bearer' })
    if (access === 403) return refuse(403, 'the right to get /metrics is missing')
    if (access === 429) return refuse(429, 'too many tokens are shown', { 'retry-after': '1' })
    if (access === 503)
      return refuse(503, 'the API server did not say whether you may', { 'retry-after': '5' })
  }
  const text = await registry.metrics()
  response.writeHead(200, { 'content-type': registry.contentType, 'content-length': Buffer.byteLength(text) })
  response.end(request.method === 'HEAD' ? undefined : text)
}
