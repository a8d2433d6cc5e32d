import { createHash } from 'node:crypto'
import { reviewAccess, type ResourceAttributes } from '../../../src/core/kube/access-review.ts'
import { requestJson } from '../../../src/core/kube/json-request.ts'
import type { KubeTransport } from '../../../src/core/kube/transport.ts'
import { DeckError } from '../../../src/core/lib/errors.ts'
import type { Clock } from '../../../src/core/lib/time.ts'
import { Counter, type MetricsRegistry } from '../metrics.ts'
import { ApiError } from './api-error.ts'
import type { Caller } from './caller.ts'
import { ExpiringCache } from './expiring-cache.ts'
import type { RequiredRight, ResourceScope, ServedResource } from './resource.ts'

/** The API group whose resources are authorized. */
export const API_GROUP = 'deckwatch.dev'

/** What RBAC calls the ways to read. */
export type ReadVerb = 'get' | 'list' | 'watch'

/** Who wants to read what. */
export interface AccessRequest {
  readonly caller: Caller
  readonly verb: ReadVerb
  readonly resource: Pick<ServedResource, 'plural' | 'namespaced' | 'rightBehind'>
  /** Undefined: all namespaces, or a cluster-scoped resource. */
  readonly namespace: string | undefined
  /** Set for one object, also where a field selector names it: RBAC may allow just this name. */
  readonly name: string | undefined
}

/** Decides what a caller may see; whatever cannot be found out is denied. */
export interface Authorizer {
  /**
   * What the caller may see, by SubjectAccessReviews that are at most 10 s old: everything of the namespace's name for
   * who may the same in the whole cluster, else only what belongs to the namespace that has the name now. ApiError
   * Forbidden where they may not, ServiceUnavailable where the API server did not say.
   */
  authorize(request: AccessRequest): Promise<ResourceScope>
  /**
   * Looks again every 10 s while a stream is open. Calls `end` once, with Forbidden where the right is gone, Expired
   * where another namespace took the name, ServiceUnavailable where nothing was found out, or nothing for about 30 s,
   * because the API server takes so long to say. Returns how to stop looking.
   */
  guard(request: AccessRequest, scope: ResourceScope, end: (reason: ApiError) => void): () => void
  /** Does the looking until the signal aborts. */
  run(signal: AbortSignal): Promise<void>
}

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

/** What an authorizer stands on. */
export interface AuthorizerOptions {
  /** Speaks as the companion, which must be allowed to create SubjectAccessReviews and to get namespaces. */
  readonly transport: KubeTransport
  readonly clock: Clock
  readonly metrics: MetricsRegistry
}

/** The uid of no namespace: what a caller may see of one that does not exist. */
export const NO_NAMESPACE_UID = '00000000-0000-0000-0000-000000000000'

/** How long an answer is believed, and how often open streams are looked at: k8s.io/apiserver's default too. */
const REVIEW_MS = 10_000
const MAX_REVIEWS = 10_000
const REVIEW_TIMEOUT_MS = 5000
/** Looks at open streams that are under way at once. */
const PARALLEL_LOOKS = 16
/** A stream whose last good look was begun so long ago ends; how often that is looked for comes on top. */
const UNSEEN_MS = 27_000
const SWEEP_MS = 2500
/** As k8s.io/apiserver: members may do all, even where the authorizers do not answer. */
const ALWAYS_ALLOWED = 'system:masters'

/** One stream's right, shared by all streams of the same caller, resource and namespace. */
interface Guarded {
  readonly request: AccessRequest
  readonly scope: ResourceScope
  readonly ends: Set<(reason: ApiError) => void>
  /** When the last look that found the right was begun, in epoch milliseconds. */
  seenAt: number
}

/** An authorizer that asks the API server; its metric may be registered once only. */
export function createAuthorizer(options: AuthorizerOptions): Authorizer & AccessReviewer {
  return new ReviewAuthorizer(options)
}

class ReviewAuthorizer implements Authorizer, AccessReviewer {
  readonly #transport: KubeTransport
  readonly #clock: Clock
  readonly #reviews: ExpiringCache<boolean>
  readonly #asked: Counter<'answer'>
  readonly #guarded = new Map<string, Guarded>()

