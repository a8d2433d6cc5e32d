import type { ResourceAttributes } from '../../../src/core/kube/access-review.ts'
import type { AccessRequest } from './access-request.ts'
import {
  type AccessReviewer,
  AccessReviews,
  type AccessReviewsOptions,
  cannotSay,
  isMaster,
} from './access-reviews.ts'
import { ApiError } from './api-error.ts'
import type { RequiredRight, ResourceScope } from './resource.ts'
import { StreamGuard } from './stream-guard.ts'

/** The API group whose resources are authorized. */
export const API_GROUP = 'deckwatch.dev'

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

/** An authorizer that asks the API server; its metric may be registered once only. */
export function createAuthorizer(options: AccessReviewsOptions): Authorizer & AccessReviewer {
  return new ReviewAuthorizer(options)
}

class ReviewAuthorizer implements Authorizer, AccessReviewer {
  readonly #reviews: AccessReviews
  readonly #guard: StreamGuard

  constructor(options: AccessReviewsOptions) {
    this.#reviews = new AccessReviews(options)
    this.#guard = new StreamGuard({ clock: options.clock, ended: (...asked) => this.#ended(...asked) })
  }

  allows(...asked: Parameters<AccessReviewer['allows']>): Promise<boolean> {
    return this.#reviews.allows(...asked)
  }

  namespaceUid(namespace: string): Promise<string> {
    return this.#reviews.namespaceUid(namespace)
  }

  guard(request: AccessRequest, scope: ResourceScope, end: (reason: ApiError) => void): () => void {
    return isMaster(request.caller) ? () => undefined : this.#guard.guard(request, scope, end)
  }

  run(signal: AbortSignal): Promise<void> {
    return this.#guard.run(signal)
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

  /** Why a stream may not go on. */
  async #ended(
    request: AccessRequest,
    scope: ResourceScope,
    notBefore: number,
  ): Promise<ApiError | undefined> {
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
    const answers = await Promise.all(rights.map((right) => this.#reviews.allows(caller, right, notBefore)))
    return rights[answers.indexOf(false)]
  }
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
