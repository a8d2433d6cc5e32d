import type { ChangeOperation, ChangeState, ChangeUser } from '../wire/change.ts'

/** What the join needs to know of one review (one try of one write). */
export interface ReviewFacts {
  /** `<writer>-<seq>`. */
  readonly id: string
  /** Epoch milliseconds: when the webhook got it. */
  readonly time: number
  readonly operation: ChangeOperation
  readonly subresource: string
  /** `deployments.apps`: as transitions name it. */
  readonly resource: string
  /** Of the object that is written, also for a subresource; empty where the review does not tell (eviction, truncated). */
  readonly uid: string
  /** `namespace/name`; the name is empty where the review does not tell. */
  readonly name: string
  /** Of oldObject; empty for CREATE. */
  readonly oldVersion: string
  /** Keyed hash of oldObject without resourceVersion; empty where there is none. */
  readonly oldHash: string
  /** The same without what is noise in a history (managedFields, status, …). */
  readonly oldContent: string
  readonly newHash: string
  readonly newContent: string
  /** spec.replicas that a scale asks for. */
  readonly replicas: number | undefined
  /** An UPDATE that takes the last finalizer from an object that is being deleted: the object ends with it. */
  readonly ends: boolean
  /** A DELETE by which a node or controller finishes a deletion that had begun before. */
  readonly finishes: boolean
  readonly user: ChangeUser
  /** Names the fields that it changes: tries of one request are alike in it. */
  readonly paths: string
  /** Its body was too large to be kept, so there are no hashes and no versions. */
  readonly truncated: boolean
}

/** A state of an object as the watch told it. */
export interface SeenState {
  readonly version: string
  readonly hash: string
  readonly content: string
}

/** Why a transition without a review is nobody's change, or nobody's whom the rules record. */
export type SilentReason = 'noise' | 'excluded' | 'finished' | 'unrecorded' | 'known'

/** One step of one object from a state to the next, as the watch told it. */
export interface Transition {
  readonly resource: string
  readonly uid: string
  /** `namespace/name`. */
  readonly name: string
  /** Epoch milliseconds: when it was told. */
  readonly time: number
  /** Undefined: the object was not there before, or nobody knew it. */
  readonly previous: SeenState | undefined
  /** Where the object is gone, its last state, with the version of its end. */
  readonly next: SeenState
  readonly gone: boolean
  /** Its deletionTimestamp or grace period appeared or changed. */
  readonly deletion: boolean
  readonly replicas: { readonly from: number | undefined; readonly to: number | undefined }
  /** Of the newest entry of managedFields: `scale`, `status`. */
  readonly subresource: string
  /** Several writes may lie between the two states: the list was read again. */
  readonly skipped: boolean
  /** Where it is set, a transition without a review is not told as unattributed. */
  readonly silent: SilentReason | undefined
  /** Up to here the journal must be read before it can be said that there was no review. */
  readonly mark: number
}

/** Ids of changes between two states that lie apart; what is between these two rows of them is nobody's. */
export interface NamedPart {
  /** From the earlier state on, in their order. */
  readonly first: readonly string[]
  /** Up to the later state, in their order. */
  readonly last: readonly string[]
}

/** What the join has found out about a review. */
export interface ReviewDecision {
  readonly type: 'review'
  readonly review: ReviewFacts
  readonly state: Exclude<ChangeState, 'pending' | 'unattributed'>
  readonly reason: string
  /** As which resourceVersion it landed; undefined where it did not, or nobody saw. */
  readonly version: string | undefined
  /** All who may have made it, where ambiguous. */
  readonly candidates: readonly ChangeUser[]
}

/** What the join has found out. */
export type JoinDecision<T extends Transition = Transition> =
  | ReviewDecision
  | {
      readonly type: 'transition'
      readonly transition: T
      readonly verdict: 'attributed' | 'unattributed' | SilentReason
      /** Of a skipped transition that is unattributed only in part: the changes in it that have a name. */
      readonly named: NamedPart
    }
  /** A transition that was told as unattributed has found its review. */
  | { readonly type: 'named'; readonly transition: T }
