import { DeckError } from '../lib/errors.ts'
import { purposeText } from './status-error-purpose.ts'
import { errorFromResponse, type RequestPurpose } from './status-error.ts'
import { readAll, type KubeRequest, type KubeTransport } from './transport.ts'

/** One request that is answered with one JSON object. */
export interface JsonRequest {
  readonly method?: KubeRequest['method']
  /** Encoded, with its query. */
  readonly path: string
  readonly body?: unknown
  /** `application/json` where left out; another form of JSON else. */
  readonly accept?: string | undefined
  /** `application/json` where left out. */
  readonly contentType?: string
  /** What error messages call it. */
  readonly purpose: RequestPurpose
  readonly signal?: AbortSignal | undefined
}

/** Field manager and force of a server-side apply (KEP-555). */
export interface ApplyOptions {
  readonly fieldManager: string
  /** Take over fields of other managers in place of 409. */
  readonly force: boolean
  readonly dryRun?: boolean
}

const APPLY_MEDIA_TYPE = 'application/apply-patch+yaml'

/** Sends one request and gives the answer's object; a DeckError for any status but 2xx, KUBE_PROTOCOL for no JSON. */
export async function requestJson<T>(transport: KubeTransport, request: JsonRequest): Promise<T> {
  const { method, path, body, accept, contentType, purpose, signal } = request
  const response = await transport.send({
    path,
    ...(method ? { method } : {}),
    ...(accept === undefined ? {} : { accept }),
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    ...(contentType === undefined ? {} : { contentType }),
    signal,
  })
  if (response.status < 200 || response.status > 299) throw await errorFromResponse(response, purpose)
  const text = Buffer.from(await readAll(response.body)).toString('utf8')
  try {
    return JSON.parse(text) as T
  } catch (cause) {
    throw new DeckError('KUBE_PROTOCOL', `cannot ${purposeText(purpose)}: the answer is no JSON`, { cause })
  }
}

/** A server-side apply of one object; `path` names the object itself. Gives the object as it now is. */
export function applyObject<T>(
  transport: KubeTransport,
  request: Omit<JsonRequest, 'method' | 'contentType'>,
  { fieldManager, force, dryRun = false }: ApplyOptions,
): Promise<T> {
  const query = new URLSearchParams({ fieldManager, force: String(force) })
  if (dryRun) query.set('dryRun', 'All')
  return requestJson<T>(transport, {
    ...request,
    method: 'PATCH',
    path: `${request.path}?${query.toString()}`,
    // JSON is YAML.
    contentType: APPLY_MEDIA_TYPE,
  })
}
