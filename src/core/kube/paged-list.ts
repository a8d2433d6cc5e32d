import { DeckError } from '../lib/errors.ts'
import { type Clock, systemClock } from '../lib/time.ts'
import { backoffDelay } from './backoff.ts'
import { JsonListParser, type ListParser } from './paged-list-parser.ts'
import type { ProtobufReader } from './protobuf.ts'
import { ProtobufListParser } from './protobuf-list.ts'
import { PROTOBUF_MEDIA_TYPE, type Status, withJsonStatus } from './protobuf-status.ts'
import { purposeText } from './status-error-purpose.ts'
import { errorFromResponse, errorFromStatus, type RequestPurpose } from './status-error.ts'
import { type KubeResponse, type KubeTransport, readAll } from './transport.ts'

/** How objects of one type become slices. */
export interface ObjectDecoder<T> {
  readonly fromJson: (value: unknown) => T
  /** Called with the reader at the object's first byte; absent for types that have no protobuf. */
  readonly fromProtobuf?: ((reader: ProtobufReader, end: number) => T) | undefined
  /** `namespace/name`: the same for every version of an object and for another that took its name. */
  readonly keyOf: (object: T) => string
}

/** Where objects of one type are read, and how. */
export interface ResourceSource<T> {
  /** The collection: `/api/v1/pods`, `/apis/apps/v1/namespaces/shop/replicasets`. */
  readonly path: string
  /** What error messages call it. */
  readonly purpose: Omit<RequestPurpose, 'verb'>
  readonly labelSelector?: string | undefined
  readonly fieldSelector?: string | undefined
  readonly decoder: ObjectDecoder<T>
  /** False reads JSON where the server could send protobuf. */
  readonly protobuf?: boolean | undefined
  /** Asks for the objects' metadata alone (meta/v1 PartialObjectMetadata), in JSON. */
  readonly metadataOnly?: boolean | undefined
}

/** What a paged list may be told. */
export interface PagedListOptions {
  /** Objects per page, 5,000 in protobuf and 500 in JSON where left out; 0 asks for all at once. */
  readonly pageSize?: number | undefined
  readonly signal?: AbortSignal | undefined
  readonly clock?: Clock | undefined
  /** Jitter of retries, in [0, 1). */
  readonly random?: (() => number) | undefined
  /** `fail` throws KUBE_EXPIRED where the list can only go on inconsistently. */
  readonly whenExpired?: 'continue' | 'fail' | undefined
  /** How often one page is asked for again after 429, or 5xx with Retry-After. */
  readonly retries?: number | undefined
}

/** How a list ended. */
export interface ListEnd {
  /** A watch from here misses nothing of a consistent list. */
  readonly resourceVersion: string
  /** False when a continue token expired and the rest is of a later moment. */
  readonly consistent: boolean
}

/** The API server sends about one object per chunk; handing on each by itself costs more than reading it. */
const BATCH_SIZE = 100

/** While bytes come, what there is is handed on after so long in milliseconds, be it nothing. */
const HEARTBEAT_MS = 1000

/**
 * The API server answers a first page from its memory and every further one from etcd, decoding each object: a list of
 * 10,000 pods costs it 1.2 s of CPU in these pages, 1.8 s in pages of 500, 0.5 s whole. No greater than this, for a
 * server before 1.33 holds the whole encoded page. Here a page costs nothing, it is read as it arrives.
 */
const PROTOBUF_PAGE = 5000
/** As kubectl's; JSON is held until the page is whole. */
const JSON_PAGE = 500

/** Waits for 429 add up to no more than this, in milliseconds; then the error is given to the caller. */
const MAX_RETRY_WAIT_MS = 60_000

/**
 * Lists all objects of a source in batches as they arrive; the next page is asked for as soon as its token is
 * known, while this one is still read. As long as bytes come, so do batches, about one a second, empty where no
 * object is whole yet (JSON is read when the page is): who waits too long for a batch has waited for bytes.
 *
 * When a continue token expires on the way, the rest is read at a later moment, with the token that the server's
 * 410 carries (it names the key to go on after), or else from the start without the names already given. Either
 * way each name comes at most once and an object that was there all the time comes exactly once; what was given
 * before may since have changed, and `ListEnd.consistent` says so. A caller who must not have that (a watch
 * goes on from the list) sets `whenExpired: 'fail'` and starts anew.
 *
 * Throws DeckErrors: KUBE_PROTOCOL for an answer that is no whole list, those of the transport, and of
 * `errorFromResponse` for other statuses.
 */
