import { DeckError } from '../lib/errors.ts'
import type { Clock } from '../lib/time.ts'
import { DECKWATCH_API_VERSION } from '../wire/image.ts'
import { backoffDelay } from './backoff.ts'
import { purposeText } from './status-error-purpose.ts'
import { errorFromResponse, type RequestIdentity, type RequestPurpose } from './status-error.ts'
import { readAll, type KubeResponse, type KubeTransport } from './transport.ts'
import { parseWarnings } from './warning-header.ts'

const ROOT = `/apis/${DECKWATCH_API_VERSION}`

/** What the API server says of the companion. */
export type CompanionState =
  /** With the plural names of what its installed components serve. */
  | { readonly state: 'found'; readonly resources: readonly string[] }
  /** The cluster has none. */
  | { readonly state: 'absent' }
  /** There is one, and it does not answer; `reason` is a sentence without a full stop. */
  | { readonly state: 'down'; readonly reason: string }

/** Asks whether a companion answers and what it serves; throws DeckErrors where the API server itself fails or refuses. */
export async function probeCompanion(
  transport: KubeTransport,
  identity: RequestIdentity,
  signal: AbortSignal,
): Promise<CompanionState> {
  const purpose = { verb: 'get', resource: DECKWATCH_API_VERSION, namespaced: false, identity }
  const response = await transport.send({ path: ROOT, signal })
  if (response.status === 200) {
    const { resources } = await jsonOf<{ resources?: readonly { name?: unknown }[] }>(response, purpose)
    const names = (resources ?? []).map(({ name }) => String(name))
    return { state: 'found', resources: names.filter((name) => !name.includes('/')) }
  }
  const error = await errorFromResponse(response, purpose)
  // kube-apiserver answers 503 for a group whose server it cannot reach (kube-aggregator, proxyHandler).
  if (response.status >= 500) return { state: 'down', reason: error.message }
  if (response.status === 404) return { state: 'absent' }
  throw error
}

/** Whether the cluster has no companion any more; false where that cannot be found out now, to be asked again. */
export async function companionIsGone(
  transport: KubeTransport,
  identity: RequestIdentity,
  signal: AbortSignal,
): Promise<boolean> {
  try {
    return (await probeCompanion(transport, identity, signal)).state === 'absent'
  } catch {
    return false
  }
}

/** Which objects of the companion are meant. */
export interface CompanionCollection {
  /** The plural: `imageevents`. */
  readonly resource: string
  /** Left out for resources of the whole cluster. */
  readonly namespace?: string | undefined
  readonly identity: RequestIdentity
}

/** The path of a collection of the companion. */
export function companionPath({ resource, namespace }: CompanionCollection): string {
  const within = namespace === undefined ? '' : `/namespaces/${encodeURIComponent(namespace)}`
  return `${ROOT}${within}/${resource}`
}

/** What errors call a collection of the companion. */
export function companionPurpose(collection: CompanionCollection): Omit<RequestPurpose, 'verb'> {
  const { resource, namespace, identity } = collection
  // A resource of the whole cluster has a namespaced sister, so that one namespace may be allowed.
  return { resource: `${resource}.deckwatch.dev`, namespace, identity }
}

/** One page of a list as the companion sent it. */
export interface CompanionPage<List> {
  readonly list: List
  /** What the companion wants its reader to know, one sentence each. */
  readonly warnings: readonly string[]
}

/** What every list has. */
interface AnyList {
  readonly metadata?: { readonly resourceVersion?: string; readonly continue?: string }
  readonly items: readonly unknown[]
}

/** The companion lets a user ask 20 times a second: whoever reads many pages waits so often for one. */
const PATIENT_RETRIES = 5

/** Lists a collection of the companion, page by page; `query` is added to each request. Throws DeckErrors. */
export async function* listCompanion<List extends AnyList>(
  transport: KubeTransport,
  collection: CompanionCollection,
  query: Readonly<Record<string, string>>,
  { signal, clock }: { readonly signal: AbortSignal; readonly clock: Clock },
): AsyncGenerator<CompanionPage<List>, void> {
  const purpose = { verb: 'list', ...companionPurpose(collection) }
  let token: string | undefined = ''
  while (token !== undefined) {
    const search = new URLSearchParams({ ...query, ...(token ? { continue: token } : {}) }).toString()
    const path = companionPath(collection) + (search && `?${search}`)
    let response = await transport.send({ path, signal })
    for (let tries = 1; response.status === 429 && tries <= PATIENT_RETRIES; tries++) {
      const { retryAfterMs } = await errorFromResponse(response, purpose)
      await clock.sleep(backoffDelay(tries, Math.random(), retryAfterMs), signal)
      response = await transport.send({ path, signal })
    }
    if (response.status !== 200) throw await errorFromResponse(response, purpose)
    const warnings = parseWarnings(response.headers['warning'])
    const list: List = await jsonOf<List>(response, purpose)
    if (!Array.isArray(list.items)) throw noAnswer(purpose, 'is no list')
    yield { list, warnings }
    token = list.metadata?.continue || undefined
  }
}

async function jsonOf<T extends object>(response: KubeResponse, purpose: RequestPurpose): Promise<T> {
  const text = Buffer.from(await readAll(response.body)).toString('utf8')
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    throw noAnswer(purpose, 'is no JSON', cause)
  }
  if (typeof value !== 'object' || value === null) throw noAnswer(purpose, 'is no object')
  return value as T
}

function noAnswer(purpose: RequestPurpose, fault: string, cause?: unknown): DeckError {
  return new DeckError('KUBE_PROTOCOL', `cannot ${purposeText(purpose)}: the answer ${fault}`, {
    hint: 'A proxy between here and the API server may cut or change answers.',
    cause,
  })
}
