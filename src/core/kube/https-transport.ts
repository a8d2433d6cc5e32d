import { Agent as HttpAgent, request as httpRequest } from 'node:http'
import type { IncomingMessage, RequestOptions } from 'node:http'
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https'
import type { Duplex } from 'node:stream'
import { createSession } from './connect-session.ts'
import type { TransportOptions, Wire, WireRequest } from './connect-session.ts'
import type { HeaderList } from './connect-headers.ts'
import { openConnection } from './https-transport-connection.ts'
import { forwardsTo, proxyAuthorization, proxyFor, proxyWantsLogin } from './proxy.ts'
import type { TlsMaterial } from './tls.ts'
import type { KubeResponse, KubeTransport } from './transport.ts'

function nodeHeaders(headers: HeaderList): Record<string, string | string[]> {
  const lists = new Map<string, string[]>()
  for (const [name, value] of headers) lists.set(name, [...(lists.get(name) ?? []), value])
  return Object.fromEntries(
    [...lists].map(([name, values]) => [name, values.length === 1 ? (values[0] ?? '') : values]),
  )
}

async function* bodyOf(message: IncomingMessage): AsyncGenerator<Uint8Array> {
  let source: AsyncIterable<Buffer> = message
  if (message.headers['content-encoding'] === 'gzip') {
    const [{ createGunzip }, { pipeline }] = await Promise.all([import('node:zlib'), import('node:stream')])
    // The callback only keeps pipeline from throwing: the same error ends the iteration.
    source = pipeline(message, createGunzip(), () => undefined)
  }
  try {
    yield* source
  } finally {
    // A reader that stops half way must not keep the connection.
    if (!message.readableEnded) message.destroy()
  }
}

function responseOf(message: IncomingMessage): KubeResponse {
  const headers = Object.entries(message.headers).map(([name, value]) => [
    name,
    Array.isArray(value) ? value.join(', ') : (value ?? ''),
  ])
  return {
    status: message.statusCode ?? 0,
    headers: Object.fromEntries(headers) as Record<string, string>,
    body: bodyOf(message),
  }
}

function sameMaterial(a: TlsMaterial | undefined, b: TlsMaterial | undefined): boolean {
  return a?.cert === b?.cert && a?.key === b?.key && a?.ca === b?.ca
}

/** Requests over Node's http and https modules. */
export function createHttpsWire({ connection, environment }: TransportOptions): Wire {
  const server = new URL(connection.server)
  const proxy = proxyFor(server, connection.proxyUrl, environment.variables)
  const forwarder = proxy && forwardsTo(server, proxy) ? proxy : undefined
  let agent: HttpAgent | undefined
  let agentMaterial: TlsMaterial | undefined

  function closeIdle(): void {
    for (const socket of Object.values(agent?.freeSockets ?? {}).flat()) socket?.destroy()
  }

  function agentFor(material: TlsMaterial | undefined): HttpAgent {
    if (agent && sameMaterial(agentMaterial, material)) return agent
    // Connections are tied to the certificate that opened them; running requests may end on theirs.
    closeIdle()
    const created: HttpAgent = material
      ? new HttpsAgent({ keepAlive: true })
      : new HttpAgent({ keepAlive: true })
    created.createConnection = (_options, callback) => {
      void (async () => {
        let socket: Duplex
        try {
          socket = await openConnection(server, material, proxy)
        } catch (error) {
          callback?.(error as Error, undefined as never)
          return
        }
        callback?.(null, socket)
      })()
      return undefined
    }
    agent = created
    agentMaterial = material
    return created
  }

  function once(
    wired: WireRequest,
  ): Promise<{ message: IncomingMessage } | { error: Error; stale: boolean }> {
    const { promise, resolve } = Promise.withResolvers<
      { message: IncomingMessage } | { error: Error; stale: boolean }
    >()
    const { method, url, headers, body, material, signal } = wired
    const forwarderLogin = forwarder && proxyAuthorization(forwarder)
    const options: RequestOptions = {
      method,
      host: server.hostname,
      // RFC 9112, 3.2.2: a proxy that forwards is told the whole URL.
      path: forwarder ? url : url.slice(server.origin.length),
      headers: {
        host: server.host,
        ...(forwarderLogin ? { 'proxy-authorization': forwarderLogin } : {}),
        // Node itself says nothing of the body of a DELETE, which the server then takes for the next request.
        ...(body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) }),
        ...nodeHeaders(headers),
      },
      agent: agentFor(material),
    }
    const request = material ? httpsRequest(options) : httpRequest(options)
    let answer: IncomingMessage | undefined
    const abort = (): void => {
      const reason = signal.reason instanceof Error ? signal.reason : new Error('aborted')
      ;(answer ?? request).destroy(reason)
    }
    signal.addEventListener('abort', abort, { once: true })
    request.once('close', () => signal.removeEventListener('abort', abort))
    request.once('response', (message) => {
      answer = message
      resolve({ message })
    })
    request.on('error', (error) => resolve({ error, stale: request.reusedSocket }))
    // Bytes, since with a string Node would write the headers in UTF-8 too, and those are encoded already.
    request.end(typeof body === 'string' ? Buffer.from(body) : body)
    return promise
  }

  function answerOf(message: IncomingMessage): KubeResponse {
    if (forwarder && message.statusCode === 407) {
      message.destroy()
      throw proxyWantsLogin(forwarder)
    }
    return responseOf(message)
  }

  return {
    async send(wired) {
      const first = await once(wired)
      if ('message' in first) return answerOf(first.message)
      wired.signal.throwIfAborted()
      // The server closed an idle connection just as we took it up again: nothing was answered, so a GET may go anew.
      const again = first.stale && wired.method === 'GET' ? await once(wired) : first
      if ('message' in again) return answerOf(again.message)
      throw again.error
    },
    close: closeIdle,
  }
}

/**
 * Reaches the server by node:https, or node:http for an `http://` server, through a proxy where one applies; runs
 * under Node and Bun.
 */
export function createHttpsTransport(options: TransportOptions): KubeTransport {
  return createSession(options, createHttpsWire(options))
}
