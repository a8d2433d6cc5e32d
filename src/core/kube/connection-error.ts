import { DeckError } from '../lib/errors.ts'
import type { ClusterConnection } from './connection.ts'
import { distrustedServer, endedClientCertificate, failedHandshake, localTlsFault } from './tls-error.ts'
import type { TlsMaterial } from './tls.ts'

/** Where a request stood when its connection failed. */
export interface FailedRequest {
  readonly connection: ClusterConnection
  /** Undefined for a plain http server. */
  readonly material: TlsMaterial | undefined
  /** Whether the answer's headers had come. */
  readonly answered: boolean
  readonly now: number
}

function codeOf(error: unknown): string {
  const { code, cause } = error as { code?: unknown; cause?: { code?: unknown } }
  if (typeof code === 'string') return code
  return typeof cause?.code === 'string' ? cause.code : ''
}

function reasonOf(code: string, error: unknown): string {
  switch (code) {
    case 'ECONNREFUSED':
    case 'ConnectionRefused':
      return 'nothing listens there (connection refused)'
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
    case 'EAI_FAIL':
    case 'EAI_NODATA':
      return `its name cannot be resolved (${code})`
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
    case 'EADDRNOTAVAIL':
      return `there is no way to it from here (${code})`
    case 'ECONNRESET':
    case 'EPIPE':
    case 'ConnectionClosed':
      return 'it closed the connection'
    default:
      return code || (error instanceof Error ? error.message : String(error))
  }
}

/** The error people see for a request that got no answer, or only part of one. */
export function connectionError(error: unknown, failed: FailedRequest): DeckError {
  if (error instanceof DeckError) return error
  const { connection, material, answered } = failed
  const { server } = connection
  const context = connection.contextName ? ` (context ${JSON.stringify(connection.contextName)})` : ''
  const code = codeOf(error)
  if (answered) {
    return new DeckError(
      'KUBE_UNREACHABLE',
      `the answer of the API server ${server}${context} broke off: ${reasonOf(code, error)}`,
      { hint: 'Try again; a proxy or load balancer between may end long answers.', cause: error },
    )
  }
  if (code === 'ETIMEDOUT' || code === 'ERR_SOCKET_CONNECTION_TIMEOUT') {
    return new DeckError('KUBE_TIMEOUT', `the API server ${server}${context} did not answer in time`, {
      hint: 'Is the network (VPN, firewall) in the way, or --server or --context another cluster?',
      cause: error,
    })
  }
  const unreached = /^(?:ECONNREFUSED|ConnectionRefused|ENOTFOUND|EAI_|EHOST|ENET|EADDR)/.test(code)
  if (material && !unreached) {
    const failure = { code, error, material, names: connection }
    const fault =
      localTlsFault(material, connection) ??
      distrustedServer(failure) ??
      endedClientCertificate(material, connection, failed.now) ??
      failedHandshake(failure)
    if (fault) return fault
  }
  return new DeckError(
    'KUBE_UNREACHABLE',
    `cannot reach the API server ${server}${context}: ${reasonOf(code, error)}`,
    {
      // Some servers close without a word when they do not know a certificate's authority.
      hint: `Is the cluster up${material?.cert && !unreached ? ', is our client certificate one that it accepts,' : ''} and the address right? --context and --server choose another.`,
      cause: error,
    },
  )
}
