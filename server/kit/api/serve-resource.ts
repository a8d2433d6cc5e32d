import type { IncomingMessage, ServerResponse } from 'node:http'
import { answerJson, beginStream } from './answer.ts'
import { ApiError } from './api-error.ts'
import type { ApiOptions } from './api-options.ts'
import type { Caller } from './caller.ts'
import type { RequestLimiter } from './limits.ts'
import { negotiateForm } from './negotiate.ts'
import { parseQuery, type ReadOptions } from './query.ts'
import { planWatch, readList, readObject, type Reading } from './read-resource.ts'
import { listText, objectText } from './representation.ts'
import { resourcePath, type ResourcePath } from './request-path.ts'
import type { ServedResource } from './resource.ts'
import { closing } from './route.ts'
import { checkFields } from './selectors.ts'
import { WatchStream, type WatchContext } from './watch-stream.ts'

/** As kube-apiserver: watches without a limit of their own end after a random time from half an hour to an hour. */
const WATCH_LIFE_MS = 30 * 60_000

/** Members are not limited, as with kube-apiserver's own limits (priority level `exempt`). */
const UNLIMITED = 'system:masters'

/** What the metrics call a request, found out on the way; both from closed sets. */
export interface RequestLabel {
  resource: string
  verb: string
}

/** A GET whose caller is known. */
export interface ResourceRequest {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  /** Of the path, decoded. */
  readonly segments: readonly string[]
  /** Not decoded. */
  readonly query: string
  readonly caller: Caller
  readonly label: RequestLabel
}

/** What resources are served with. */
export interface ResourceServerOptions extends Pick<ApiOptions, 'authorizer' | 'clock' | 'random'> {
  /** By plural. */
  readonly resources: ReadonlyMap<string, ServedResource>
  readonly limiter: RequestLimiter
  readonly watches: WatchContext
  /** Watches are not begun any more. */
  readonly isStopping: () => boolean
}

/** Answers what is asked of resources: one object, a list, a watch. */
export class ResourceServer {
  readonly #options: ResourceServerOptions

  constructor(options: ResourceServerOptions) {
    this.#options = options
  }

  /** Rejects with what is told as a Status. */
  async answer({ request, response, segments, query, caller, label }: ResourceRequest): Promise<void> {
    const { resources, limiter, authorizer, clock } = this.#options
    const path = resourcePath(segments)
    const resource = path && resources.get(path.plural)
    if (!resource || !names(path, resource)) {
      throw new ApiError('NotFound', 'the server could not find the requested resource')
    }
    label.resource = resource.plural
    if (!isUnlimited(caller)) limiter.takeRequest(caller.username)
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
    if (response.destroyed) return
    const text = listText(resource, page, form, clock.now())
    response.on('close', limiter.unsent.holdList(caller.username, text.length, isUnlimited(caller)))
    await answerJson(request, response, text, page.warnings)
  }

  async #watch(
    response: ServerResponse,
    reading: Reading,
    { options, form }: { readonly options: ReadOptions; readonly form: ReturnType<typeof negotiateForm> },
  ): Promise<void> {
    const { authorizer, limiter, watches, isStopping, random = Math.random } = this.#options
    const { resource, caller, controller } = reading
    if (isStopping()) {
      throw new ApiError('ServiceUnavailable', 'it is being stopped', { retryAfterSeconds: 1 })
    }
    const leave = limiter.openWatch(caller.username, isUnlimited(caller))
    response.on('close', leave)
    const { access, scope, query, warnings } = await planWatch(reading, options)
    if (response.destroyed) return
    const { fields, labels, allowWatchBookmarks: bookmarks, sendInitialEvents, timeoutSeconds = 0 } = options
    const unsent = limiter.unsent.openStream(
      caller.username,
      isUnlimited(caller),
      () => response.writableLength,
    )
    const stream = new WatchStream(
      {
        resource,
        selection: { fields, labels },
        form,
        bookmarks,
        markInitialEnd: sendInitialEvents === true,
        unsent,
        lifeMs: timeoutSeconds > 0 ? timeoutSeconds * 1000 : WATCH_LIFE_MS * (1 + random()),
      },
      response,
      controller,
      watches,
    )
    response.on('close', () => unsent.release())
    const unguard = authorizer.guard(access, scope, (reason) => stream.withdraw(reason))
    response.on('close', () => {
      stream.closed()
      unguard()
    })
    beginStream(response, warnings)
    // Not waited for: what this request was answered by is of no use any more.
    void stream.follow(resource.reader.watch(query, caller, controller.signal))
  }
}

function isUnlimited({ groups }: Caller): boolean {
  return groups.includes(UNLIMITED)
}

/** A cluster-scoped resource has no namespaces, and one object of a namespaced one lies in one of them. */
function names({ namespace, name }: ResourcePath, { namespaced }: ServedResource): boolean {
  return namespaced ? namespace !== undefined || name === undefined : namespace === undefined
}
