import { createHash } from 'node:crypto'
import type { Kysely } from '../../kit/store/query-builder.ts'
import { TERM_CLASSES } from './audit-tables.ts'
import type {
  AuditTables,
  KindRow,
  NamespaceRow,
  ObjectRow,
  ResourceRow,
  TermRow,
  TimelineRow,
  ViaRow,
  WriterRow,
} from './audit-tables.ts'
import { type TableWrite, write, type WriteRow } from './table-write.ts'

interface InternedTables {
  writer: WriterRow
  namespace: NamespaceRow
  resource: ResourceRow
  kind: KindRow
  via: ViaRow
  term: TermRow
  timeline: TimelineRow
  object: ObjectRow
}

type InternedTable = keyof InternedTables
type Unnamed<Table extends InternedTable> = Omit<InternedTables[Table], 'id' | 'hash'>

/** By what the rows of each table are told apart. */
const KEYS: { readonly [Table in InternedTable]: (row: Unnamed<Table>) => string } = {
  writer: ({ writer }) => String(writer),
  namespace: ({ name, uid }) => `${name}\0${uid}`,
  resource: ({ api_group, plural }) => `${api_group}\0${plural}`,
  kind: ({ resource, version, kind, subresource }) => `${resource}\0${version}\0${kind}\0${subresource}`,
  via: ({ manager, tool, manual }) => `${manager}\0${tool}\0${manual}`,
  term: ({ class: name, text }) => `${name}\0${text}`,
  timeline: ({ resource, namespace, name }) => `${resource}\0${namespace}\0${name}`,
  object: ({ timeline, uid }) => `${timeline}\0${uid}`,
}

const TABLES = Object.keys(KEYS) as InternedTable[]

/** So many ids are remembered of each table. */
const REMEMBERED = 20_000
/** So many rows are looked for in one query. */
const AT_ONCE = 400

/**
 * Ids of rows that many others name. The one who writes gives them by counting; new rows are in the plan of what is
 * written next, and forgotten where that fails.
 */
export class Interned {
  readonly #db: Kysely<AuditTables>
  readonly #ids = new Map<InternedTable, Map<string, number>>()
  readonly #last = new Map<InternedTable, number>()
  #pathSets = 0
  #fresh: { readonly table: InternedTable; readonly key: string; readonly row: WriteRow }[] = []

  constructor(db: Kysely<AuditTables>) {
    this.#db = db
    for (const table of TABLES) this.#ids.set(table, new Map())
  }

  /** Learns how far ids have been given. */
  async load(): Promise<void> {
    this.#fresh = []
    for (const table of TABLES) {
      const row = await this.#db
        .selectFrom(table)
        .select((select) => select.fn.max('id').as('last'))
        .executeTakeFirst()
      this.#last.set(table, row?.last ?? 0)
      this.#ids.get(table)?.clear()
    }
    const sets = await this.#db
      .selectFrom('term')
      .select((select) => select.fn.countAll().as('sets'))
      .where('class', '=', TERM_CLASSES.paths)
      .executeTakeFirst()
    this.#pathSets = Number(sets?.sets ?? 0)
  }

  /** Ids of rows, in their order; rows that are not there yet are written next. */
  async ids<Table extends InternedTable>(table: Table, rows: readonly Unnamed<Table>[]): Promise<number[]> {
    const known = this.#ids.get(table) ?? new Map<string, number>()
    const keyOf = KEYS[table] as (row: Unnamed<Table>) => string
    const keys = rows.map(keyOf)
    const missing = new Map<string, Unnamed<Table>>()
    for (const [i, row] of rows.entries()) {
      const key = keys[i] ?? ''
      if (!known.has(key)) missing.set(key, row)
    }
    if (missing.size > 0) {
      for (const [key, id] of await this.#find(table, [...missing.keys()])) {
        known.set(key, id)
        missing.delete(key)
      }
      for (const [key, row] of missing) {
        const id = (this.#last.get(table) ?? 0) + 1
        this.#last.set(table, id)
        known.set(key, id)
        if (table === 'term' && 'class' in row && row.class === TERM_CLASSES.paths) this.#pathSets += 1
        this.#fresh.push({ table, key, row: { id, hash: hashOf(table, key), ...row } })
      }
    }
    return keys.map((key) => known.get(key) ?? 0)
  }

  /** The id of a row that is there, or is written next; undefined where it is not. */
  async known<Table extends InternedTable>(table: Table, row: Unnamed<Table>): Promise<number | undefined> {
    const key = (KEYS[table] as (row: Unnamed<Table>) => string)(row)
    return this.#ids.get(table)?.get(key) ?? (await this.#find(table, [key])).get(key)
  }

  /** How many sets of paths there are. */
  get pathSets(): number {
    return this.#pathSets
  }

  /** The id of a row that is there; undefined where it is not. */
  async find<Table extends InternedTable>(table: Table, row: Unnamed<Table>): Promise<number | undefined> {
    const key = (KEYS[table] as (row: Unnamed<Table>) => string)(row)
    return (await this.#find(table, [key])).get(key)
  }

  /** The rows that are to be written before any that names them. */
  get writes(): readonly TableWrite[] {
    return TABLES.map((table) =>
      write(
        'insert',
        table,
        this.#fresh.filter((fresh) => fresh.table === table).map(({ row }) => row as never),
      ),
    ).filter(({ rows }) => rows.length > 0)
  }

  /** The new rows are kept now. */
  written(): void {
    this.#fresh = []
    for (const known of this.#ids.values()) {
      for (const key of known.keys()) {
        if (known.size <= REMEMBERED) break
        known.delete(key)
      }
    }
  }

  /** The new rows were not kept. */
  abandon(): void {
    for (const { table, key } of this.#fresh) this.#ids.get(table)?.delete(key)
    this.#fresh = []
  }

  /** Rows with these ids were deleted. */
  forget(table: InternedTable, ids: readonly number[]): void {
    const gone = new Set(ids)
    const known = this.#ids.get(table)
    for (const [key, id] of known ?? []) if (gone.has(id)) known?.delete(key)
  }

  async #find(table: InternedTable, keys: readonly string[]): Promise<Map<string, number>> {
    const found = new Map<string, number>()
    const wanted = new Set(keys)
    const keyOf = KEYS[table] as unknown as (row: unknown) => string
    for (let from = 0; from < keys.length; from += AT_ONCE) {
      const hashes = keys.slice(from, from + AT_ONCE).map((key) => hashOf(table, key))
      const rows = await this.#db
        .selectFrom(table as 'term')
        .selectAll()
        .where('hash', 'in', hashes)
        .execute()
      for (const row of rows) {
        const key = keyOf(row)
        if (wanted.has(key)) found.set(key, row.id)
      }
    }
    return found
  }
}

/** 53 bits, which a number of JavaScript holds; rows of one hash are told apart by what they say. */
function hashOf(table: InternedTable, key: string): number {
  const digest = createHash('sha256').update(`${table}\0${key}`).digest()
  return Number(digest.readBigUInt64BE() >> 11n)
}
