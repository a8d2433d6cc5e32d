import { type Kysely, sql } from '../../kit/store/query-builder.ts'
import type { JournalPosition } from '../journal/journal.ts'
import type {
  AuditStore,
  ChangeId,
  ChangePage,
  ChangeQuery,
  KnownObject,
  NumberedChange,
  PageCursor,
  StoredGap,
  StoredTouch,
} from './audit-store.ts'
import type { AuditTables } from './audit-tables.ts'
import { OPERATIONS, STATES } from './change-codes.ts'
import { changeFilter, findWriter, packId, unpackId } from './change-filter.ts'
import { type ChangeRows, joinedChanges } from './change-rows.ts'
import { allOf, conditionsOf, pickRows } from './change-picks.ts'
import type { Interned } from './interned.ts'
import type { RecordCodec } from './record-codec.ts'

/** What reading stands on. */
export interface AuditReadsDeps {
  readonly db: Kysely<AuditTables>
  readonly codec: RecordCodec
  readonly interned: Interned
  readonly rows: ChangeRows
  readonly base: () => Promise<number>
}

type KnownRow = Awaited<ReturnType<AuditReads['knownRows']>>[number]

const KNOWN_CHUNK = 200
/**
 * Characters of what changed in one answer. A change may hold a whole object of a megabyte and more, twice: some hundreds
 * of these would be more than the memory of the pod.
 */
const PAGE_CHARACTERS = 8 * 1024 * 1024
/** So many rows are read at once, for they may be as large. */
const ROWS = 100

/** All reads of the store, the same over both engines. */
export class AuditReads implements Pick<
  AuditStore,
  'position' | 'page' | 'get' | 'after' | 'open' | 'known' | 'knownObject' | 'touched' | 'count' | 'gaps'
