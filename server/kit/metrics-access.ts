import { createHash } from 'node:crypto'
import { reviewAccess } from '../../src/core/kube/access-review.ts'
import { requestJson } from '../../src/core/kube/json-request.ts'
import type { KubeTransport } from '../../src/core/kube/transport.ts'
import type { Clock } from '../../src/core/lib/time.ts'
import { ApiError } from './api/api-error.ts'
import { ExpiringCache } from './api/expiring-cache.ts'
import { DEFAULT_LIMITS, RequestLimiter } from './api/limits.ts'

/** What the bearer of a token may do with /metrics: 401 is nobody's token. */
export type MetricsAccess = 200 | 401 | 403

/**
 * Decides by TokenReview and SubjectAccessReview who may get /metrics. Rejects where the API server cannot be asked, and
 * with ApiError TooManyRequests where the address shows too many tokens that are not known.
 */
export type MetricsAuthorizer = (token: string, address: string) => Promise<MetricsAccess>

/** As kube-rbac-proxy and controller-runtime: Prometheus asks each half minute, a right that is taken ends in a minute. */
const REVIEW_MS = 60_000
const MAX_TOKENS = 100
const REVIEW_TIMEOUT_MS = 5000
/** Tokens have about 1.5 kB; no longer one is worth a look. */
const MAX_TOKEN_LENGTH = 8192
/** New tokens, per address: Prometheus has one, and needs it looked at once a minute. */
const LIMITS = { ...DEFAULT_LIMITS, requestsPerSecond: 1, burst: 10 }
const MAX_REVIEWS_AT_ONCE = 16

interface TokenReview {
  readonly status?: {
    readonly authenticated?: boolean
    readonly user?: {
      readonly username?: string
      readonly uid?: string
      readonly groups?: readonly string[] | null
      readonly extra?: Readonly<Record<string, readonly string[]>> | null
    }
  }
}

/** An authorizer that asks the API server and believes each answer for a minute. */
export function createMetricsAuthorizer(
  transport: KubeTransport,
  clock: Pick<Clock, 'now'>,
): MetricsAuthorizer {
  const answers = new ExpiringCache<MetricsAccess>({ clock, ttlMs: REVIEW_MS, maxEntries: MAX_TOKENS })
  const limiter = new RequestLimiter(LIMITS, clock)
  let reviews = 0

  const ask = (token: string, address: string): Promise<MetricsAccess> => {
    if (reviews >= MAX_REVIEWS_AT_ONCE) throw new ApiError('TooManyRequests', 'too many tokens at once')
    limiter.takeRequest(address)
    reviews += 1
    return review(transport, token).finally(() => {
      reviews -= 1
    })
  }

  return async (token, address) => {
    if (token.length > MAX_TOKEN_LENGTH) return 401
    const key = createHash('sha256').update(token).digest('base64')
    return answers.get(key, () => ask(token, address))
  }
}

async function review(transport: KubeTransport, token: string): Promise<MetricsAccess> {
  const signal = AbortSignal.timeout(REVIEW_TIMEOUT_MS)
  const { status } = await requestJson<TokenReview>(transport, {
    method: 'POST',
    path: '/apis/authentication.k8s.io/v1/tokenreviews',
    body: { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenReview', spec: { token } },
    purpose: { verb: 'create', resource: 'tokenreviews.authentication.k8s.io', namespaced: false },
    signal,
  })
  const user = status?.user
  if (status?.authenticated !== true || !user?.username) return 401
  const { allowed } = await reviewAccess(
    transport,
    {
      user: user.username,
      uid: user.uid,
      groups: user.groups ?? [],
      extra: user.extra ?? {},
      nonResourceAttributes: { path: '/metrics', verb: 'get' },
    },
    signal,
  )
  return allowed ? 200 : 403
}
