import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { TLSSocket } from 'node:tls'
import type { ProbeAnswer } from '../room.ts'
import { answerDocument, answerError, answerJson, beginStream } from './answer.ts'
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
import { negotiateForm } from './negotiate.ts'
import { answerProbe } from './probe-paths.ts'
import { parseQuery, type ReadOptions } from './query.ts'
import { planWatch, readList, readObject, type Reading } from './read-resource.ts'
import { listText, objectText } from './representation.ts'
import { pathSegments, resourcePath, splitTarget, type ResourcePath } from './request-path.ts'
import type { ServedResource } from './resource.ts'
import { checkFields } from './selectors.ts'
import { apiErrorOf } from './status.ts'
import { WatchStream, type WatchContext } from './watch-stream.ts'

const TICK_MS = 1000
const DEFAULT_GRACE_MS = 10_000
/** As kube-apiserver: watches without a limit of their own end after a random time from half an hour to an hour. */
const WATCH_LIFE_MS = 30 * 60_000

/** Members are not limited, as with kube-apiserver's own limits (priority level `exempt`). */
const UNLIMITED = 'system:masters'

/** The aggregated API server of the resources: see `ApiOptions`, and design §4 for what it answers. */
export function createApi(options: ApiOptions): Api {
  return new AggregatedApi(options)
}

/** What the metrics call a request; both from closed sets. */
interface Label {
  resource: string
  verb: string
}

class AggregatedApi implements Api {
  readonly #options: ApiOptions
  readonly #resources: ReadonlyMap<string, ServedResource>
  readonly #documents: (path: string, accept: string | undefined) => Document | undefined
  readonly #frontProxy: FrontProxy
  readonly #limiter: RequestLimiter
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
    this.#limiter = new RequestLimiter({ ...DEFAULT_LIMITS, ...limits }, clock)
    this.#metrics = createApiMetrics(metrics, () => this.#limiter.openWatches)
    this.#watches = {
      clock,
      log,
      cache: new EventCache(),
      open: new Set(),
      onSlow: ({ plural }) => this.#metrics.slowWatches.inc({ resource: plural }),
    }
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
    const label: Label = { resource: 'other', verb: 'other' }
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

  async #answer(request: IncomingMessage, response: ServerResponse, label: Label): Promise<void> {
    const { method = '', headers } = request
    const target = splitTarget(request.url ?? '')
    const routes = (this.#options.routes ?? []).filter(({ path }) => path === target.path)
    if (routes.length > 0) {
      const route = routes.find((one) => one.method === method)
      if (!route) throw methodNotAllowed()
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
    const caller = this.#authenticate(request)
    const segments = pathSegments(target.path)
    if (method !== 'GET') throw methodNotAllowed()
    const path = resourcePath(segments)
    const resource = path && this.#resources.get(path.plural)
    if (!resource || !names(path, resource)) {
      throw new ApiError('NotFound', 'the server could not find the requested resource')
    }
    label.resource = resource.plural
    if (!caller.groups.includes(UNLIMITED)) this.#limiter.takeRequest(caller.username)
    await this.#read(request, response, { resource, path, caller, query: target.query, label })
  }

  async #read(
    request: IncomingMessage,
    response: ServerResponse,
    asked: {
      readonly resource: ServedResource
      readonly path: ResourcePath
      readonly caller: Caller
      readonly query: string
      readonly label: Label
    },
  ): Promise<void> {
    const { resource, path, caller, query, label } = asked
    const { authorizer, clock } = this.#options
    const { accept } = request.headers
    const includeObject = new URLSearchParams(query).get('includeObject')
    const controller = closing(response)
    const reading = { resource, namespace: path.namespace, caller, authorizer, controller }
    if (path.name !== undefined) {
      label.verb = 'get'
      const form = negotiateForm(accept, includeObject, 'object')
      const object = await readObject(reading, path.name)
      await answerJson(request, response, objectText(resource, object, form, clock.now()))
      return
    }
    const options = parseQuery(query)
    label.verb = options.watch ? 'watch' : 'list'
    checkFields(options.fields, resource)
    const form = negotiateForm(accept, includeObject, options.watch ? 'watch' : 'list')
    if (options.watch) {
      await this.#watch(response, reading, { options, form })
      return
    }
    const page = await readList(reading, options)
    await answerJson(request, response, listText(resource, page, form, clock.now()), page.warnings)
  }

  async #watch(
    response: ServerResponse,
    reading: Reading,
    { options, form }: { readonly options: ReadOptions; readonly form: ReturnType<typeof negotiateForm> },
  ): Promise<void> {
    const { authorizer, random = Math.random } = this.#options
    const { resource, caller, controller } = reading
    if (this.#state === 'stopping') {
      throw new ApiError('ServiceUnavailable', 'it is being stopped', { retryAfterSeconds: 1 })
    }
    const leave = this.#limiter.openWatch(caller.username, caller.groups.includes(UNLIMITED))
    response.on('close', leave)
    const { access, scope, query, warnings } = await planWatch(reading, options)
    if (response.destroyed) return
    const { fields, labels, allowWatchBookmarks: bookmarks, sendInitialEvents, timeoutSeconds = 0 } = options
    const stream = new WatchStream(
      {
        resource,
        selection: { fields, labels },
        form,
        bookmarks,
        markInitialEnd: sendInitialEvents === true,
        lifeMs: timeoutSeconds > 0 ? timeoutSeconds * 1000 : WATCH_LIFE_MS * (1 + random()),
      },
      response,
      controller,
      this.#watches,
    )
    const unguard = authorizer.guard(access, scope, (reason) => stream.withdraw(reason))
    response.on('close', () => {
      stream.closed()
      unguard()
    })
    beginStream(response, warnings)
    // Not waited for: what this request was answered by is of no use any more.
    void stream.follow(resource.reader.watch(query, caller, controller.signal))
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

/** A cluster-scoped resource has no namespaces, and one object of a namespaced one lies in one of them. */
function names({ namespace, name }: ResourcePath, { namespaced }: ServedResource): boolean {
  return namespaced ? namespace !== undefined || name === undefined : namespace === undefined
}

function methodNotAllowed(): ApiError {
  return new ApiError('MethodNotAllowed', 'the server does not allow this method on the requested resource')
}

/** Aborts when the client has gone or has been answered. */
function closing(response: ServerResponse): AbortController {
  const controller = new AbortController()
  response.on('close', () => controller.abort())
  return controller
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
}
