import { constants } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer, type Server } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import type { SecureContextOptions, TLSSocket } from 'node:tls'
import type { Clock } from '../../../src/core/lib/time.ts'
import { listenAddress } from '../listen-address.ts'
import type { Log } from '../log.ts'
import { RareWarning } from '../rare-warning.ts'
import type { TlsSource } from '../tls/tls-source.ts'
import { PipeliningGuard } from './pipelining.ts'

/** Clients that may show a certificate. */
export interface ClientCertificates {
  /** PEM; what clients are told to choose their certificate by. */
  authorities(): readonly string[]
  /** Called after each change; returns how to stop listening. */
  onChange(listener: () => void): void
  /** Whether the client is one of those that the listener is for: only these may keep connections as they like. */
  trusts(socket: TLSSocket): boolean
}

/** What a listener stands on. */
export interface ListenerOptions {
  /** `:10250`, `127.0.0.1:0`, `[::1]:10250`. */
  readonly address: string
  readonly tls: TlsSource
  /** Asked for and never demanded: probes have none. */
  readonly clients?: ClientCertificates
  readonly log: Log
  readonly clock: Pick<Clock, 'now'>
  /** Must not throw. */
  readonly handle: (request: IncomingMessage, response: ServerResponse) => void
}

/** An HTTPS server that stays up whatever comes in. */
export interface Listener {
  /** Resolves once it listens. */
  listen(): Promise<AddressInfo>
  /** Takes no more connections, and asks clients of open ones to leave after their request. */
  stopAccepting(): void
  /** Resolves when all connections are gone; those on which nothing was asked go soon, those left after `graceMs` are cut. */
  close(graceMs: number): Promise<void>
}

/** Handshakes under way: beyond it the oldest is cut, so that new ones get through whatever is left hanging. */
const MAX_HANDSHAKES = 1000
/** Connections of clients without a trusted certificate: probes need one or two, as does who reads metrics. */
const MAX_STRANGERS = 500
const HANDSHAKE_MS = 10_000
/** Callers with many groups have long headers; Go's own limit is 1 MiB. */
const MAX_HEADER_BYTES = 64 * 1024
/** Above the 90 s after which Go's clients close idle connections: else they send into a closing one. */
const KEEP_ALIVE_MS = 120_000
const HEADERS_MS = 10_000
const REQUEST_MS = 30_000
/** How long the other side may take for a refusal. */
const LINGER_MS = 1000
/** At the end, what was just connected gets so long to ask something. */
const UNUSED_MS = 500

/** Makes a listener; nothing happens before `listen`. */
export function createListener(options: ListenerOptions): Listener {
  return new HttpsListener(options)
}

class HttpsListener implements Listener {
  readonly #options: ListenerOptions
  readonly #server: Server
  /** By address and port of the other side, oldest first. */
  readonly #handshakes = new Map<string, Socket>()
  readonly #strangers = new CrowdByAddress()
  /**
   * Connections on which no request came yet. Go's clients keep such ones in store, where a request that a connection
   * was made for took another that had become free; for Node they are not idle.
   */
  readonly #unused = new Set<TLSSocket>()
  readonly #pipelining = new PipeliningGuard()
  readonly #nonsense: RareWarning
  #stopping = false
  #stopFollowing: (() => void) | undefined

