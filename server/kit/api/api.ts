import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { aborted } from '../aborted.ts'
import type { ProbeAnswer } from '../room.ts'
import { answerDocument, answerError } from './answer.ts'
import { ApiError } from './api-error.ts'
import { createApiMetrics, type ApiMetrics } from './api-metrics.ts'
import type { Api, ApiOptions } from './api-options.ts'
import { callerFromHeaders } from './caller-from-headers.ts'
import type { Caller } from './caller.ts'
import { createDocuments, type Document } from './discovery.ts'
import { EventCache } from './event-cache.ts'
import { createFrontProxy, type FrontProxy } from './front-proxy-watch.ts'
import { DEFAULT_LIMITS, RequestLimiter } from './limits.ts'
import { createListener, type Listener } from './listener.ts'
import { answerProbe } from './probe-paths.ts'
import { pathSegments, splitTarget } from './request-path.ts'
import type { ServedResource } from './resource.ts'
import { closing } from './route.ts'
import { type RequestLabel, ResourceServer } from './serve-resource.ts'
import { apiErrorOf } from './status.ts'
import type { WatchContext } from './watch-stream.ts'

const TICK_MS = 1000
const DEFAULT_GRACE_MS = 10_000

/** The aggregated API server of the resources: see `ApiOptions`, and design §4 for what it answers. */
export function createApi(options: ApiOptions): Api {
  return new AggregatedApi(options)
}

class AggregatedApi implements Api {
  readonly #options: ApiOptions
  readonly #resources: ReadonlyMap<string, ServedResource>
  readonly #documents: (path: string, accept: string | undefined) => Document | undefined
  readonly #frontProxy: FrontProxy
  readonly #reads: ResourceServer
  readonly #metrics: ApiMetrics
  readonly #watches: WatchContext
  readonly #listener: Listener
  readonly #listens = Promise.withResolvers<AddressInfo>()
  #state: 'starting' | 'listening' | 'stopping' = 'starting'

