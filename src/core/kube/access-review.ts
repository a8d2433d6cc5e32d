import { DeckError } from '../lib/errors.ts'
import { requestJson } from './json-request.ts'
import { purposeText, type RequestIdentity } from './status-error-purpose.ts'
import type { KubeTransport } from './transport.ts'

/** A resource of the API as authorization.k8s.io/v1 names it; what is left out stands for "" there. */
export interface ResourceAttributes {
  /** Left out: in all namespaces, or the resource has none. */
  readonly namespace?: string | undefined
  readonly verb: string
  readonly group?: string | undefined
  readonly resource: string
  readonly subresource?: string | undefined
  /** Left out: objects of any name. */
  readonly name?: string | undefined
}

/** A path that is no resource, such as `/metrics`; verbs are HTTP's in lower case. */
export interface NonResourceAttributes {
  readonly path: string
  readonly verb: string
}

/** Whose right is asked for; without `user` it is the transport's own. */
export interface ReviewedUser {
  readonly user?: string | undefined
  readonly uid?: string | undefined
  readonly groups?: readonly string[] | undefined
  readonly extra?: Readonly<Record<string, readonly string[]>> | undefined
}

/** One question to the cluster's authorizers. */
export type AccessReview = ReviewedUser & {
  /** Who asks, for error messages. */
  readonly identity?: RequestIdentity | undefined
} & (
    | { readonly resourceAttributes: ResourceAttributes }
    | { readonly nonResourceAttributes: NonResourceAttributes }
  )

/** What the authorizers said; `reason` may be empty. */
export interface AccessAnswer {
  readonly allowed: boolean
  readonly reason: string
}

interface ReviewObject {
  readonly status?: {
    readonly allowed?: boolean
    readonly denied?: boolean
    readonly reason?: string
    readonly evaluationError?: string
  }
}

/**
 * Asks whether someone may do something: a SubjectAccessReview of `user`, or a SelfSubjectAccessReview where none is
 * named. DeckError where it could not be asked; what the authorizers could not decide is not allowed.
 */
export async function reviewAccess(
  transport: KubeTransport,
  { user, uid, groups, extra, identity, ...attributes }: AccessReview,
  signal: AbortSignal | undefined,
): Promise<AccessAnswer> {
  const kind = user === undefined ? 'SelfSubjectAccessReview' : 'SubjectAccessReview'
  const resource = `${kind.toLowerCase()}s`
  const purpose = {
    verb: 'create',
    resource: `${resource}.authorization.k8s.io`,
    namespaced: false,
    identity,
  }
  const review = await requestJson<ReviewObject>(transport, {
    method: 'POST',
    path: `/apis/authorization.k8s.io/v1/${resource}`,
    contentType: 'application/json',
    body: {
      apiVersion: 'authorization.k8s.io/v1',
      kind,
      spec: user === undefined ? attributes : { ...attributes, user, uid, groups, extra },
    },
    purpose,
    signal,
  })
  const { status } = review
  if (typeof status?.allowed !== 'boolean') {
    throw new DeckError('KUBE_PROTOCOL', `cannot ${purposeText(purpose)}: the answer has no verdict`)
  }
  return {
    allowed: status.allowed && status.denied !== true,
    reason: status.reason || status.evaluationError || '',
  }
}
