import type { Caller } from './caller.ts'

/** An object as the API serves it: what is above the room's own fields (meta/v1 ObjectMeta, as far as it is used). */
export interface ServedObject {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: {
    readonly name: string
    readonly namespace?: string
    /** A UUIDv5 of the object's identity. */
    readonly uid: string
    /** A decimal number that the resource's one writer gave. */
    readonly resourceVersion: string
    /** RFC 3339 UTC to the second. */
    readonly creationTimestamp: string
    readonly labels?: Readonly<Record<string, string>>
  }
}

/** `field=value` or `field!=value`. */
export interface FieldRequirement {
  readonly field: string
  readonly operator: '=' | '!='
  readonly value: string
}

/** Which objects are meant, and what their reader may see of them. */
export interface ResourceScope {
  /** Undefined: all namespaces, or a cluster-scoped resource. */
  readonly namespace: string | undefined
  /**
   * Only records of the namespace that has this uid. Undefined: all of that name, also what a deleted namespace of the
   * same name left, which is for readers of the whole cluster only.
   */
  readonly namespaceUid: string | undefined
}

/** What a list asks of a reader. Selectors are a hint: the API filters again. */
export interface ListQuery extends ResourceScope {
  readonly fields: readonly FieldRequirement[]
  /** 0 means all at once. */
  readonly limit: number
  /** The opaque token of the page before; empty for the first. */
  readonly continue: string
  /** Epoch milliseconds: only records of this moment or later, for resources that are records of something. */
  readonly sinceTime: number | undefined
  /** Epoch milliseconds: only records of this moment or earlier. */
  readonly untilTime?: number | undefined
  /** At most so many records of each thing that they are of, the newest; for resources that are records of something. */
  readonly perObject?: number | undefined
}

/** One page of a list. */
export interface ListPage {
  /** In a stable order: by namespace and name, or records in the order of time. */
  readonly items: readonly ServedObject[]
  /** A watch from here misses nothing. */
  readonly resourceVersion: string
  /** Token of the next page; empty on the last. */
  readonly continue: string
  /** How many objects follow, where that is known. */
  readonly remaining: number | undefined
  /** Further top-level fields of the list object, such as `summary`. */
  readonly extra?: Readonly<Record<string, unknown>>
  /** What the reader must be told, one sentence each: sent as Warning headers (RFC 9111 code 299). */
  readonly warnings?: readonly string[]
}

/** What one object is asked by. */
export interface GetQuery extends ResourceScope {
  readonly name: string
}

/** What a watch asks of a reader. */
export interface WatchQuery extends ResourceScope {
  readonly fields: readonly FieldRequirement[]
  /** Tell everything after this number. Undefined: begin with what is there (each as ADDED), then what follows. */
  readonly resourceVersion: string | undefined
  /** With neither of the two above: begin with the records of this moment (epoch milliseconds) or later. */
  readonly sinceTime: number | undefined
}

/** One step of a watch. */
export type WatchNotice =
  | { readonly type: 'ADDED' | 'DELETED'; readonly object: ServedObject }
  /** `previous` only where a field that can be selected by changed. */
  | { readonly type: 'MODIFIED'; readonly object: ServedObject; readonly previous?: ServedObject }
  /**
   * Everything up to this number has been told; sent at least once a minute. `initialEnd` marks the one that ends what
   * was there at the beginning (KEP-3157), which a reader sends exactly once where `resourceVersion` was undefined.
   */
  | { readonly type: 'BOOKMARK'; readonly resourceVersion: string; readonly initialEnd: boolean }

/**
 * How objects of one resource are read, here or from another pod. Rejects with ApiErrors: 410 `Expired` where a
 * resourceVersion or continue token is too old (or not of this journal), 503 while there is nothing to tell yet.
 */
export interface ResourceReader {
  list(query: ListQuery, caller: Caller, signal: AbortSignal): Promise<ListPage>
  /** Undefined where there is no such object. */
  get(query: GetQuery, caller: Caller, signal: AbortSignal): Promise<ServedObject | undefined>
  /** Ends when the signal aborts, or where the reader must be asked anew; objects are immutable and shared. */
  watch(query: WatchQuery, caller: Caller, signal: AbortSignal): AsyncIterable<WatchNotice>
}

/** A column of `kubectl get` (meta/v1 TableColumnDefinition). */
export interface TableColumn {
  readonly name: string
  readonly type: 'string' | 'integer' | 'number' | 'boolean'
  readonly description: string
  /** 1 is shown with `-o wide` only. */
  readonly priority: 0 | 1
  /** The first column of each resource must be `Name` with format `name`. */
  readonly format?: 'name'
  /** `now` in epoch milliseconds, for ages such as `5m`. */
  readonly cell: (object: ServedObject, now: number) => string | number | boolean
}

/** A right on what stands behind an object, as a SubjectAccessReview asks it. */
export interface RequiredRight {
  readonly group: string
  readonly resource: string
  readonly subresource?: string
  readonly verb: string
}

/** One resource of deckwatch.dev/v1alpha1, served from the reader of a room. */
export interface ServedResource {
  readonly plural: string
  readonly singular: string
  readonly kind: string
  readonly namespaced: boolean
  readonly shortNames: readonly string[]
  /** One sentence, for `kubectl explain`. */
  readonly description: string
  /** OpenAPI v3 schemas of the room's own fields by name (`properties` of the object beside the usual three). */
  readonly properties: Readonly<Record<string, unknown>>
  readonly columns: readonly TableColumn[]
  /** The fields that a field selector may name, besides metadata.name and metadata.namespace. */
  readonly selectableFields: Readonly<Record<string, (object: ServedObject) => string>>
  /**
   * What a caller must be allowed on the thing behind, in the namespace asked for or in all; left out where objects stand
   * for things of many kinds, and the reader itself looks at the right on each.
   */
  readonly rightBehind?: { readonly list: RequiredRight; readonly watch: RequiredRight }
  readonly reader: ResourceReader
}
