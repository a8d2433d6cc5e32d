import { DeckError } from '../lib/errors.ts'
import type { ConnectFiles } from './connect-files.ts'
import { impersonationHeaders } from './connect-headers.ts'
import type { HeaderList } from './connect-headers.ts'
import { connectionError } from './connection-error.ts'
import type { Credential, CredentialSource } from './connection-credential.ts'
import type { ClusterConnection, ConnectionEnvironment } from './connection.ts'
import { createTlsMaterial } from './tls.ts'
import type { TlsMaterial } from './tls.ts'
import type { KubeRequest, KubeResponse, KubeTransport } from './transport.ts'

/** One request as it goes out, everything decided. */
export interface WireRequest {
  readonly method: string
  /** Absolute, encoded. */
  readonly url: string
  readonly headers: HeaderList
  readonly body: string | Uint8Array | undefined
  /** Undefined for a plain http server. */
  readonly material: TlsMaterial | undefined
  readonly signal: AbortSignal
}

/** A way to put one request on the network; rejects with the network's own error, or the signal's reason. */
export interface Wire {
  send(request: WireRequest): Promise<KubeResponse>
  close(): void
}

/** What a transport stands on. */
export interface TransportOptions {
  readonly connection: ClusterConnection
  readonly environment: Pick<ConnectionEnvironment, 'variables' | 'clock'>
  readonly files: ConnectFiles
  readonly credentials: CredentialSource
  /** Who we are in the API server's audit log. */
  readonly userAgent: string
}

function isLoopback(server: string): boolean {
  const { hostname } = new URL(server)
  return hostname === 'localhost' || hostname === '[::1]' || /^127\.[\d.]+$/.test(hostname)
}

async function discard(response: KubeResponse): Promise<void> {
  let left = 64 * 1024
  for await (const chunk of response.body) {
    left -= chunk.length
    if (left < 0) return
  }
}

/** A transport over one wire: says who asks, asks again once after a 401, bounds the time, names every failure. */
export function createSession(options: TransportOptions, wire: Wire): KubeTransport {
  const { connection, environment, files, credentials, userAgent } = options
  const secure = connection.server.startsWith('https:')
  const materialFor = createTlsMaterial(connection.trust, files)
  const impersonation = impersonationHeaders(connection.impersonate)
  // Compressing costs more than it saves where nothing travels.
  const compressed = !connection.disableCompression && !isLoopback(connection.server)

  function headersOf(request: KubeRequest, credential: Credential): HeaderList {
    const { accept = 'application/json', body, contentType = 'application/json', streaming } = request
    return [
      ['accept', accept],
      ['accept-encoding', compressed && !streaming ? 'gzip' : 'identity'],
      ['user-agent', userAgent],
      ...(body === undefined ? [] : [['content-type', contentType] as const]),
      ...(credential.authorization ? [['authorization', credential.authorization] as const] : []),
      ...impersonation,
    ]
  }

  async function attempt(request: KubeRequest, credential: Credential): Promise<KubeResponse> {
    const material = secure ? materialFor(credential) : undefined
    const deadline = startDeadline(request, connection)
    const failed = (error: unknown, answered: boolean): unknown => {
      deadline.clear()
      if (deadline.signal.aborted) return deadline.signal.reason
      return connectionError(error, { connection, material, answered, now: environment.clock.now() })
    }
    let response: KubeResponse
    try {
      deadline.signal.throwIfAborted()
      response = await wire.send({
        method: request.method ?? 'GET',
        url: connection.server + request.path,
        headers: headersOf(request, credential),
        body: request.body,
        material,
        signal: deadline.signal,
      })
    } catch (error) {
      throw failed(error, false)
    }
    async function* body(): AsyncGenerator<Uint8Array> {
      try {
        yield* response.body
      } catch (error) {
        throw failed(error, true)
      } finally {
        deadline.clear()
      }
      // A wire may end quietly on abort.
      deadline.signal.throwIfAborted()
    }
    return { status: response.status, headers: response.headers, body: body() }
  }

  return {
    async send(request) {
      const { signal } = request
      signal?.throwIfAborted()
      const credential = await credentials.current(signal)
      const response = await attempt(request, credential)
      if (response.status !== 401) return response
      if (!(await credentials.renew(credential, signal))) return response
      await discard(response)
      return attempt(request, await credentials.current(signal))
    },
    close: () => wire.close(),
  }
}

interface Deadline {
  readonly signal: AbortSignal
  clear(): void
}

// From the first byte out to the last byte in; a login before it may take as long as a person needs.
function startDeadline(
  { signal, streaming }: KubeRequest,
  { requestTimeoutMs, server }: ClusterConnection,
): Deadline {
  const controller = new AbortController()
  const abort = (): void => controller.abort(signal?.reason)
  if (signal?.aborted) abort()
  else signal?.addEventListener('abort', abort, { once: true })
  const timer =
    requestTimeoutMs > 0 && !streaming
      ? setTimeout(() => {
          controller.abort(
            new DeckError(
              'KUBE_TIMEOUT',
              `the API server ${server} took longer than ${requestTimeoutMs / 1000} s to answer`,
              {
                hint: 'Give it more with --request-timeout (0 waits for ever).',
              },
            ),
          )
        }, requestTimeoutMs)
      : undefined
  timer?.unref()
  return {
    signal: controller.signal,
    clear() {
      clearTimeout(timer)
      signal?.removeEventListener('abort', abort)
    },
  }
}
