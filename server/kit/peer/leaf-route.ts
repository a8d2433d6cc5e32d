import type { IncomingMessage, ServerResponse } from 'node:http'
import type { KubeTransport } from '../../../src/core/kube/transport.ts'
import type { Clock } from '../../../src/core/lib/time.ts'
import { ApiError } from '../api/api-error.ts'
import { DEFAULT_LIMITS, RequestLimiter } from '../api/limits.ts'
import { readBody, type Route } from '../api/route.ts'
import type { Log } from '../log.ts'
import type { Authority } from '../tls/authority.ts'
import { requestedKey } from '../tls/certificate.ts'
import { LEAF_PATH, type LeafAnswer, type LeafProfile } from './leaf-wire.ts'
import { peerUri } from './peer-name.ts'
import { type PodAccount, reviewToken } from './token-review.ts'

/** Who may have a leaf of a profile: the DNS names of what each ServiceAccount serves, none for clients only. */
export interface LeafRule {
  readonly authority: Pick<Authority, 'issue' | 'bundle'>
  readonly accounts: Readonly<Record<string, readonly string[]>>
}

/** What handing out leaves stands on. */
export interface LeafRouteOptions {
  /** Must be allowed to create TokenReviews. */
  readonly transport: KubeTransport
  /** The companion's own: pods of others get nothing. */
  readonly namespace: string
  readonly profiles: Readonly<Record<LeafProfile, LeafRule>>
  readonly clock: Clock
  readonly log: Log
  /** How long the API server may take to look at a token; 5 s where left out. */
  readonly reviewTimeoutMs?: number
}

/** So long a leaf lives, in milliseconds; it is renewed when a third is left. */
export const LEAF_LIFE_MS = 24 * 3_600_000

/** A request for a P-256 key has less than 1 kB. */
const MAX_BODY_BYTES = 16 * 1024
/** A token has about 1.5 kB; each one costs the API server a look. */
const MAX_TOKEN_LENGTH = 8192
/** Per address; a pod asks a few times a day. */
const LIMITS = { ...DEFAULT_LIMITS, requestsPerSecond: 1, burst: 10 }
const MAX_REVIEWS_AT_ONCE = 16
const REVIEW_TIMEOUT_MS = 5000

/**
 * The path at which pods of the companion get their certificates. They prove themselves by a projected token that is
 * bound to their pod; the leaf names that ServiceAccount, whatever the signing request wishes for.
 */
export function createLeafRoute(options: LeafRouteOptions): Route {
  const { profiles, log, clock, reviewTimeoutMs = REVIEW_TIMEOUT_MS } = options
  const limiter = new RequestLimiter(LIMITS, clock)
  let reviews = 0

  const identify = async (token: string, signal: AbortSignal): Promise<PodAccount> => {
    if (reviews >= MAX_REVIEWS_AT_ONCE) {
      throw new ApiError('TooManyRequests', 'too many leaves are asked for at once', { retryAfterSeconds: 1 })
    }
    reviews += 1
    const limit = AbortSignal.any([signal, AbortSignal.timeout(reviewTimeoutMs)])
    try {
      const pod = await reviewToken(options.transport, token, limit)
      if (!pod) throw new ApiError('Unauthorized', 'the token is not a valid one of a pod for this audience')
      return pod
    } catch (cause) {
      if (cause instanceof ApiError) throw cause
      log.warn({ err: cause }, 'could not have a token reviewed')
      throw new ApiError('ServiceUnavailable', 'the token could not be reviewed', {
        retryAfterSeconds: 2,
        cause,
      })
    } finally {
      reviews -= 1
    }
  }

  return {
    method: 'POST',
    path: LEAF_PATH,
    async handle(request, response, signal) {
      limiter.takeRequest(request.socket.remoteAddress ?? '')
      const profile = profileOf(request)
      const token = bearerToken(request)
      const body = await readBody(request, MAX_BODY_BYTES)
      const pod = await identify(token, signal)
      const dnsNames =
        pod.namespace === options.namespace && Object.hasOwn(profiles[profile].accounts, pod.account)
          ? profiles[profile].accounts[pod.account]
          : undefined
      if (!dnsNames) {
        log.warn({ ...pod, profile }, 'refused a leaf')
        throw new ApiError('Forbidden', `${pod.namespace}/${pod.account} may have no ${profile} leaf`)
      }
      const answer = await issue(profiles[profile].authority, body, pod, dnsNames, profile, clock.now())
      log.info({ ...pod, profile }, 'handed out a leaf')
      sendJson(response, answer)
    },
  }
}

async function issue(
  authority: LeafRule['authority'],
  body: Buffer,
  { namespace, account }: PodAccount,
  dnsNames: readonly string[],
  profile: LeafProfile,
  now: number,
): Promise<LeafAnswer> {
  const publicKey = await requestedKey(body.toString('utf8'))
  if (!publicKey) {
    throw new ApiError('BadRequest', 'the body is no signing request (PKCS #10, PEM) of a P-256 key')
  }
  if (authority.bundle() === '') {
    throw new ApiError('ServiceUnavailable', 'there is no authority yet', { retryAfterSeconds: 1 })
  }
  const certificate = await authority.issue(publicKey, {
    commonName: account,
    dnsNames,
    // kube-apiserver looks at DNS names only; between peers the URI is what counts.
    uris: profile === 'peer' ? [peerUri(namespace, account)] : [],
    uses: [
      ...(dnsNames.length > 0 ? (['server'] as const) : []),
      ...(profile === 'peer' ? (['client'] as const) : []),
    ],
    now,
    lifeMs: LEAF_LIFE_MS,
  })
  return { certificate, authorities: authority.bundle() }
}

function profileOf(request: IncomingMessage): LeafProfile {
  const query = request.url?.split('?', 2)[1] ?? ''
  const profile = new URLSearchParams(query).get('profile') ?? 'peer'
  if (profile !== 'peer' && profile !== 'serving')
    throw new ApiError('BadRequest', 'there is no such profile')
  return profile
}

function bearerToken(request: IncomingMessage): string {
  const [, token] = /^Bearer ([\w.~+/-]+=*)$/i.exec(request.headers.authorization ?? '') ?? []
  if (token === undefined || token.length > MAX_TOKEN_LENGTH) {
    throw new ApiError('Unauthorized', 'a bearer token of a pod is needed')
  }
  return token
}

function sendJson(response: ServerResponse, body: unknown): void {
  const text = JSON.stringify(body)
  response.writeHead(200, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(text),
    'cache-control': 'no-store',
  })
  response.end(text)
}
