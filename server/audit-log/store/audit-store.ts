import type { ChangedObject, ChangeState, Change, RecordingGap } from '../../../src/core/wire/change.ts'
import type { JournalPosition } from '../journal/journal.ts'

/** A change by its identity: the writer that received it and its dense number there. */
export interface ChangeId {
  readonly writer: number
  readonly seq: number
}

/** A change as it is kept: what the API serves without names and numbers, which the store gives. */
export interface ChangeRecord extends Omit<Change, 'apiVersion' | 'kind' | 'metadata' | 'time'> {
  readonly id: ChangeId
  /** Epoch milliseconds. */
  readonly time: number
}

/** What is decided later about a change that was kept before. */
export interface ChangeDecision {
  readonly id: ChangeId
  readonly state: ChangeState
  readonly reason: string
  /** The resourceVersion that it landed as; left out where it did not, or is not known. */
  readonly resourceVersionAfter?: string
  readonly candidates?: Change['candidates']
  readonly cause?: Change['cause']
}

/** The state in which an object was last seen, by which a restart finds out what it missed. */
export interface KnownObject {
  /** Group, version, resource and kind, namespace and its uid, name and uid. */
  readonly object: Omit<ChangedObject, 'subresource' | 'resourceVersion'>
  readonly resourceVersion: string
  /** Keyed hash of the redacted object without resourceVersion. */
  readonly hash: string
  /**
   * Redacted, without managedFields; undefined for resources whose bodies are not kept (pods), and unknown ones. Where a
   * gone one has none, the last is kept, as long as there are changes of it.
   */
  readonly body: unknown
  /** It no longer exists. */
  readonly gone?: boolean
}

/** What one step of the recorder keeps, all of it or nothing. */
export interface RecordBatch {
  readonly added: readonly ChangeRecord[]
  readonly decided: readonly ChangeDecision[]
  /** Objects that were seen in a new state. */
  readonly known: readonly KnownObject[]
  /** Up to where this writer's journal is in the store now. */
  readonly position?: { readonly writer: number; readonly position: JournalPosition; readonly seq: number }
  /** Gaps that began, or ended, by their beginning and reason. */
  readonly gaps: readonly StoredGap[]
  /** Epoch milliseconds: the recorder was up and both witnesses were at this moment. */
  readonly heartbeat?: number
}

/** RecordingGap with times in epoch milliseconds. */
export interface StoredGap extends Omit<RecordingGap, 'from' | 'to'> {
  readonly from: number
  /** Undefined while it lasts. */
  readonly to: number | undefined
}

/** A change with the number by which readers see it; numbers rise, and one is given whenever a change's visible state changes. */
export interface NumberedChange extends ChangeRecord {
  readonly number: number
  /** It was visible under an earlier number: a watch tells it as MODIFIED. */
  readonly revised?: boolean
}

/** Kinds of which a reader may see the history, or all. */
export type VisibleKinds = 'all' | readonly { readonly group: string; readonly resource: string }[]

/** What to read; every condition must hold. */
export interface ChangeQuery {
  /** Undefined: all namespaces and cluster-scoped objects. */
  readonly namespace: string | undefined
  /** With it, only records of the namespace that has this uid. */
  readonly namespaceUid: string | undefined
  readonly visible: VisibleKinds
  /** By the selectable fields of `changes`: equal to, or not equal to. Unknown fields are an error of the caller. */
  readonly fields: readonly {
    readonly field: string
    readonly operator: '=' | '!='
    readonly value: string
  }[]
  /** Empty: those that landed (confirmed, admitted, unattributed, ambiguous), unless `fields` selects by state. */
  readonly states: readonly ChangeState[]
  /** Epoch milliseconds, both inclusive. */
  readonly since: number | undefined
  readonly until: number | undefined
  /** At most so many newest of each object, which is one also where it was deleted and made again. */
  readonly perObject: number | undefined
}

/** A page, the newest first: by time; those of one writer and moment by seq, and of several writers in an order that stays. */
export interface ChangePage {
  readonly items: readonly NumberedChange[]
  /** Where the next page begins; undefined on the last. */
  readonly next: PageCursor | undefined
}

/** The last change of a page: the next begins behind it. */
export interface PageCursor extends ChangeId {
  readonly time: number
}

/** Who last touched a field. */
export interface StoredTouch {
  readonly path: string
  readonly id: ChangeId
  readonly operation: Change['operation']
  readonly time: number
  readonly username: string
  readonly manager: string
  readonly state: ChangeState
}

