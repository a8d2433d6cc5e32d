import { X509Certificate } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { Agent, request as httpsRequest } from 'node:https'
import type { PeerCertificate, TLSSocket } from 'node:tls'
import type { Clock } from '../../../src/core/lib/time.ts'
import { ApiError } from '../api/api-error.ts'
import { retryAfter } from '../api/retry-after.ts'
import type { PeerIdentity } from './peer-identity.ts'
import { peerAccount } from './peer-name.ts'

/** What asking another pod stands on. */
export interface PeerClientOptions {
  readonly host: string
  readonly port: number
  readonly identity: Pick<PeerIdentity, 'tls' | 'authorities'>
  readonly namespace: string
  /** ServiceAccounts one of which the other pod's leaf must name. */
  readonly accounts: readonly string[]
  readonly clock: Pick<Clock, 'now'>
  readonly times?: Partial<PeerClientTimes>
}

/** How long a peer is waited for, in milliseconds. */
export interface PeerClientTimes {
  /** TLS included. */
  readonly connectMs: number
  /** From the question to the first byte of the answer. */
  readonly answerMs: number
  /** A watch without a sign of life for so long is taken for dead. */
  readonly silenceMs: number
}

/** Asks one other pod over mTLS, on connections that are kept. */
export interface PeerClient {
  readonly times: PeerClientTimes
  /** The answer to a question, whatever its status; ApiError ServiceUnavailable where the other pod cannot be reached. */
  ask(path: string, question: unknown, signal: AbortSignal): Promise<IncomingMessage>
  /** Closes idle connections. */
  close(): void
}

const DEFAULT_TIMES: PeerClientTimes = { connectMs: 3000, answerMs: 30_000, silenceMs: 15_000 }

/** A client of the pod, or the Service, at that address. */
export function createPeerClient(options: PeerClientOptions): PeerClient {
  const { host, port, identity, clock } = options
  const times = { ...DEFAULT_TIMES, ...options.times }
  let agent = createAgent(options)
  identity.tls.onChange(() => {
    // What is under way ends on the connection on which it began.
    agent.destroyIdle()
    agent = createAgent(options)
  })

  /** Since when the other pod does not answer. */
  let awaySince: number | undefined
  const isAway = (message: string, cause?: unknown): ApiError => {
    const now = clock.now()
    awaySince ??= now
    return new ApiError('ServiceUnavailable', message, { ...retryAfter(awaySince, now), cause })
  }

  const once = (path: string, body: Buffer, signal: AbortSignal): Promise<Attempt> => {
    const { promise, resolve } = Promise.withResolvers<Attempt>()
    const request = httpsRequest({
      host,
      port,
      method: 'POST',
      path,
      agent: agent.agent,
      headers: { 'content-type': 'application/json', 'content-length': body.length },
      signal,
    })
    const waiting = setTimeout(() => request.destroy(new Error('it took too long to answer')), times.answerMs)
    request
      .once('socket', (socket) => limitConnecting(socket as TLSSocket, times.connectMs))
      .once('response', (message) => resolve({ message }))
      .on('error', (error) => resolve({ error, stale: request.reusedSocket }))
      .once('close', () => clearTimeout(waiting))
      .end(body)
    void promise.then(() => clearTimeout(waiting))
    return promise
  }

  return {
    times,
    async ask(path, question, signal) {
      signal.throwIfAborted()
      if (identity.authorities() === '') throw isAway('there is no certificate to ask with yet')
      const body = Buffer.from(JSON.stringify(question))
      let attempt = await once(path, body, signal)
      // The other side closed a kept connection just as it was taken up again; reading twice does no harm.
      if ('error' in attempt && attempt.stale && !signal.aborted) attempt = await once(path, body, signal)
      if ('message' in attempt) {
        awaySince = undefined
        return attempt.message
      }
      signal.throwIfAborted()
      throw isAway('the pod that has the data cannot be reached', attempt.error)
    },
    close: () => agent.destroyIdle(),
  }
}

type Attempt = { readonly message: IncomingMessage } | { readonly error: Error; readonly stale: boolean }

function createAgent({ identity, namespace, accounts, clock }: PeerClientOptions) {
  const { certificate, key } = identity.tls.current()
  const agent = new Agent({
    keepAlive: true,
    cert: certificate,
    key,
    ca: identity.authorities(),
    minVersion: 'TLSv1.3',
    // No name of a host is looked for: the address may be a Service's, a pod's or one of a test.
    checkServerIdentity: (_host: string, shown: PeerCertificate & { raw: Buffer }) => {
      const certificateShown = new X509Certificate(shown.raw)
      const trust = { authorities: identity.authorities(), namespace, accounts, now: clock.now() }
      const peer = peerAccount(certificateShown, trust)
      return 'refusal' in peer ? new Error(`not a pod of the companion: ${peer.refusal}`) : undefined
    },
  })
  return {
    agent,
    destroyIdle() {
      for (const socket of Object.values(agent.freeSockets).flat()) socket?.destroy()
    },
  }
}

function limitConnecting(socket: TLSSocket, ms: number): void {
  if (!socket.connecting && socket.authorized) return
  const timer = setTimeout(() => socket.destroy(new Error('it took too long to connect')), ms)
  const clear = (): void => clearTimeout(timer)
  socket.once('secureConnect', clear).once('close', clear)
}
