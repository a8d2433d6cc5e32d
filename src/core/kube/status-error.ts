import { DeckError } from '../lib/errors.ts'
import type { ErrorCode } from '../lib/errors.ts'
import { forbidden, unauthorized } from './status-error-access.ts'
import { purposeText } from './status-error-purpose.ts'
import type { RequestPurpose } from './status-error-purpose.ts'
import type { KubeResponse } from './transport.ts'

export type { RequestIdentity, RequestPurpose } from './status-error-purpose.ts'

/** The part of a metav1.Status that is read. */
interface StatusBody {
  readonly message: string
  readonly reason: string
  readonly code: number
  readonly retryAfterSeconds: number | undefined
}

// k8s.io/apimachinery, NewGenericServerResponse: nothing is served at this path.
const NO_SUCH_RESOURCE = /^the server could not find the requested resource/

const BODY_LIMIT = 256 * 1024
const MESSAGE_LIMIT = 1000

async function readText(body: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = []
  let size = 0
  try {
    for await (const chunk of body) {
      chunks.push(chunk)
      size += chunk.length
      if (size >= BODY_LIMIT) break
    }
  } catch {
    // The status line has come and says more than how its body ended.
  }
  return Buffer.concat(chunks).subarray(0, BODY_LIMIT).toString('utf8')
}

/** One line that is safe on a terminal. */
function oneLine(text: string): string {
  // oxlint-disable-next-line no-control-regex -- control characters are what is removed
  const line = text.replaceAll(/[\s\u0000-\u001f\u007f-\u009f]+/g, ' ').trim()
  return line.length > MESSAGE_LIMIT ? `${line.slice(0, MESSAGE_LIMIT)}…` : line
}

function field(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined
}

function statusBody(value: unknown, fallbackCode: number): StatusBody | undefined {
  if (field(value, 'kind') !== 'Status') return undefined
  const message = field(value, 'message')
  const reason = field(value, 'reason')
  const code = field(value, 'code')
  const seconds = field(field(value, 'details'), 'retryAfterSeconds')
  return {
    message: typeof message === 'string' ? oneLine(message) : '',
    reason: typeof reason === 'string' ? reason : '',
    code: typeof code === 'number' ? code : fallbackCode,
    retryAfterSeconds: typeof seconds === 'number' ? seconds : undefined,
  }
}

function codeOf(status: number, reason: string): ErrorCode {
  if (reason === 'Expired' || reason === 'Gone') return 'KUBE_EXPIRED'
  switch (status) {
    case 400:
    case 413:
    case 422:
      return 'KUBE_BAD_REQUEST'
    case 404:
      return 'KUBE_NOT_FOUND'
    case 408:
    case 504:
      return 'KUBE_TIMEOUT'
    case 409:
      return 'KUBE_CONFLICT'
    case 410:
      return 'KUBE_EXPIRED'
    case 429:
      return 'KUBE_THROTTLED'
    default:
      return status >= 500 ? 'KUBE_UNAVAILABLE' : 'KUBE_PROTOCOL'
  }
}

function hintOf(code: ErrorCode, status: StatusBody, purpose: RequestPurpose): string | undefined {
  switch (code) {
    case 'KUBE_BAD_REQUEST':
      if (/HTTP request to an HTTPS server/i.test(status.message)) {
        return 'The server speaks TLS: write https:// before its address (--server, or `server` in the kubeconfig).'
      }
      return /label|field|selector|requirement/i.test(status.message)
        ? 'Check --selector (-l) and --field-selector.'
        : undefined
    case 'KUBE_NOT_FOUND':
      return status.reason === 'NotFound' && !NO_SUCH_RESOURCE.test(status.message)
        ? purpose.namespace &&
            `Is it in another namespace? Give -n NAMESPACE, or look for it with -A and without its name.`
        : 'The server does not serve this resource: is it the right server (--context, --server), and is its API installed?'
    case 'KUBE_CONFLICT':
      return 'Somebody else changed it meanwhile: look at it again, then try again.'
    case 'KUBE_EXPIRED':
      return 'The list has become too old to go on with: start again.'
    case 'KUBE_THROTTLED':
      return 'The API server has too much to do: try again later.'
    case 'KUBE_TIMEOUT':
    case 'KUBE_UNAVAILABLE':
      return 'The API server, or what stands before it, is not well; `kubectl get --raw /readyz?verbose` says more.'
    default:
      return undefined
  }
}

function statusError(
  status: StatusBody,
  purpose: RequestPurpose,
  retryAfterMs: number | undefined,
): DeckError {
  if (status.code === 401) return unauthorized(status.message, purpose)
  if (status.code === 403) return forbidden(status.message, purpose)
  const code = codeOf(status.code, status.reason)
  const said = status.message || status.reason || 'it did not say why'
  const server = purpose.identity ? ` ${purpose.identity.server}` : ''
  return new DeckError(
    code,
    `cannot ${purposeText(purpose)}: the API server${server} answered ${status.code}: ${said}`,
    {
      hint: hintOf(code, status, purpose),
      status: status.code,
      retryAfterMs,
    },
  )
}

function milliseconds(seconds: number | undefined): number | undefined {
  return seconds === undefined ? undefined : seconds * 1000
}

function retryAfter(header: string | undefined): number | undefined {
  if (header === undefined) return undefined
  if (/^\d+$/.test(header.trim())) return Number(header) * 1000
  const at = Date.parse(header)
  return Number.isNaN(at) ? undefined : Math.max(0, at - Date.now())
}

/** The error for a metav1.Status object that came otherwise than as an answer, e.g. in a watch's ERROR event. */
export function errorFromStatus(status: unknown, purpose: RequestPurpose): DeckError {
  const body = statusBody(status, 500) ?? { message: '', reason: '', code: 500, retryAfterSeconds: undefined }
  return statusError(body, purpose, milliseconds(body.retryAfterSeconds))
}

/** The error for an answer that is not 2xx; reads its body, of which it needs no particular form. */
export async function errorFromResponse(response: KubeResponse, purpose: RequestPurpose): Promise<DeckError> {
  const text = await readText(response.body)
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    // Plain text or HTML, mostly of a proxy or load balancer.
  }
  const status = statusBody(value, response.status)
  const location = response.headers['location']
  const body: StatusBody = status ?? {
    message: oneLine(
      response.status < 400 && location
        ? `it sends us to ${location.replace(/[?#].*/, '')}, so it is no API server or wants a login first`
        : text.replaceAll(/<(script|style)\b.*?<\/\1>|<[^>]*>/gis, ' '),
    ),
    reason: '',
    code: response.status,
    retryAfterSeconds: undefined,
  }
  // The header first: it is what a load balancer in front sets too.
  return statusError(
    { ...body, code: response.status },
    purpose,
    retryAfter(response.headers['retry-after']) ?? milliseconds(body.retryAfterSeconds),
  )
}