  constructor(options: ApiOptions) {
    this.#options = options
    const { resources, clock, log, limits, metrics, tls, address } = options
    this.#resources = new Map(resources.map((resource) => [resource.plural, resource]))
    this.#documents = createDocuments(resources)
    this.#frontProxy = createFrontProxy(options)
    const limiter = new RequestLimiter({ ...DEFAULT_LIMITS, ...limits }, clock)
    this.#metrics = createApiMetrics(metrics, {
      openWatches: () => limiter.openWatches,
      unsentBytes: () => limiter.unsent.waiting,
    })
    this.#watches = {
      clock,
      log,
      cache: new EventCache(),
      open: new Set(),
      onSlow: ({ plural }) => this.#metrics.slowWatches.inc({ resource: plural }),
    }
    this.#reads = new ResourceServer({
      ...options,
      resources: this.#resources,
      limiter,
      watches: this.#watches,
      isStopping: () => this.#state === 'stopping',
    })
    const frontProxy = this.#frontProxy
    this.#listener = createListener({
      address,
      tls,
      clients: {
        authorities: () => frontProxy.trust?.authorities ?? [],
        onChange: (listener) => frontProxy.onChange(listener),
        trusts: (socket) => frontProxy.vouches(socket),
      },
      log,
      clock,
      handle: (request, response) => void this.#handle(request, response),
    })
    // Who does not ask for it must not be told of it as of an unhandled rejection.
    this.#listens.promise.catch(() => undefined)
  }

  get listening(): Promise<AddressInfo> {
    return this.#listens.promise
  }

  ready(): ProbeAnswer {
    switch (this.#state) {
      case 'starting':
        return { ok: false, reason: 'the listener is not open yet' }
      case 'stopping':
        return { ok: false, reason: 'it is being stopped' }
      case 'listening':
        return this.#resources.size > 0 ? this.#frontProxy.ready() : { ok: true, reason: 'listening' }
      default:
        return this.#state satisfies never
    }
  }

  alive(): ProbeAnswer {
    return { ok: true, reason: `${this.#watches.open.size} watches are open` }
  }

  async run(signal: AbortSignal): Promise<void> {
    const { log, drainMs = 0, graceMs = DEFAULT_GRACE_MS, clock } = this.#options
    try {
      const address = await this.#listener.listen()
      log.info({ port: address.port }, 'the API listens')
      this.#state = 'listening'
      this.#listens.resolve(address)
    } catch (error) {
      this.#listens.reject(error)
      throw error
    }
    // What ends watches and knows the front proxy goes on until the last request is answered.
    const stop = new AbortController()
    const work = Promise.all([
      this.#turnWheel(stop.signal),
      this.#resources.size > 0 ? this.#frontProxy.run(stop.signal) : undefined,
    ])
    try {
      await Promise.race([work, aborted(signal)])
      this.#state = 'stopping'
      if (drainMs > 0) await clock.sleep(drainMs)
      this.#listener.stopAccepting()
      for (const watch of this.#watches.open) watch.end()
      await this.#listener.close(graceMs)
    } finally {
      this.#state = 'stopping'
      stop.abort()
      await this.#listener.close(0)
      await work
    }
  }

  async #turnWheel(signal: AbortSignal): Promise<void> {
    const { clock } = this.#options
    let last = clock.now()
    while (!signal.aborted) {
      await clock.sleep(TICK_MS, signal).catch(() => undefined)
      const now = clock.now()
      // Where the clock was set back nobody knows how long a watch has lived: it ends, and its client goes on there.
      const reached = now < last ? Number.POSITIVE_INFINITY : now
      for (const watch of this.#watches.open) watch.tick(reached)
      last = now
    }
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const began = performance.now()
    const label: RequestLabel = { resource: 'other', verb: 'other' }
    response.on('close', () => {
      // 0 as with kube-apiserver: the client left before it was answered.
      this.#metrics.requests.inc({ ...label, code: response.headersSent ? response.statusCode : 0 })
      if (label.verb !== 'watch') {
        this.#metrics.duration.observe({ ...label }, (performance.now() - began) / 1000)
      }
    })
    try {
      await this.#answer(request, response, label)
    } catch (error) {
      if (response.destroyed) return
      const told = apiErrorOf(error)
      if (told.reason === 'InternalError') {
        this.#options.log.error({ err: error, ...label }, 'a request failed')
      }
      answerError(response, told)
    }
  }

  async #answer(request: IncomingMessage, response: ServerResponse, label: RequestLabel): Promise<void> {
    const { method = '', headers } = request
    const target = splitTarget(request.url ?? '')
    const routes = (this.#options.routes ?? []).filter(({ path }) => path === target.path)
    if (routes.length > 0) {
      const route = routes.find((one) => one.method === method)
      if (!route) throw methodNotAllowed(routes.map((one) => one.method).join(', '))
      await route.handle(request, response, closing(response).signal)
      return
    }
    if (method === 'GET') {
      if (await answerProbe(request, response, target, this.#options)) return
      const document = this.#documents(target.path, headers.accept)
      if (document) {
        answerDocument(request, response, document)
        return
      }
    }
    // Before anything is said of a path: who has no certificate of the front proxy is told 401 for each that is no route,
    // so that nobody can tell how near a guess at the webhook's secret path came, or whether there is one at all.
    const caller = this.#authenticate(request)
    const segments = pathSegments(target.path)
    if (method !== 'GET') throw methodNotAllowed('GET')
    await this.#reads.answer({ request, response, segments, query: target.query, caller, label })
  }

  #authenticate(request: IncomingMessage): Caller {
    const { trust } = this.#frontProxy
    if (!trust) {
      throw new ApiError('ServiceUnavailable', 'it is not known yet whom the API server vouches with', {
        retryAfterSeconds: 1,
      })
    }
    if (!this.#frontProxy.vouches(request.socket as TLSSocket))
      throw new ApiError('Unauthorized', 'Unauthorized')
    return callerFromHeaders(request.rawHeaders, trust)
  }
}

function methodNotAllowed(allow: string): ApiError {
  const message = 'the server does not allow this method on the requested resource'
  return new ApiError('MethodNotAllowed', message, { allow })
}
