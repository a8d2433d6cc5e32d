import type { Kind } from '../../../../server/deploy/kinds.ts'
import type { ResourceAttributes } from '../../../core/kube/access-review.ts'
import type { ObjectRef } from './kinds.ts'
import type { StoredObject } from './stored-object.ts'

/** Which objects are listed; no namespace means all of them. */
export interface ObjectQuery {
  readonly kind: Kind
  readonly namespace?: string | undefined
  readonly labelSelector?: string | undefined
  readonly fieldSelector?: string | undefined
  /** Names, labels and owners only: what Secrets hold stays where it is. */
  readonly metadataOnly?: boolean
}

/** What a GET of any path brought. */
export interface Answer {
  readonly status: number
  /** Text, cut after some kilobytes. */
  readonly body: string
  readonly milliseconds: number
}

/**
 * What the features of the companion's installation need of a cluster; calls end with a DeckError or the signal's
 * reason.
 */
export interface ClusterPort {
  /** Undefined where there is no such object. */
  get(ref: ObjectRef, signal: AbortSignal): Promise<StoredObject | undefined>
  list(query: ObjectQuery, signal: AbortSignal): Promise<readonly StoredObject[]>
  /** A server-side apply that takes over what others manage; gives the object as it then is. */
  apply(
    object: StoredObject,
    options: { readonly dryRun: boolean },
    signal: AbortSignal,
  ): Promise<StoredObject>
  /** Begins a deletion; false where there was nothing. */
  delete(ref: ObjectRef, signal: AbortSignal): Promise<boolean>
  /** Any answer counts, also 503; a DeckError only where none came within `limitMs`. */
  probe(path: string, limitMs: number, signal: AbortSignal): Promise<Answer>
  /** Whether we may do this. */
  may(attributes: ResourceAttributes, signal: AbortSignal): Promise<boolean>
}
