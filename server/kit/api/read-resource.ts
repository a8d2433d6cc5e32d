import { setImmediate as turn } from 'node:timers/promises'
import type { AccessRequest } from './access-request.ts'
import { ApiError } from './api-error.ts'
import { API_GROUP, type Authorizer } from './authorize.ts'
import type { Caller } from './caller.ts'
import type { ReadOptions } from './query.ts'
import type { ListPage, ResourceScope, ServedObject, ServedResource, WatchQuery } from './resource.ts'
import { selectedName, selects } from './selectors.ts'

/** Who reads what. */
export interface Reading {
  readonly resource: ServedResource
  readonly namespace: string | undefined
  readonly caller: Caller
  readonly authorizer: Authorizer
  /** Aborts when the client has gone. */
  readonly controller: AbortController
}

/** The object of a name that the caller may see; ApiError NotFound where there is none. */
export async function readObject(reading: Reading, name: string): Promise<ServedObject> {
  const { resource, namespace, caller, authorizer } = reading
  const { signal } = reading.controller
  const scope = await authorizer.authorize({ caller, verb: 'get', resource, namespace, name })
  const object = await resource.reader.get({ ...scope, name }, caller, signal)
  if (object) return object
  throw new ApiError('NotFound', `${resource.plural}.${API_GROUP} ${JSON.stringify(name)} not found`)
}

/** Pages in which nothing is selected that one request goes through; clients go on after an empty page too. */
const MAX_EMPTY_PAGES = 20

/** A page of what the caller may see and selected; empty while more follow only after many in which nothing was. */
export async function readList(reading: Reading, options: ReadOptions): Promise<ListPage> {
  const { resource, namespace, caller, authorizer } = reading
  const { signal } = reading.controller
  const { fields, labels, limit, sinceTime, untilTime, perObject } = options
  const access = { caller, verb: 'list', resource, namespace, name: selectedName(fields) } as const
  const scope = await authorizer.authorize(access)
  let token = options.continue
  for (let pages = 1; ; pages += 1) {
    const query = { ...scope, fields, limit, continue: token, sinceTime, untilTime, perObject }
    const page = await resource.reader.list(query, caller, signal)
    checkVersion(options, page.resourceVersion)
    if (fields.length === 0 && labels.length === 0) return page
    const items = page.items.filter((object) => selects(options, object, resource))
    // How many of the rest are selected is not known.
    if (items.length > 0 || page.continue === '' || pages === MAX_EMPTY_PAGES) {
      return { ...page, items, remaining: undefined }
    }
    token = page.continue
    // A reader of this process answers at once: others must have their turn.
    await turn(undefined, { signal })
  }
}

/** What a watch is opened with. */
export interface WatchPlan {
  readonly access: AccessRequest
  readonly scope: ResourceScope
  readonly query: WatchQuery
  readonly warnings: readonly string[]
}

/** Finds out what the caller may see and where the watch begins. */
export async function planWatch(reading: Reading, options: ReadOptions): Promise<WatchPlan> {
  const { resource, namespace, caller, authorizer } = reading
  const { signal } = reading.controller
  const { fields, sendInitialEvents, sinceTime } = options
  const access = { caller, verb: 'watch', resource, namespace, name: selectedName(fields) } as const
  const scope = await authorizer.authorize(access)
  const given = options.resourceVersion === '0' ? '' : options.resourceVersion
  // One page tells where the journal is, and what there is to say about its beginning.
  const mustLook =
    (sendInitialEvents === false && given === '') ||
    (sendInitialEvents === true && given !== '') ||
    (sinceTime !== undefined && given === '')
  const page = mustLook
    ? await resource.reader.list({ ...scope, fields, limit: 1, continue: '', sinceTime }, caller, signal)
    : undefined
  if (page && given !== '') checkVersion(options, page.resourceVersion)
  const begin =
    sendInitialEvents === true ? '' : given || (sendInitialEvents === false ? page?.resourceVersion : '')
  const resourceVersion = begin || undefined
  return {
    access,
    scope,
    query: {
      ...scope,
      fields,
      resourceVersion,
      sinceTime: resourceVersion === undefined ? sinceTime : undefined,
    },
    warnings: page?.warnings ?? [],
  }
}

/** A number that this journal has not reached is of another one. */
function checkVersion(
  { resourceVersion, resourceVersionMatch, continue: token }: ReadOptions,
  current: string,
): void {
  if (resourceVersion === '' || resourceVersion === '0' || token !== '') return
  const [asked, reached] = [BigInt(resourceVersion), BigInt(current)]
  if (asked > reached || (resourceVersionMatch === 'Exact' && asked < reached)) {
    throw new ApiError(
      'Expired',
      `The provided resource version is not available: ${resourceVersion}, the current one is ${current}`,
    )
  }
}