/** What a store says of itself. */
export interface AuditStoreState {
  /** The number of the last visible change; a new store begins at unix seconds × 1,000,000. */
  readonly number: number
  /** A watch can resume after this number, not after an older one. */
  readonly trimmed: number
  /** Epoch milliseconds: when recording began, of the last heartbeat, of the oldest change. */
  readonly begins: number
  readonly heartbeat: number | undefined
  readonly oldest: number | undefined
  readonly usedBytes: number
  /** The reason where what was found at the start was damaged and set aside. */
  readonly setAside: string | undefined
}

/**
 * What is kept at most; whatever goes beyond any goes. The last `keepLast` of each object that still exists stay beyond
 * `maxAgeMs`, but not of Secrets, and not beyond `maxBytes`. All uids that a name had in one namespace count as one object.
 */
export interface RetentionLimits {
  readonly maxAgeMs: number
  /** Of Secrets. */
  readonly secretsMaxAgeMs: number
  readonly perObject: number
  readonly keepLast: number
  readonly maxBytes: number
}

/**
 * Where changes are kept: SQLite in one folder, or PostgreSQL. One suite runs over both. All calls reject with
 * StoreFull where there is no space, and with StoreGone where a database cannot be reached (try again).
 */
export interface AuditStore {
  state(): Promise<AuditStoreState>
  /**
   * Becomes the one who writes: to be called by whoever holds the Lease, before it commits, trims or purges. From then on
   * all others' writes reject with StoreTaken, and so does this where another claims at the same moment. Where there is but
   * one process (SQLite) nothing need be claimed.
   */
  claim(): Promise<AuditStoreState>
  /**
   * One transaction. Adding an id that is there already changes nothing (a journal may be replayed), nor does a decision
   * that says what is known, or is of an id that is not there (trimmed).
   */
  commit(batch: RecordBatch): Promise<AuditStoreState>
  /** Up to where a writer's journal was taken over. */
  position(writer: number): Promise<{ readonly position: JournalPosition; readonly seq: number } | undefined>
  page(query: ChangeQuery, limit: number, after: PageCursor | undefined): Promise<ChangePage>
  get(id: ChangeId): Promise<NumberedChange | undefined>
  /** Changes that were added or decided after a number, in whatever state, in the order of numbers; at most `limit`. */
  after(number: number, limit: number): Promise<readonly NumberedChange[]>
  /** Pending and admitted changes, the oldest first: what a restart goes on with. */
  open(): Promise<readonly NumberedChange[]>
  /** What was last known of the objects of a resource, without those that are gone. */
  known(group: string, resource: string): AsyncIterable<KnownObject>
  knownObject(uid: string): Promise<KnownObject | undefined>
  /** Of the object that has this identity; of the latest uid where several had it. By landed changes only. */
  touched(
    object: Pick<ChangedObject, 'group' | 'resource' | 'namespace' | 'name'> & {
      /** With it, only in the namespace that has this uid. */
      readonly namespaceUid?: string
      readonly uid?: string
    },
  ): Promise<readonly StoredTouch[]>
  count(query: ChangeQuery): Promise<number>
  gaps(from: number, to: number): Promise<readonly StoredGap[]>
  /** Deletes a bounded number of what is beyond the limits; true where more is to be done. */
  trim(limits: RetentionLimits, now: number): Promise<boolean>
  /**
   * Removes the values at a path (or whole records) of an object's changes; tells from how many changes. What was removed
   * lies in free pages until `scrub`. It may be called again where it was interrupted.
   */
  purge(filter: PurgeFilter): Promise<number>
  /**
   * Overwrites what was removed, in free pages of the file too, and removes copies of the file that were set aside; tells
   * in one clause what could not be overwritten, undefined where nothing is left.
   */
  scrub(): Promise<string | undefined>
  close(): Promise<void>
}

/** What `kubectl deckwatch purge` takes out of the history. */
export interface PurgeFilter {
  readonly group: string
  readonly resource: string
  readonly namespace: string
  readonly name: string
  /** Values at this path and below; undefined: the whole history of the object. */
  readonly path: string | undefined
}

/** The database could not be reached: nothing is known to be lost, and it may be tried again. */
export { StoreGone } from '../../kit/store/store.ts'

/** Another process has become the one who writes (it holds the Lease now): this one must not write again before `claim`. */
export class StoreTaken extends Error {
  override readonly name = 'StoreTaken'
}
