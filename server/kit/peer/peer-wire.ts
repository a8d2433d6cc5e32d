import { ApiError, STATUS_CODES, type StatusReason } from '../api/api-error.ts'
import type { Caller } from '../api/caller.ts'
import type {
  FieldRequirement,
  GetQuery,
  ListPage,
  ListQuery,
  ResourceScope,
  ServedObject,
  WatchNotice,
  WatchQuery,
} from '../api/resource.ts'

/** How a resource of another pod is read. */
export type PeerVerb = 'get' | 'list' | 'watch'

/** The queries of each way. */
export interface PeerQueries {
  readonly get: GetQuery
  readonly list: ListQuery
  readonly watch: WatchQuery
}

/** What one pod asks another, as JSON: the query, and for whom. */
export interface PeerQuestion<Verb extends PeerVerb> {
  readonly query: PeerQueries[Verb]
  readonly caller: Caller
}

/** A line of a watch (application/x-ndjson); an empty line is a sign of life. */
export type PeerLine =
  | WatchNotice
  /** The reader ended. */
  | { readonly type: 'END' }
  | { readonly type: 'ERROR'; readonly error: PeerFailure }

/** An ApiError on the wire. */
export interface PeerFailure {
  readonly reason: StatusReason
  readonly message: string
  readonly retryAfterSeconds?: number | undefined
}

/** The raw path at which a resource is read. */
export function peerPath(plural: string, verb: PeerVerb): string {
  return `/peer/v1/${plural}/${verb}`
}

/** What is told of an ApiError. */
export function failureOf({ reason, message, retryAfterSeconds }: ApiError): PeerFailure {
  return { reason, message, ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }) }
}

/** The ApiError that was told. */
export function errorOfFailure(value: unknown): ApiError {
  const { reason, message, retryAfterSeconds } = recordOf(value) ?? {}
  if (typeof reason !== 'string' || !Object.hasOwn(STATUS_CODES, reason)) {
    return new ApiError('InternalError', 'another pod of the companion answered what makes no sense')
  }
  const seconds = typeof retryAfterSeconds === 'number' ? { retryAfterSeconds } : {}
  return new ApiError(reason as StatusReason, textOf(message), seconds)
}

/** Reads a question; undefined where it is none. */
export function readQuestion<Verb extends PeerVerb>(
  verb: Verb,
  text: string,
): PeerQuestion<Verb> | undefined {
  const question = recordOf(parsed(text))
  const query = recordOf(question?.['query'])
  const caller = readCaller(question?.['caller'])
  if (!query || !caller) return undefined
  const read: { readonly [V in PeerVerb]: (from: Fields) => PeerQueries[V] } = {
    get: readGet,
    list: readList,
    watch: readWatch,
  }
  return { query: read[verb](query), caller }
}

/** Reads a page of a list; undefined where it is none. */
export function readPage(text: string): ListPage | undefined {
  const page = recordOf(parsed(text))
  if (!page || !Array.isArray(page['items']) || typeof page['resourceVersion'] !== 'string') return undefined
  const extra = recordOf(page['extra'])
  return {
    items: page['items'] as ServedObject[],
    resourceVersion: page['resourceVersion'],
    continue: textOf(page['continue']),
    remaining: numberOf(page['remaining']),
    ...(extra ? { extra } : {}),
    ...(Array.isArray(page['warnings']) ? { warnings: page['warnings'].map(textOf) } : {}),
  }
}

/** Reads the answer to a get, in which the object may be missing; undefined where it is no such answer. */
export function readFound(text: string): { readonly object: ServedObject | undefined } | undefined {
  const found = recordOf(parsed(text))
  if (!found || !('object' in found)) return undefined
  return { object: (found['object'] ?? undefined) as ServedObject | undefined }
}

/** Reads a line of a watch; undefined where it is none. */
export function readLine(text: string): PeerLine | undefined {
  const line = recordOf(parsed(text))
  switch (line?.['type']) {
    case 'ADDED':
    case 'MODIFIED':
    case 'DELETED':
    case 'BOOKMARK':
    case 'END':
    case 'ERROR':
      return line as unknown as PeerLine
    default:
      return undefined
  }
}

type Fields = Readonly<Record<string, unknown>>

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function recordOf(value: unknown): Fields | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : undefined
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : ''
}

function numberOf(value: unknown): number | undefined {
  return typeof value === 'number' ? value : undefined
}

function optionalText(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}

function textsOf(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : []
}

function readCaller(value: unknown): Caller | undefined {
  const caller = recordOf(value)
  if (typeof caller?.['username'] !== 'string') return undefined
  return {
    username: caller['username'],
    uid: textOf(caller['uid']),
    groups: textsOf(caller['groups']),
    extra: Object.fromEntries(
      Object.entries(recordOf(caller['extra']) ?? {}).map(([key, values]) => [key, textsOf(values)]),
    ),
  }
}

function readScope(from: Fields): ResourceScope {
  return { namespace: optionalText(from['namespace']), namespaceUid: optionalText(from['namespaceUid']) }
}

function readFields(value: unknown): FieldRequirement[] {
  const items = Array.isArray(value) ? value.map(recordOf) : []
  return items.map((item) => ({
    field: textOf(item?.['field']),
    operator: item?.['operator'] === '!=' ? '!=' : '=',
    value: textOf(item?.['value']),
  }))
}

function readGet(from: Fields): GetQuery {
  return { ...readScope(from), name: textOf(from['name']) }
}

function readList(from: Fields): ListQuery {
  return {
    ...readScope(from),
    fields: readFields(from['fields']),
    limit: numberOf(from['limit']) ?? 0,
    continue: textOf(from['continue']),
    sinceTime: numberOf(from['sinceTime']),
    untilTime: numberOf(from['untilTime']),
    perObject: numberOf(from['perObject']),
  }
}

function readWatch(from: Fields): WatchQuery {
  return {
    ...readScope(from),
    fields: readFields(from['fields']),
    resourceVersion: optionalText(from['resourceVersion']),
    sinceTime: numberOf(from['sinceTime']),
  }
}
