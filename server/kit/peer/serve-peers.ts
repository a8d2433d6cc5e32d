import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { TLSSocket } from 'node:tls'
import type { Clock } from '../../../src/core/lib/time.ts'
import { aborted } from '../aborted.ts'
import { ApiError } from '../api/api-error.ts'
import type { Authorizer } from '../api/authorize.ts'
import { createListener } from '../api/listener.ts'
import type { ServedResource } from '../api/resource.ts'
import { readBody } from '../api/route.ts'
import { apiErrorOf } from '../api/status.ts'
import { UnsentBytes } from '../api/unsent-bytes.ts'
import type { Log } from '../log.ts'
import { RareWarning } from '../rare-warning.ts'
import type { ProbeAnswer } from '../room.ts'
import { answerPeer } from './answer-peer.ts'
import type { PeerIdentity } from './peer-identity.ts'
import { peerAccount } from './peer-name.ts'
import type { PeerAnswerTimes } from './peer-stream.ts'
import { failureOf, peerPath, type PeerVerb } from './peer-wire.ts'

/** What serving readers to other pods stands on. */
export interface PeerServerOptions {
  /** `:10251`, `127.0.0.1:0`. */
  readonly address: string
  readonly resources: readonly ServedResource[]
  readonly identity: Pick<PeerIdentity, 'tls' | 'authorities' | 'ready'>
  readonly namespace: string
  /** ServiceAccounts of the namespace that may ask: `deckwatch-api`. */
  readonly accounts: readonly string[]
  /** Checks, here where the data is, what the caller may see of whom the peer tells. */
  readonly authorizer: Pick<Authorizer, 'authorize' | 'guard'>
  readonly clock: Pick<Clock, 'now'>
  readonly log: Log
  /** What may wait for peers at most, in bytes, but for a little of each watch. */
  readonly unsentBytes?: number
  readonly times?: Partial<PeerAnswerTimes>
}

/** The listener for other pods. */
export interface PeerServer {
  /** Listens and serves until the signal aborts; rejects where it cannot listen. */
  run(signal: AbortSignal): Promise<void>
  /** Resolves once it listens. */
  readonly listening: Promise<AddressInfo>
  ready(): ProbeAnswer
}

/** Callers with thousands of groups still fit. */
const MAX_BODY_BYTES = 1024 * 1024
const VERBS: readonly PeerVerb[] = ['get', 'list', 'watch']
const GRACE_MS = 5000
/** A pod that stands still does so for all of its watches at once: a mebibyte for each were more than there is. */
const UNSENT_BYTES = 32 * 1024 * 1024

interface Served {
  readonly resource: ServedResource
  readonly verb: PeerVerb
}

/** Serves readers of this pod over mTLS to those pods whose leaf names an account that may ask. */
export function createPeerServer(options: PeerServerOptions): PeerServer {
  const { address, resources, identity, namespace, accounts, authorizer, clock, log, times } = options
  const { unsentBytes = UNSENT_BYTES } = options
  const unsent = new UnsentBytes({ unsentBytes, unsentBytesPerUser: unsentBytes })
  const paths = new Map<string, Served>(
    resources.flatMap((resource) =>
      VERBS.map((verb) => [peerPath(resource.plural, verb), { resource, verb }] as const),
    ),
  )
  const { promise: listening, resolve: listens, reject: fails } = Promise.withResolvers<AddressInfo>()
  listening.catch(() => undefined)
  let open: AddressInfo | undefined
  const refused = new RareWarning('refused a peer', { log, clock })

  const accountOf = (socket: TLSSocket) =>
    peerAccount(socket.getPeerX509Certificate(), {
      authorities: identity.authorities(),
      namespace,
      accounts,
      now: clock.now(),
    })

  const answer = async (
    request: IncomingMessage,
    response: ServerResponse,
    signal: AbortSignal,
  ): Promise<void> => {
    const peer = accountOf(request.socket as TLSSocket)
    if ('refusal' in peer) {
      refused.warn({ from: request.socket.remoteAddress, why: peer.refusal })
      throw new ApiError('Unauthorized', 'only pods of the companion are answered here')
    }
    const served = paths.get(request.url ?? '')
    if (!served) throw new ApiError('NotFound', 'nothing is served at this path')
    if (request.method !== 'POST') {
      throw new ApiError('MethodNotAllowed', 'readers are asked by POST', { allow: 'POST' })
    }
    const body = await readBody(request, MAX_BODY_BYTES)
    await answerPeer(
      { ...served, body: body.toString('utf8'), response, authorizer, log, unsent, times },
      signal,
    )
  }

  return {
    listening,
    ready() {
      if (!open) return { ok: false, reason: 'not listening for other pods yet' }
      return identity.ready()
    },
    async run(signal) {
      const running = new AbortController()
      const listener = createListener({
        address,
        tls: identity.tls,
        clients: {
          authorities: () => (identity.authorities() === '' ? [] : [identity.authorities()]),
          // Each change of the authorities comes with a new leaf, which the listener follows by itself.
          onChange: () => undefined,
          trusts: (socket) => 'account' in accountOf(socket),
        },
        log,
        clock,
        handle(request, response) {
          const asked = new AbortController()
          response.once('close', () => asked.abort())
          void (async () => {
            try {
              await answer(request, response, AbortSignal.any([asked.signal, running.signal]))
            } catch (error) {
              if (!asked.signal.aborted) sendFailure(response, error, log)
            }
          })()
        },
      })
      try {
        open = await listener.listen()
      } catch (error) {
        fails(error)
        throw error
      }
      listens(open)
      await aborted(signal)
      listener.stopAccepting()
      // Watches end as whole ones, so that who asked knows that nothing was cut.
      running.abort()
      await listener.close(GRACE_MS)
      open = undefined
    },
  }
}

function sendFailure(response: ServerResponse, error: unknown, log: Log): void {
  const told = apiErrorOf(error)
  if (told.reason === 'InternalError') log.error({ err: error }, 'could not answer a peer')
  if (response.headersSent) {
    response.destroy()
    return
  }
  const text = JSON.stringify({ error: failureOf(told) })
  if (told.allow !== undefined) response.setHeader('allow', told.allow)
  response.writeHead(told.status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(text),
  })
  response.end(text)
}