  constructor(options: ListenerOptions) {
    this.#options = options
    const { log, handle } = options
    this.#nonsense = new RareWarning('the certificate of a client makes no sense', options)
    this.#server = createServer(
      {
        ...this.#context(),
        requestCert: options.clients !== undefined,
        rejectUnauthorized: false,
        handshakeTimeout: HANDSHAKE_MS,
        maxHeaderSize: MAX_HEADER_BYTES,
        keepAliveTimeout: KEEP_ALIVE_MS,
        headersTimeout: HEADERS_MS,
        requestTimeout: REQUEST_MS,
        connectionsCheckingInterval: 5000,
        // Events of a watch are small and must not wait for each other.
        noDelay: true,
      },
      (request, response) => {
        this.#unused.delete(request.socket as TLSSocket)
        if (this.#stopping) response.setHeader('connection', 'close')
        request.on('error', () => undefined)
        response.on('error', () => undefined)
        if (this.#pipelining.admits(request, response)) handle(request, response)
      },
    )
    // Node would leave out what exceeds 2,000, which may be the groups that a caller has; the bytes are limited.
    this.#server.maxHeadersCount = 0
    this.#server
      .prependListener('connection', (socket: Socket) => this.#handshakeBegan(socket))
      .on('secureConnection', (socket: TLSSocket) => this.#handshakeEnded(socket))
      .on('tlsClientError', (_error, socket) => socket.destroy())
      .on('clientError', (error: NodeJS.ErrnoException, socket) => refuse(error, socket as Socket))
      .on('error', (error) => log.error({ err: error }, 'the listener failed'))
  }

  async listen(): Promise<AddressInfo> {
    const { address, tls, clients, log } = this.#options
    const server = this.#server
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    server.once('error', reject)
    server.listen(listenAddress(address), resolve)
    await promise
    server.off('error', reject)
    const renew = (): void => {
      try {
        server.setSecureContext(this.#context())
      } catch (error) {
        log.error({ err: error }, 'a new certificate or authority is not usable: going on with the old one')
      }
    }
    this.#stopFollowing = tls.onChange(renew)
    clients?.onChange(renew)
    renew()
    return server.address() as AddressInfo
  }

  stopAccepting(): void {
    this.#stopping = true
    this.#stopFollowing?.()
    this.#server.close()
    this.#server.closeIdleConnections()
  }

  async close(graceMs: number): Promise<void> {
    this.stopAccepting()
    const { promise: gone, resolve } = Promise.withResolvers<void>()
    // Another `close` only tells when the first one is done.
    this.#server.close(() => resolve())
    const cut = setTimeout(() => {
      this.#server.closeAllConnections()
      for (const socket of this.#handshakes.values()) socket.destroy()
    }, graceMs)
    const cutUnused = setTimeout(() => {
      for (const socket of this.#unused) socket.destroy()
    }, UNUSED_MS)
    const sweep = setInterval(() => this.#server.closeIdleConnections(), 100)
    await gone
    clearTimeout(cutUnused)
    clearTimeout(cut)
    clearInterval(sweep)
  }

  #context(): SecureContextOptions {
    const { tls, clients } = this.#options
    const { certificate, key } = tls.current()
    const ca = clients?.authorities() ?? []
    return {
      cert: certificate,
      key,
      minVersion: 'TLSv1.2',
      // Sessions are not taken up again: each connection shows its certificate, and none is kept here meanwhile.
      secureOptions: constants.SSL_OP_NO_TICKET,
      ...(ca.length > 0 ? { ca: [...ca], allowPartialTrustChain: true } : {}),
    }
  }

  #handshakeBegan(socket: Socket): void {
    const key = peerOf(socket)
    this.#handshakes.set(key, socket)
    socket.once('close', () => {
      if (this.#handshakes.get(key) === socket) this.#handshakes.delete(key)
    })
    const [oldest] = this.#handshakes.values()
    if (this.#handshakes.size > MAX_HANDSHAKES) oldest?.destroy()
  }

  #handshakeEnded(socket: TLSSocket): void {
    this.#handshakes.delete(peerOf(socket))
    this.#unused.add(socket)
    socket.once('close', () => this.#unused.delete(socket))
    if (this.#trusts(socket)) return
    const address = socket.remoteAddress ?? ''
    this.#strangers.add(socket, address)
    socket.once('close', () => this.#strangers.delete(socket, address))
    if (this.#strangers.size > MAX_STRANGERS) this.#strangers.oldestOfMost?.destroy()
  }

  /** Who connects chose what the certificate says: nothing in it may end the process. */
  #trusts(socket: TLSSocket): boolean {
    const { clients } = this.#options
    try {
      return clients?.trusts(socket) ?? false
    } catch (error) {
      this.#nonsense.warn({ err: error })
      return false
    }
  }
}

/**
 * Connections by the address they come from. Where there are too many, one of the address that has most goes: whoever
 * opens hundreds loses their own, and not those by which the API server sends its reviews.
 */
class CrowdByAddress {
  readonly #byAddress = new Map<string, Set<TLSSocket>>()
  #size = 0

  get size(): number {
    return this.#size
  }

  get oldestOfMost(): TLSSocket | undefined {
    let most: ReadonlySet<TLSSocket> = new Set()
    for (const sockets of this.#byAddress.values()) if (sockets.size > most.size) most = sockets
    const [oldest] = most
    return oldest
  }

  add(socket: TLSSocket, address: string): void {
    const sockets = this.#byAddress.get(address) ?? new Set()
    this.#byAddress.set(address, sockets.add(socket))
    this.#size += 1
  }

  delete(socket: TLSSocket, address: string): void {
    const sockets = this.#byAddress.get(address)
    if (!sockets?.delete(socket)) return
    this.#size -= 1
    if (sockets.size === 0) this.#byAddress.delete(address)
  }
}

function peerOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`
}

/** What is no HTTP gets the answer that Node would give, and no more of our time than it takes to read it. */
function refuse(error: NodeJS.ErrnoException, socket: Socket): void {
  if (socket.writableEnded) return
  if (!socket.writable || error.code === 'ECONNRESET') {
    socket.destroy()
    return
  }
  const line =
    error.code === 'HPE_HEADER_OVERFLOW'
      ? '431 Request Header Fields Too Large'
      : error.code === 'ERR_HTTP_REQUEST_TIMEOUT'
        ? '408 Request Timeout'
        : '400 Bad Request'
  socket.end(`HTTP/1.1 ${line}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`)
  // To close while bytes come in is a reset, which may overtake the answer.
  socket.resume()
  setTimeout(() => socket.destroy(), LINGER_MS).unref()
}