export async function* pagedList<T>(
  transport: KubeTransport,
  source: ResourceSource<T>,
  options: PagedListOptions = {},
): AsyncGenerator<readonly T[], ListEnd> {
  const { clock = systemClock } = options
  const ended = new AbortController()
  const signal = options.signal ? AbortSignal.any([options.signal, ended.signal]) : ended.signal
  const pageSize = options.pageSize ?? (asksProtobuf(source) ? PROTOBUF_PAGE : JSON_PAGE)
  const ask = (token: string, limit = pageSize): Promise<KubeResponse> => {
    const answer = sendPatiently(transport, source, listPath(source, limit, token), signal, options)
    // It may fail while the page before it is still read; it is awaited after that.
    answer.catch(() => undefined)
    return answer
  }
  const given = new GivenNames(source.decoder)
  let consistent = true
  let resourceVersion = ''
  let continuing = false
  let next: Promise<KubeResponse> | undefined = ask('')
  let handedOnAt = clock.now()
  try {
    while (next) {
      const response: KubeResponse = await next
      next = undefined
      if (response.status === 410 && continuing) {
        const status = await statusOf(response)
        if (options.whenExpired === 'fail') throw errorFromStatus(status, { verb: 'list', ...source.purpose })
        const token = status.metadata?.continue
        consistent = false
        if (!token) given.leaveOut()
        // Without a token all comes in one page, which cannot expire again.
        next = token ? ask(token) : ask('', 0)
        continue
      }
      if (response.status !== 200) throw await listError(response, source)
      const parser = listParser(response, source)
      let batch: T[] = []
      for await (const chunk of response.body) {
        for (const item of parser.push(chunk)) batch.push(item)
        if (!next && parser.metadata?.continue) next = ask(parser.metadata.continue)
        const due = clock.now() - handedOnAt >= HEARTBEAT_MS
        if (batch.length < BATCH_SIZE && !due) continue
        const fresh = given.filter(batch, next !== undefined)
        batch = []
        if (fresh.length === 0 && !due) continue
        yield fresh
        handedOnAt = clock.now()
      }
      for (const item of parser.finish()) batch.push(item)
      if (!next && parser.metadata?.continue) next = ask(parser.metadata.continue)
      const rest = given.filter(batch, next !== undefined)
      if (rest.length > 0) yield rest
      resourceVersion = parser.metadata?.resourceVersion ?? ''
      continuing = next !== undefined
    }
    return { resourceVersion, consistent }
  } finally {
    // Ends what was asked ahead when the caller stops early or a page fails.
    ended.abort()
  }
}

/** Paged lists in JSON of a type that has no slice of its own; the items are the objects as they came. */
export function listJson<
  T extends { readonly metadata?: { readonly namespace?: string; readonly name?: string } },
>(
  transport: KubeTransport,
  source: Omit<ResourceSource<T>, 'decoder' | 'protobuf'>,
  options: PagedListOptions = {},
): AsyncGenerator<readonly T[], ListEnd> {
  const decoder: ObjectDecoder<T> = {
    fromJson: (value) => value as T,
    keyOf: (object) => `${object.metadata?.namespace ?? ''}/${object.metadata?.name ?? ''}`,
  }
  return pagedList(transport, { ...source, decoder }, options)
}

/** The names that were given to the caller, kept only while a list has further pages and so may expire. */
class GivenNames<T> {
  readonly #decoder: ObjectDecoder<T>
  readonly #names = new Set<string>()
  #leaveOut = false

  constructor(decoder: ObjectDecoder<T>) {
    this.#decoder = decoder
  }

  /** From now on names that were given are taken out. */
  leaveOut(): void {
    this.#leaveOut = true
  }

