import type { DECKWATCH_API_VERSION, ServedMetadata } from './image.ts'

/** What was done to an object; CONNECT is exec, attach or port-forward. */
export type ChangeOperation = 'CREATE' | 'UPDATE' | 'DELETE' | 'CONNECT'

/**
 * What is known of a change: `pending` a review was seen, nothing landed yet; `confirmed` both witnesses saw it;
 * `admitted` one witness by choice (Secrets, CONNECT), until a later review confirms it; `superseded` a try that the
 * API server repeated; `not-landed` refused after admission; `unattributed` it landed without a review; `ambiguous`
 * several people wrote the same at the same moment.
 */
export type ChangeState =
  'pending' | 'confirmed' | 'admitted' | 'superseded' | 'not-landed' | 'unattributed' | 'ambiguous'

/** A piece of a text of several lines that changed: line numbers from 1, lines without their line feeds. */
export interface LineHunk {
  /** The first line of `from` in the old text; where `from` is empty, the line before which `to` was put in. */
  readonly line: number
  readonly from: readonly string[]
  readonly to: readonly string[]
}

/** One field that changed. */
export interface FieldChange {
  /** `spec.template.spec.containers[name=app].image`; grammar in core/model/field-path. */
  readonly path: string
  readonly op: 'add' | 'remove' | 'replace'
  /** The old value, of `remove` and `replace`; left out where `lines` is there, and where it is not known (managedFields). */
  readonly from?: unknown
  /** The new value, of `add` and `replace`; left out where `lines` is there. */
  readonly to?: unknown
  /** What changed in a text of several lines. */
  readonly lines?: readonly LineHunk[]
  /**
   * Where an entry of a list with keys stood before and after, among the list's entries (from 0): for `add` only `to`,
   * for `remove` only `from`, for an entry that moved (op `replace` without values) both.
   */
  readonly index?: { readonly from?: number; readonly to?: number }
}

/** The object that was changed, as it was called at that time. */
export interface ChangedObject {
  readonly group: string
  readonly version: string
  /** Plural, lower case: `deployments`. */
  readonly resource: string
  /** `scale`, `eviction`, `exec`, …; empty for the object itself. */
  readonly subresource: string
  /** Of the object itself, also for a subresource: `Deployment`. */
  readonly kind: string
  /** Empty for cluster-scoped objects. */
  readonly namespace: string
  /** Empty for cluster-scoped objects. */
  readonly namespaceUid: string
  readonly name: string
  readonly uid: string
  /** Empty where not known or none: before a CREATE, after a DELETE, after what did not land. */
  readonly resourceVersion: { readonly before: string; readonly after: string }
}

/** Who made a change, as Kubernetes authenticated them (authentication.k8s.io/v1 UserInfo). */
export interface ChangeUser {
  readonly username: string
  readonly uid?: string
  readonly groups: readonly string[]
  readonly extra: Readonly<Record<string, readonly string[]>>
}

/** What kind of account made a change; `unknown` where there was no review. */
export type ActorType = 'person' | 'service-account' | 'node' | 'control-plane' | 'unknown'

/** With what, and on whose behalf, a change was made; empty texts where not known. */
export interface ChangeVia {
  /** The field manager: `kubectl-edit`. */
  readonly manager: string
  /** `kubectl`, `argo-cd`, `flux`, `helm`, …; what core/model/change-via knows. */
  readonly tool: string
  /** `Application argocd/shop`, `Kustomization flux-system/apps`, `HelmRelease shop/web`, `release shop/web`. */
  readonly source: string
  readonly revision: string
  readonly initiatedBy: string
  /** Made by a person's hand: by kubectl, a desktop tool or a dashboard, not by a controller or GitOps. */
  readonly manual: boolean
}

/** The change or owner that led to this one. */
export interface ChangeCause {
  /** `owner`: the object's owner was changed or deleted; `namespace`: its namespace was; `autoscaler`; `eviction`. */
  readonly type: 'owner' | 'namespace' | 'autoscaler' | 'eviction'
  /** metadata.name of the change that led to this one; empty where it was not recorded. */
  readonly change: string
  /** `Deployment web`, `Namespace shop`, `HorizontalPodAutoscaler web`. */
  readonly object: string
  /** The user of that change; empty where not known. */
  readonly username: string
}

/** One recorded change: `Change` of an object in a namespace, `ClusterChange` of any, served over the whole cluster. */
export interface Change {
  readonly apiVersion: typeof DECKWATCH_API_VERSION
  readonly kind: 'Change' | 'ClusterChange'
  /** The name is `<writer>-<seq>`, the id that the audit annotation carries; left out where no companion recorded it. */
  readonly metadata?: ServedMetadata
  readonly operation: ChangeOperation
  /** RFC 3339 UTC with milliseconds: when the review came, or when the watch told it; empty where managedFields have none. */
  readonly time: string
  readonly state: ChangeState
  /** Why unattributed, not-landed or ambiguous: one clause; empty where nothing is to be said. */
  readonly reason: string
  readonly object: ChangedObject
  /** Left out where nobody knows: `unattributed`. */
  readonly user?: ChangeUser
  readonly actor: ActorType
  /** All who may have made it, where `ambiguous`. */
  readonly candidates?: readonly ChangeUser[]
  readonly via: ChangeVia
  /** Without noise (managedFields, resourceVersion, generation, last-applied, status); a CREATE or DELETE has one entry with path ``. */
  readonly changes: readonly FieldChange[]
  /** The values were too large, or the review was, and are not kept. */
  readonly truncated?: boolean
  readonly cause?: ChangeCause
}

/** A time in which changes were not recorded, or not by both witnesses. */
export interface RecordingGap {
  /** RFC 3339 UTC. */
  readonly from: string
  /** RFC 3339 UTC; left out while it lasts. */
  readonly to?: string
  /** `companion restarted`, `webhook was removed`, `watch of deployments lost`: one clause. */
  readonly reason: string
}

/** Who last touched a field of an object. */
export interface FieldTouch {
  readonly path: string
  /** metadata.name of the change; it may be gone by now. */
  readonly change: string
  readonly operation: ChangeOperation
  /** RFC 3339 UTC with milliseconds. */
  readonly time: string
  /** Empty where not known. */
  readonly username: string
  readonly manager: string
  readonly state: ChangeState
}

/** How the warning begins that comes with a list that was asked for from before recording began; the time follows. */
export const RECORDED_SINCE = 'changes are recorded since'

/** How the warning begins that comes with a list over ended gaps, which its `gaps` name too. */
export const NOT_RECORDED = 'changes were not recorded'

/** How the warning begins that comes with a list whose `unrecorded` is set. */
export const UNRECORDED = 'not recorded:'

/** What a list of changes tells beside its items, at the top level of the list object. */
export interface ChangeListExtra {
  /** RFC 3339 UTC: nothing before was recorded. */
  readonly recordingSince: string
  /** Gaps that reach into the time of the list, the newest first. */
  readonly gaps: readonly RecordingGap[]
  /** Where the field selector names one object (`object.uid`, or kind with name): who last touched each field. */
  readonly touched?: readonly FieldTouch[]
  /** How many changes of that one object are kept. */
  readonly kept?: number
  /** The field selector names a resource (`object.resource`) that is not recorded: only what was recorded once is told. */
  readonly unrecorded?: true
}
