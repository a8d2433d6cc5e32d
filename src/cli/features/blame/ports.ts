import type { JournalNotice } from '../../../core/kube/journal-notice.ts'
import type { KubernetesObject } from '../../../core/wire/admission-review.ts'
import type { Change, ChangeListExtra } from '../../../core/wire/change.ts'

/** A resource type as discovery names it. */
export interface ResourceType {
  readonly group: string
  readonly version: string
  /** Plural: `deployments`. */
  readonly resource: string
  readonly singular: string
  readonly kind: string
  readonly namespaced: boolean
}

/** Which changes are asked for. */
export interface ChangesQuery {
  /** Undefined: the whole cluster, cluster-scoped objects too. */
  readonly namespace: string | undefined
  /** By the selectable fields of `changes`. */
  readonly fields: readonly {
    readonly field: string
    readonly operator: '=' | '!='
    readonly value: string
  }[]
  /** Epoch milliseconds, both inclusive. */
  readonly since: number | undefined
  readonly until: number | undefined
  /** At most so many newest of each object; undefined: all. */
  readonly perObject: number | undefined
}

/** Some changes, the newest first, and what the companion says beside them. */
export interface ChangesPage extends ChangeListExtra {
  readonly changes: readonly Change[]
  /** A watch from here misses nothing. */
  readonly resourceVersion: string
  /** What the companion wants its reader to know, one sentence each. */
  readonly warnings: readonly string[]
}

/** What `kubectl blame` needs of a companion; every call ends with a DeckError or the signal's reason. */
export interface ChangesPorts {
  /** Page by page, the newest first; at least one page; who has enough stops iterating. */
  listChanges(query: ChangesQuery, signal: AbortSignal): AsyncIterable<ChangesPage>
  getChange(namespace: string | undefined, name: string, signal: AbortSignal): Promise<Change | undefined>
  /** Changes after a version, over whatever happens; throws only until the first watch is accepted. */
  followChanges(
    query: ChangesQuery,
    resourceVersion: string,
    signal: AbortSignal,
  ): AsyncIterable<JournalNotice<Change, ChangesPage>>
}

/** What `kubectl blame` needs of the API server itself. */
export interface ObjectPorts {
  /** KUBE_NOT_FOUND where there is no such object. */
  getObject(
    type: ResourceType,
    namespace: string | undefined,
    name: string,
    signal: AbortSignal,
  ): Promise<KubernetesObject>
  listObjects(
    type: ResourceType,
    namespace: string | undefined,
    selectors: { readonly label: string | undefined; readonly field: string | undefined },
    signal: AbortSignal,
  ): AsyncIterable<readonly KubernetesObject[]>
}