  filter(items: readonly T[], morePages: boolean): readonly T[] {
    if (this.#leaveOut) return items.filter((item) => !this.#names.has(this.#decoder.keyOf(item)))
    if (morePages) for (const item of items) this.#names.add(this.#decoder.keyOf(item))
    return items
  }
}

/** The parser for what the server chose to send; the content type decides, not what was asked for. */
function listParser<T>(response: KubeResponse, source: ResourceSource<T>): ListParser<T> {
  const type = response.headers['content-type'] ?? ''
  const { fromJson, fromProtobuf } = source.decoder
  if (type.startsWith(PROTOBUF_MEDIA_TYPE) && fromProtobuf) return new ProtobufListParser(fromProtobuf)
  if (type.startsWith('application/json')) return new JsonListParser(fromJson)
  throw wrongMediaType({ verb: 'list', ...source.purpose }, type)
}

/** The error for an answer that is neither protobuf nor JSON: something other than an API server sent it. */
export function wrongMediaType(purpose: RequestPurpose, type: string): DeckError {
  return new DeckError(
    'KUBE_PROTOCOL',
    `cannot ${purposeText(purpose)}: the answer is of type ${type || '(none)'}, not an API server's`,
    {
      hint: 'Is it the right address (--server, --context)? A proxy or a login page may have answered.',
    },
  )
}

/** The Accept header for a source: protobuf first where its decoder reads it. */
export function acceptedTypes<T>(source: ResourceSource<T>, verb: 'list' | 'watch'): string {
  if (source.metadataOnly) {
    const form = verb === 'list' ? 'PartialObjectMetadataList' : 'PartialObjectMetadata'
    return `application/json;as=${form};g=meta.k8s.io;v=v1`
  }
  return asksProtobuf(source) ? `${PROTOBUF_MEDIA_TYPE},application/json` : 'application/json'
}

function asksProtobuf<T>(source: ResourceSource<T>): boolean {
  return source.protobuf !== false && source.decoder.fromProtobuf !== undefined
}

function listPath<T>(source: ResourceSource<T>, limit: number, token: string): string {
  const query = selectorQuery(source)
  if (limit > 0) query.set('limit', String(limit))
  if (token) query.set('continue', token)
  return query.size > 0 ? `${source.path}?${query.toString()}` : source.path
}

/** The selectors of a source as a query, to which list and watch add their own parameters. */
export function selectorQuery<T>(source: ResourceSource<T>): URLSearchParams {
  const query = new URLSearchParams()
  if (source.labelSelector) query.set('labelSelector', source.labelSelector)
  if (source.fieldSelector) query.set('fieldSelector', source.fieldSelector)
  return query
}

async function sendPatiently<T>(
  transport: KubeTransport,
  source: ResourceSource<T>,
  path: string,
  signal: AbortSignal,
  options: PagedListOptions,
): Promise<KubeResponse> {
  const { clock = systemClock, random = Math.random, retries = 8 } = options
  let waited = 0
  for (let failures = 1; ; failures++) {
    const response = await transport.send({ path, accept: acceptedTypes(source, 'list'), signal })
    const mayRetry = response.status === 429 || (response.status >= 500 && 'retry-after' in response.headers)
    if (!mayRetry || failures > retries) return response
    const error = await listError(response, source)
    const delay = backoffDelay(failures, random(), error.retryAfterMs)
    waited += delay
    if (waited > MAX_RETRY_WAIT_MS) throw error
    await clock.sleep(delay, signal)
  }
}

function listError<T>(response: KubeResponse, source: ResourceSource<T>): Promise<DeckError> {
  return errorFromResponse(withJsonStatus(response), { verb: 'list', ...source.purpose })
}

async function statusOf(response: KubeResponse): Promise<Partial<Status>> {
  const text = Buffer.from(await readAll(withJsonStatus(response).body)).toString('utf8')
  try {
    const status: unknown = JSON.parse(text)
    if (typeof status === 'object' && status !== null) return status
  } catch {
    // A 410 without a Status is one without a token.
  }
  return { kind: 'Status', apiVersion: 'v1', status: 'Failure', reason: 'Expired', code: 410 }
}
