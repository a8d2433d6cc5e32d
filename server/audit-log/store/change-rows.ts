import type { Kysely } from '../../kit/store/query-builder.ts'
import type { ChangeUser } from '../../../src/core/wire/change.ts'
import type { AuditTables, ChangeRow } from './audit-tables.ts'
import type { NumberedChange } from './audit-store.ts'
import { ACTORS, OPERATIONS, STATES } from './change-codes.ts'
import { readDetail } from './change-detail.ts'
import { unpackId } from './change-filter.ts'
import { RecordCodec } from './record-codec.ts'

/** A change with all that its row names. */
export interface JoinedChange extends ChangeRow {
  readonly name: string
  readonly uid: string
  readonly namespace_name: string
  readonly namespace_uid: string
  readonly api_group: string
  readonly plural: string
  readonly kind_name: string
  readonly kind_version: string
  readonly subresource: string
  readonly manager: string
  readonly tool: string
  readonly manual: number
  /** Null where nobody knows. */
  readonly account_text: string | null
  readonly paths_text: string | null
}

const AT_ONCE = 1000

/** Rows of `change` with all that they name, to which a caller adds which, and in which order. */
export function joinedChanges(db: Kysely<AuditTables>) {
  return db
    .selectFrom('change as c')
    .innerJoin('timeline as t', 't.id', 'c.timeline')
    .innerJoin('object as o', 'o.id', 'c.object')
    .innerJoin('namespace as n', 'n.id', 'c.namespace')
    .innerJoin('kind as k', 'k.id', 'c.kind')
    .innerJoin('resource as r', 'r.id', 'k.resource')
    .innerJoin('via as v', 'v.id', 'c.via')
    .leftJoin('term as a', 'a.id', 'c.account')
    .leftJoin('term as p', 'p.id', 'c.paths')
    .selectAll('c')
    .select([
      't.name',
      'o.uid',
      'n.name as namespace_name',
      'n.uid as namespace_uid',
      'r.api_group',
      'r.plural',
      'k.kind as kind_name',
      'k.version as kind_version',
      'k.subresource',
      'v.manager',
      'v.tool',
      'v.manual',
      'a.text as account_text',
      'p.text as paths_text',
    ])
}

/** Reads rows as changes: knows the writers, and the dictionaries that were made meanwhile. */
export class ChangeRows {
  readonly #db: Kysely<AuditTables>
  readonly #codec: RecordCodec
  readonly #writers = new Map<number, number>()
  readonly #base: () => Promise<number>

  constructor(db: Kysely<AuditTables>, codec: RecordCodec, base: () => Promise<number>) {
    this.#db = db
    this.#codec = codec
    this.#base = base
  }

  /** The rows as changes; only the first of them, and one at least, where they would be of more characters. */
  async changes(
    rows: readonly JoinedChange[],
    budget: { left: number } = { left: Number.POSITIVE_INFINITY },
  ): Promise<NumberedChange[]> {
    await this.needDictionaries(rows.map(({ detail }) => detail))
    const base = await this.#base()
    const changes: NumberedChange[] = []
    for (const row of rows) {
      const detail = this.#codec.text(row.detail)
      if (changes.length > 0 && detail.length > budget.left) break
      budget.left -= detail.length
      changes.push(this.#change(row, detail, base, await this.writer(row.id)))
    }
    return changes
  }

  /** The rows with these ids, in the order of the ids; without those that are not there any more. */
  async joined(ids: readonly number[]): Promise<JoinedChange[]> {
    const found = new Map<number, JoinedChange>()
    for (let from = 0; from < ids.length; from += AT_ONCE) {
      const some = ids.slice(from, from + AT_ONCE)
      for (const row of await joinedChanges(this.#db).where('c.id', 'in', some).execute())
        found.set(row.id, row)
    }
    return ids.flatMap((id) => found.get(id) ?? [])
  }

  /** The journal that a change came by. */
  async writer(id: number): Promise<number> {
    const { row } = unpackId(id)
    const known = this.#writers.get(row)
    if (known !== undefined) return known
    const found = await this.#db
      .selectFrom('writer')
      .select('writer')
      .where('id', '=', row)
      .executeTakeFirst()
    if (!found) throw new RangeError(`a change names writer ${row}, which is not there`)
    this.#writers.set(row, found.writer)
    return found.writer
  }

  /** Loads what another process, or an earlier one, has made for these records. */
  async needDictionaries(records: readonly Uint8Array[]): Promise<void> {
    const missing = new Set<number>()
    for (const record of records) {
      const id = RecordCodec.dictionaryOf(record)
      if (id !== undefined && !this.#codec.has(id)) missing.add(id)
    }
    if (missing.size === 0) return
    const found = await this.#db
      .selectFrom('dictionary')
      .selectAll()
      .where('id', 'in', [...missing])
      .execute()
    for (const row of found) this.#codec.use(row)
  }

  #change(row: JoinedChange, text: string, base: number, writer: number): NumberedChange {
    const { source, revision, initiatedBy, ...detail } = readDetail(
      JSON.parse(text),
      row.paths_text === null ? undefined : (JSON.parse(row.paths_text) as string[]),
    )
    return {
      id: { writer, seq: unpackId(row.id).seq },
      number: base + row.number,
      ...(row.revised === 1 ? { revised: true } : {}),
      time: row.time,
      operation: OPERATIONS.word(row.operation),
      state: STATES.word(row.state),
      reason: row.reason ?? '',
      object: {
        group: row.api_group,
        version: row.kind_version,
        resource: row.plural,
        subresource: row.subresource,
        kind: row.kind_name,
        namespace: row.namespace_name,
        namespaceUid: row.namespace_uid,
        name: row.name,
        uid: row.uid,
        resourceVersion: { before: row.version_before, after: row.version_after },
      },
      ...(row.account_text === null ? {} : { user: JSON.parse(row.account_text) as ChangeUser }),
      actor: ACTORS.word(row.actor),
      ...(row.candidates === null ? {} : { candidates: JSON.parse(row.candidates) as ChangeUser[] }),
      via: { manager: row.manager, tool: row.tool, source, revision, initiatedBy, manual: row.manual === 1 },
      ...detail,
      ...(row.cause === null ? {} : { cause: JSON.parse(row.cause) as NonNullable<NumberedChange['cause']> }),
    }
  }
}
