/** The tables of the store, the same in both engines. Numbers are at most 53 bits long. */
export interface AuditTables {
  /** One row. */
  readonly meta: MetaRow
  readonly writer: WriterRow
  readonly namespace: NamespaceRow
  readonly resource: ResourceRow
  readonly kind: KindRow
  readonly via: ViaRow
  readonly term: TermRow
  readonly timeline: TimelineRow
  readonly object: ObjectRow
  readonly change: ChangeRow
  readonly touch: TouchRow
  readonly gap: GapRow
  readonly dictionary: DictionaryRow
}

/** What the store knows of itself. */
export interface MetaRow {
  readonly id: number
  /** Numbers of changes are kept as distances from this one. */
  readonly base: number
  readonly number: number
  readonly trimmed: number
  readonly begins: number
  readonly heartbeat: number | null
  /** Rises whenever somebody becomes the one who writes. */
  readonly epoch: number
  /** Rises with each write to a store that others have too. */
  readonly revision: number
}

/** A journal, and how far it was taken over. */
export interface WriterRow extends InternedRow {
  readonly writer: number
  readonly segment: number
  readonly byte_offset: number
  readonly seq: number
}

/** A row that is found by what it says: `hash` is of that. */
export interface InternedRow {
  readonly id: number
  readonly hash: number
}

/** A namespace; one of the same name that was made later is another. */
export interface NamespaceRow extends InternedRow {
  readonly name: string
  readonly uid: string
}

/** A type of objects in whatever version. */
export interface ResourceRow extends InternedRow {
  readonly api_group: string
  readonly plural: string
}

/** What a change was made to: a resource's version and kind, or a subresource of it. */
export interface KindRow extends InternedRow {
  readonly resource: number
  readonly version: string
  readonly kind: string
  readonly subresource: string
}

/** With what a change was made. */
export interface ViaRow extends InternedRow {
  readonly manager: string
  readonly tool: string
  readonly manual: number
}

/** A text that many rows share. */
export interface TermRow extends InternedRow {
  readonly class: number
  readonly text: string
}

/** Classes of terms; numbers are never changed. */
export const TERM_CLASSES = { username: 0, account: 1, paths: 2, path: 3 } as const

/** All objects that had one name in one namespace, one after the other. */
export interface TimelineRow extends InternedRow {
  readonly resource: number
  readonly namespace: number
  readonly name: string
}

/** One object, by its uid, and its last known state. */
export interface ObjectRow extends InternedRow {
  readonly timeline: number
  readonly uid: string
  /** In the version in which it was last seen. */
  readonly kind: number
  /** Null where it was never seen, but only written of. */
  readonly resource_version: string | null
  readonly content_hash: string
  readonly body: Uint8Array | null
  readonly gone: number
}

/** One change. */
export interface ChangeRow {
  /** The writer's row × 2^36 + seq. */
  readonly id: number
  /** Distance from the base. */
  readonly number: number
  readonly time: number
  readonly state: number
  readonly landed: number
  readonly revised: number
  readonly operation: number
  readonly actor: number
  readonly timeline: number
  readonly object: number
  readonly namespace: number
  readonly kind: number
  /** Terms; 0 where nobody knows. */
  readonly username: number
  readonly account: number
  readonly via: number
  readonly version_before: string
  readonly version_after: string
  /** Term of the path set; 0 where the paths are in the detail. */
  readonly paths: number
  readonly detail: Uint8Array
  /** The next three are null where there is nothing to say. */
  readonly reason: string | null
  readonly candidates: string | null
  readonly cause: string | null
}

/** Who last touched a field of an object, or removed it. */
export interface TouchRow {
  readonly object: number
  /** Term. */
  readonly path: number
  readonly change: number
  readonly time: number
  readonly operation: number
  readonly state: number
  readonly username: number
  readonly via: number
  /** Orders the changes of one object. */
  readonly version_rank: number
  readonly removed: number
}

/** A time without a witness. */
export interface GapRow {
  readonly begins: number
  readonly reason: string
  readonly ends: number | null
}

/** What small texts are compressed with. */
export interface DictionaryRow {
  readonly id: number
  readonly class: string
  readonly bytes: Uint8Array
}

/** What a column may hold. */
export type SqlValue = number | string | Uint8Array | null

interface TableShape {
  readonly key: readonly string[]
  readonly columns: Readonly<Record<string, 'number' | 'text' | 'bytes'>>
}

const INTERNED = { id: 'number', hash: 'number' } as const

/** Keys and columns of the tables. */
export const TABLE_SHAPES: Readonly<Record<keyof AuditTables, TableShape>> = {
  meta: {
    key: ['id'],
    columns: {
      id: 'number',
      base: 'number',
      number: 'number',
      trimmed: 'number',
      begins: 'number',
      heartbeat: 'number',
      epoch: 'number',
      revision: 'number',
    },
  },
  writer: {
    key: ['id'],
    columns: { ...INTERNED, writer: 'number', segment: 'number', byte_offset: 'number', seq: 'number' },
  },
  namespace: { key: ['id'], columns: { ...INTERNED, name: 'text', uid: 'text' } },
  resource: { key: ['id'], columns: { ...INTERNED, api_group: 'text', plural: 'text' } },
  kind: {
    key: ['id'],
    columns: { ...INTERNED, resource: 'number', version: 'text', kind: 'text', subresource: 'text' },
  },
  via: { key: ['id'], columns: { ...INTERNED, manager: 'text', tool: 'text', manual: 'number' } },
  term: { key: ['id'], columns: { ...INTERNED, class: 'number', text: 'text' } },
  timeline: {
    key: ['id'],
    columns: { ...INTERNED, resource: 'number', namespace: 'number', name: 'text' },
  },
  object: {
    key: ['id'],
    columns: {
      ...INTERNED,
      timeline: 'number',
      uid: 'text',
      kind: 'number',
      resource_version: 'text',
      content_hash: 'text',
      body: 'bytes',
      gone: 'number',
    },
  },
  change: {
    key: ['id'],
    columns: {
      id: 'number',
      number: 'number',
      time: 'number',
      state: 'number',
      landed: 'number',
      revised: 'number',
      operation: 'number',
      actor: 'number',
      timeline: 'number',
      object: 'number',
      namespace: 'number',
      kind: 'number',
      username: 'number',
      account: 'number',
      via: 'number',
      version_before: 'text',
      version_after: 'text',
      paths: 'number',
      detail: 'bytes',
      reason: 'text',
      candidates: 'text',
      cause: 'text',
    },
  },
  touch: {
    key: ['object', 'path'],
    columns: {
      object: 'number',
      path: 'number',
      change: 'number',
      time: 'number',
      operation: 'number',
      state: 'number',
      username: 'number',
      via: 'number',
      version_rank: 'number',
      removed: 'number',
    },
  },
  gap: { key: ['begins', 'reason'], columns: { begins: 'number', reason: 'text', ends: 'number' } },
  dictionary: { key: ['id'], columns: { id: 'number', class: 'text', bytes: 'bytes' } },
}