  constructor({ transport, clock, metrics }: AuthorizerOptions) {
    this.#transport = transport
    this.#clock = clock
    this.#reviews = new ExpiringCache({ clock, ttlMs: REVIEW_MS, maxEntries: MAX_REVIEWS })
    this.#asked = new Counter({
      name: 'deckwatch_api_access_reviews_total',
      help: 'SubjectAccessReviews that were asked for callers of the API.',
      labelNames: ['answer'],
      registers: [metrics],
    })
  }

  async authorize(request: AccessRequest): Promise<ResourceScope> {
    const { namespace, resource, caller } = request
    const everywhere = { namespace, namespaceUid: undefined }
    if (isMaster(caller)) return everywhere
    const widest = { ...request, namespace: undefined }
    if (!resource.namespaced || namespace === undefined) {
      await this.#require(widest, 0)
      return everywhere
    }
    if ((await this.#denied(widest, 0)) === undefined) return everywhere
    await this.#require(request, 0)
    return { namespace, namespaceUid: await this.namespaceUid(namespace) }
  }

  async allows(
    caller: Caller,
    right: RequiredRight & { readonly namespace: string | undefined },
    notBefore = 0,
  ): Promise<boolean> {
    if (isMaster(caller)) return true
    return this.#reviews.get(digest([caller, right]), () => this.#review(caller, right), notBefore)
  }

  guard(request: AccessRequest, scope: ResourceScope, end: (reason: ApiError) => void): () => void {
    if (isMaster(request.caller)) return () => undefined
    const { resource, verb, namespace, name, caller } = request
    const key = digest([caller, verb, resource.plural, namespace, name, scope.namespaceUid])
    const guarded = this.#guarded.get(key) ?? { request, scope, ends: new Set(), seenAt: this.#clock.now() }
    this.#guarded.set(key, guarded)
    guarded.ends.add(end)
    return () => {
      guarded.ends.delete(end)
      if (guarded.ends.size === 0 && this.#guarded.get(key) === guarded) this.#guarded.delete(key)
    }
  }

  async run(signal: AbortSignal): Promise<void> {
    await Promise.all([
      this.#every(REVIEW_MS, () => this.#lookAgain(this.#clock.now()), signal),
      // By itself: looks that hang are what it is for.
      this.#every(SWEEP_MS, () => this.#endUnseen(this.#clock.now()), signal),
    ])
  }

  async #every(ms: number, work: () => Promise<void> | void, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#clock.sleep(ms, signal).catch((error: unknown) => {
        if (!signal.aborted) throw error
      })
      if (signal.aborted) return
      await work()
    }
  }

  async #lookAgain(notBefore: number): Promise<void> {
    // Taken from the end: those that wait longest come first.
    const waiting = [...this.#guarded].toSorted(([, one], [, other]) => other.seenAt - one.seenAt)
    const look = async (): Promise<void> => {
      for (let next = waiting.pop(); next; next = waiting.pop()) {
        const [key, guarded] = next
        if (this.#guarded.get(key) !== guarded) continue
        const began = this.#clock.now()
        const reason = await this.#ended(guarded, notBefore)
        if (reason) this.#end(key, guarded, reason)
        else guarded.seenAt = began
      }
    }
    await Promise.all(Array.from({ length: PARALLEL_LOOKS }, look))
  }

  /** Ends the streams that no look has found right for too long. */
  #endUnseen(now: number): void {
    for (const [key, guarded] of this.#guarded) {
      // The clock was set back: from now on, no longer than anybody else.
      if (guarded.seenAt > now) guarded.seenAt = now
      if (now - guarded.seenAt < UNSEEN_MS) continue
      this.#end(key, guarded, cannotSay(new Error(`nothing was found out for ${UNSEEN_MS / 1000} s`)))
    }
  }

  /** Ends all streams of a kind, unless that was done while a look was under way. */
  #end(key: string, guarded: Guarded, reason: ApiError): void {
    if (this.#guarded.get(key) !== guarded) return
    this.#guarded.delete(key)
    for (const end of guarded.ends) end(reason)
  }

  /** Why a stream may not go on. */
  async #ended({ request, scope }: Guarded, notBefore: number): Promise<ApiError | undefined> {
    try {
      if (scope.namespaceUid === undefined) {
        await this.#require({ ...request, namespace: undefined }, notBefore)
        return undefined
      }
      await this.#require(request, notBefore)
      const namespace = scope.namespace ?? ''
      if ((await this.namespaceUid(namespace)) === scope.namespaceUid) return undefined
      return new ApiError('Expired', `namespace "${namespace}" is not the one that it was: list again`)
    } catch (error) {
      return error instanceof ApiError ? error : cannotSay(error)
    }
  }

  async #require(request: AccessRequest, notBefore: number): Promise<void> {
    const denied = await this.#denied(request, notBefore)
    if (denied) throw forbidden(request, denied)
  }

  /** The right that the caller lacks: on our own resource, or on what stands behind it. */
  async #denied(request: AccessRequest, notBefore: number): Promise<ResourceAttributes | undefined> {
    const { caller, verb, resource, namespace, name } = request
    const behind: RequiredRight | undefined = resource.rightBehind?.[verb === 'watch' ? 'watch' : 'list']
    const rights: readonly ResourceAttributes[] = [
      { namespace, verb, group: API_GROUP, resource: resource.plural, name },
      ...(behind ? [{ namespace, ...behind }] : []),
    ]
    const answers = await Promise.all(
      rights.map((right) =>
        this.#reviews.get(digest([caller, right]), () => this.#review(caller, right), notBefore),
      ),
    )
    return rights[answers.indexOf(false)]
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
}

function isMaster(caller: Caller): boolean {
  return caller.groups.includes(ALWAYS_ALLOWED)
}

/** A short key: who asks, and the name that is asked for, may be many kilobytes long, and thousands are remembered. */
function digest(parts: readonly unknown[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('base64')
}

function cannotSay(cause: unknown): ApiError {
  return new ApiError('ServiceUnavailable', 'the API server did not say whether you may do this', {
    retryAfterSeconds: 1,
    cause,
  })
}

/** In the words of k8s.io/apiserver, which people and programs know. */
function forbidden({ caller, resource, name }: AccessRequest, denied: ResourceAttributes): ApiError {
  const object = name === undefined ? '' : ` ${JSON.stringify(name)}`
  const subresource = denied.subresource ? `/${denied.subresource}` : ''
  const where =
    denied.namespace === undefined
      ? 'at the cluster scope'
      : `in the namespace ${JSON.stringify(denied.namespace)}`
  return new ApiError(
    'Forbidden',
    `${resource.plural}.${API_GROUP}${object} is forbidden: User ${JSON.stringify(caller.username)} cannot ${denied.verb} ` +
      `resource "${denied.resource}${subresource}" in API group "${denied.group ?? ''}" ${where}`,
  )
}
