import { type ResourceAttributes, reviewAccess } from '../../../src/core/kube/access-review.ts'
import { requestJson } from '../../../src/core/kube/json-request.ts'
import type { KubeTransport } from '../../../src/core/kube/transport.ts'
import { DeckError } from '../../../src/core/lib/errors.ts'
import type { Clock } from '../../../src/core/lib/time.ts'
import { Counter, type MetricsRegistry } from '../metrics.ts'
import { ApiError } from './api-error.ts'
import type { Caller } from './caller.ts'
import { ExpiringCache } from './expiring-cache.ts'
import type { RequiredRight } from './resource.ts'
import { shortKey } from './short-key.ts'

/** Looks at single rights for readers whose records are of many kinds. */
export interface AccessReviewer {
  /**
   * Whether the caller may do something with Kubernetes' own objects, in a namespace or (undefined) in all; by an answer
   * that is at most 10 s old, or not older than `notBefore` (epoch milliseconds). ApiError ServiceUnavailable where the
   * API server did not say.
   */
  allows(
    caller: Caller,
    right: RequiredRight & { readonly namespace: string | undefined },
    notBefore?: number,
  ): Promise<boolean>
  /** The uid of the namespace that has the name now, asked anew each time; NO_NAMESPACE_UID where there is none. */
  namespaceUid(namespace: string): Promise<string>
}

/** What reviews stand on. */
export interface AccessReviewsOptions {
  /** Speaks as the companion, which must be allowed to create SubjectAccessReviews and to get namespaces. */
  readonly transport: KubeTransport
  readonly clock: Clock
  readonly metrics: MetricsRegistry
}

/** The uid of no namespace: what a caller may see of one that does not exist. */
export const NO_NAMESPACE_UID = '00000000-0000-0000-0000-000000000000'

/** How long an answer is believed, in milliseconds: k8s.io/apiserver's default too. */
export const REVIEW_MS = 10_000

const MAX_REVIEWS = 10_000
const REVIEW_TIMEOUT_MS = 5000
/** As k8s.io/apiserver: members may do all, even where the authorizers do not answer. */
const ALWAYS_ALLOWED = 'system:masters'

/** Asks the API server what callers may do; its metric may be registered once only. */
export class AccessReviews implements AccessReviewer {
  readonly #transport: KubeTransport
  readonly #reviews: ExpiringCache<boolean>
  readonly #asked: Counter<'answer'>

  constructor({ transport, clock, metrics }: AccessReviewsOptions) {
    this.#transport = transport
    this.#reviews = new ExpiringCache({ clock, ttlMs: REVIEW_MS, maxEntries: MAX_REVIEWS })
    this.#asked = new Counter({
      name: 'deckwatch_api_access_reviews_total',
      help: 'SubjectAccessReviews that were asked for callers of the API.',
      labelNames: ['answer'],
      registers: [metrics],
    })
  }

  async allows(caller: Caller, right: ResourceAttributes, notBefore = 0): Promise<boolean> {
    if (isMaster(caller)) return true
    return this.#reviews.get(shortKey([caller, right]), () => this.#review(caller, right), notBefore)
  }

  /**
   * Asked each time: an answer of ten seconds ago may be of a namespace that is gone, whose records are not for those
   * who were given the new one.
   */
  async namespaceUid(namespace: string): Promise<string> {
    try {
      const { metadata } = await requestJson<{ readonly metadata?: { readonly uid?: string } }>(
        this.#transport,
        {
          path: `/api/v1/namespaces/${encodeURIComponent(namespace)}`,
          purpose: { verb: 'get', resource: 'namespaces', name: namespace, namespaced: false },
          signal: AbortSignal.timeout(REVIEW_TIMEOUT_MS),
        },
      )
      return metadata?.uid ?? NO_NAMESPACE_UID
    } catch (error) {
      if (error instanceof DeckError && error.status === 404) return NO_NAMESPACE_UID
      throw cannotSay(error)
    }
  }

  async #review(caller: Caller, resourceAttributes: ResourceAttributes): Promise<boolean> {
    try {
      const { username: user, uid, groups, extra } = caller
      const { allowed } = await reviewAccess(
        this.#transport,
        { user, uid, groups, extra, resourceAttributes },
        AbortSignal.timeout(REVIEW_TIMEOUT_MS),
      )
      this.#asked.inc({ answer: allowed ? 'allowed' : 'denied' })
      return allowed
    } catch (error) {
      this.#asked.inc({ answer: 'failed' })
      throw cannotSay(error)
    }
  }
}

/** Whether a caller may do all. */
export function isMaster(caller: Caller): boolean {
  return caller.groups.includes(ALWAYS_ALLOWED)
}

/** The answer where nothing could be found out. */
export function cannotSay(cause: unknown): ApiError {
  return new ApiError('ServiceUnavailable', 'the API server did not say whether you may do this', {
    retryAfterSeconds: 1,
    cause,
  })
}