> {
  readonly #deps: AuditReadsDeps

  constructor(deps: AuditReadsDeps) {
    this.#deps = deps
  }

  async position(
    writer: number,
  ): Promise<{ readonly position: JournalPosition; readonly seq: number } | undefined> {
    const row = await this.#deps.db
      .selectFrom('writer')
      .selectAll()
      .where('writer', '=', writer)
      .executeTakeFirst()
    // A writer of which there are changes only, as of those that no journal told.
    if (!row || row.seq < 0) return undefined
    return { position: { segment: row.segment, offset: row.byte_offset }, seq: row.seq }
  }

  async page(query: ChangeQuery, limit: number, after: PageCursor | undefined): Promise<ChangePage> {
    const { db, rows } = this.#deps
    const filter = await changeFilter(db, this.#deps.interned, query)
    const behind = after && { time: after.time, id: await this.#cursorId(after) }
    const newest = await pickRows(db, filter, query.perObject, limit + 1, behind)
    const shown = newest.slice(0, limit)
    const budget = { left: PAGE_CHARACTERS }
    const items: NumberedChange[] = []
    let last = newest.length > limit ? shown.at(-1) : undefined
    for (let from = 0; from < shown.length; from += ROWS) {
      const joined = await rows.joined(shown.slice(from, from + ROWS).map(({ id }) => id))
      const changes = await rows.changes(joined, budget)
      items.push(...changes)
      const isCut = changes.length < joined.length || (budget.left <= 0 && from + ROWS < shown.length)
      if (!isCut) continue
      last = joined[changes.length - 1]
      break
    }
    if (!last) return { items, next: undefined }
    return {
      items,
      next: { time: last.time, writer: await rows.writer(last.id), seq: unpackId(last.id).seq },
    }
  }

  async get({ writer, seq }: ChangeId): Promise<NumberedChange | undefined> {
    const row = await findWriter(this.#deps.db, writer)
    if (row === undefined) return undefined
    const found = await joinedChanges(this.#deps.db).where('c.id', '=', packId(row, seq)).execute()
    return (await this.#deps.rows.changes(found))[0]
  }

  async after(number: number, limit: number): Promise<readonly NumberedChange[]> {
    const base = await this.#deps.base()
    const found = await joinedChanges(this.#deps.db)
      .where('c.number', '>', number - base)
      .orderBy('c.number')
      .limit(Math.min(limit, ROWS))
      .execute()
    return this.#deps.rows.changes(found, { left: PAGE_CHARACTERS })
  }

  async open(): Promise<readonly NumberedChange[]> {
    const found = await joinedChanges(this.#deps.db)
      // As literals, for the sake of the index that has these rows only.
      .where(sql<boolean>`c.state <= 1`)
      .orderBy('c.time')
      .orderBy('c.id')
      .execute()
    return this.#deps.rows.changes(found)
  }

  async *known(group: string, resource: string): AsyncGenerator<KnownObject> {
    for (let last = 0; ;) {
      const rows = await this.knownRows((select) =>
        select
          .where('r.api_group', '=', group)
          .where('r.plural', '=', resource)
          .where('o.gone', '=', 0)
          .where('o.id', '>', last)
          .orderBy('o.id')
          .limit(KNOWN_CHUNK),
      )
      for (const row of rows) yield this.#knownObject(row)
      const end = rows.at(-1)
      if (!end) return
      last = end.id
    }
  }

  async knownObject(uid: string): Promise<KnownObject | undefined> {
    const [row] = await this.knownRows((select) =>
      select.where('o.uid', '=', uid).orderBy('o.id', 'desc').limit(1),
    )
    return row && this.#knownObject(row)
  }

  async touched({
    group,
    resource,
    namespace,
    namespaceUid,
    name,
    uid,
  }: Parameters<AuditStore['touched']>[0]): Promise<readonly StoredTouch[]> {
    const { db, rows } = this.#deps
    let select = db
      .selectFrom('timeline as t')
      .innerJoin('resource as r', 'r.id', 't.resource')
      .innerJoin('namespace as n', 'n.id', 't.namespace')
      .innerJoin('object as o', 'o.timeline', 't.id')
      .select('o.id')
      .where('t.name', '=', name)
      .where('r.api_group', '=', group)
      .where('r.plural', '=', resource)
      .where('n.name', '=', namespace)
    if (namespaceUid !== undefined) select = select.where('n.uid', '=', namespaceUid)
    if (uid !== undefined) select = select.where('o.uid', '=', uid)
    // Later objects have higher ids.
    const object = await select.orderBy('o.id', 'desc').limit(1).executeTakeFirst()
    if (!object) return []
    const found = await db
      .selectFrom('touch as x')
      .innerJoin('term as p', 'p.id', 'x.path')
      .innerJoin('via as v', 'v.id', 'x.via')
      .leftJoin('term as u', 'u.id', 'x.username')
      .select([
        'p.text as path',
        'x.change',
        'x.time',
        'x.operation',
        'x.state',
        'v.manager',
        'u.text as username',
      ])
      .where('x.object', '=', object.id)
      .where('x.removed', '=', 0)
      .execute()
    const touches: StoredTouch[] = []
    for (const { path, change, time, operation, state, manager, username } of found) {
      touches.push({
        path,
        id: { writer: await rows.writer(change), seq: unpackId(change).seq },
        operation: OPERATIONS.word(operation),
        time,
        username: username ?? '',
        manager,
        state: STATES.word(state),
      })
    }
    return touches.toSorted((a, b) => (a.path < b.path ? -1 : 1))
  }

  async count(query: ChangeQuery): Promise<number> {
    const filter = await changeFilter(this.#deps.db, this.#deps.interned, query)
    let count = 0
    for (const part of filter.parts) {
      const { rows } = await sql<{ count: number | string }>`
        select count(*) as count from change as c where ${allOf(conditionsOf(filter, part, 'c'))}
      `.execute(this.#deps.db)
      count += Number(rows[0]?.count ?? 0)
    }
    return count
  }

  async gaps(from: number, to: number): Promise<readonly StoredGap[]> {
    const rows = await this.#deps.db
      .selectFrom('gap')
      .selectAll()
      .where('begins', '<=', to)
      .where((where) => where.or([where('ends', 'is', null), where('ends', '>=', from)]))
      .orderBy('begins', 'desc')
      .orderBy('reason')
      .execute()
    return rows.map(({ begins, reason, ends }) => ({ from: begins, to: ends ?? undefined, reason }))
  }

  /** Where a page ended, as a row's id; behind all of that moment where its writer is not known. */
  async #cursorId({ writer, seq }: PageCursor): Promise<number> {
    const row = await findWriter(this.#deps.db, writer)
    return row === undefined ? 0 : packId(row, seq)
  }

  /** Objects that were seen, with what names them; a caller says which. */
  async knownRows(choose: (select: ReturnType<typeof knownObjects>) => ReturnType<typeof knownObjects>) {
    const rows = await choose(knownObjects(this.#deps.db)).execute()
    await this.#deps.rows.needDictionaries(rows.flatMap(({ body }) => (body === null ? [] : [body])))
    return rows
  }

  #knownObject(row: KnownRow): KnownObject {
    return {
      object: {
        group: row.api_group,
        version: row.version,
        resource: row.plural,
        kind: row.kind,
        namespace: row.namespace,
        namespaceUid: row.namespace_uid,
        name: row.name,
        uid: row.uid,
      },
      resourceVersion: row.resource_version ?? '',
      hash: row.content_hash,
      body: row.body === null ? undefined : this.#deps.codec.decode(row.body),
      ...(row.gone === 1 ? { gone: true } : {}),
    }
  }
}

function knownObjects(db: Kysely<AuditTables>) {
  return db
    .selectFrom('object as o')
    .innerJoin('timeline as t', 't.id', 'o.timeline')
    .innerJoin('namespace as n', 'n.id', 't.namespace')
    .innerJoin('kind as k', 'k.id', 'o.kind')
    .innerJoin('resource as r', 'r.id', 'k.resource')
    .where('o.resource_version', 'is not', null)
    .select([
      'o.id',
      'o.uid',
      'o.resource_version',
      'o.content_hash',
      'o.body',
      'o.gone',
      't.name',
      'n.name as namespace',
      'n.uid as namespace_uid',
      'r.api_group',
      'r.plural',
      'k.version',
      'k.kind',
    ])
}
