import type { ChangeUser } from '../../../src/core/wire/change.ts'
import type { Kysely } from '../../kit/store/query-builder.ts'
import type { ChangeRecord, ChangeDecision, KnownObject, RecordBatch } from './audit-store.ts'
import {
  type AuditTables,
  type ChangeRow,
  type ObjectRow,
  TERM_CLASSES,
  type WriterRow,
} from './audit-tables.ts'
import { ACTORS, hasLanded, OPERATIONS, STATES } from './change-codes.ts'
import { detailOf, pathSetOf } from './change-detail.ts'
import { packId } from './change-filter.ts'
import type { ChangeRows } from './change-rows.ts'
import type { Interned } from './interned.ts'
import type { RecordCodec } from './record-codec.ts'
import { type TableWrite, write } from './table-write.ts'
import { type LandedChange, touchWrites } from './touch-writes.ts'

/** What a plan is made with. */
export interface PlanDeps {
  readonly db: Kysely<AuditTables>
  readonly interned: Interned
  readonly codec: RecordCodec
  readonly rows: ChangeRows
}

/** What a batch comes to in the tables. */
export interface WritePlan {
  readonly writes: readonly TableWrite[]
  /** How many numbers were given. */
  readonly numbers: number
  /** Timelines that have more changes now. */
  readonly grown: ReadonlySet<number>
  /** Epoch milliseconds of the oldest change that is added; undefined where none is. */
  readonly oldest: number | undefined
}

/** More sets of paths are not shared: they would be of objects that somebody makes up. */
const MOST_PATH_SETS = 5000
const AT_ONCE = 400

const UNSEEN = { resource_version: null, content_hash: '', body: null, gone: 0 } as const
/** A writer whose journal was not taken over from yet. */
const NO_POSITION = { segment: 0, byte_offset: 0, seq: -1 } as const

/** Finds out what a batch comes to, without writing anything; numbers follow `number` (a distance from the base). */
export async function planBatch(deps: PlanDeps, batch: RecordBatch, number: number): Promise<WritePlan> {
  const planner = new Planner(deps, number)
  await planner.add(batch.added)
  await planner.decide(batch.decided)
  await planner.know(batch.known)
  await planner.move(batch.position)
  return planner.plan(batch)
}

/** A row that is written for the first time, or one that was there with what is decided now. */
interface Pending {
  row: ChangeRow
  readonly isNew: boolean
  changed: boolean
  readonly record: Pick<ChangeRecord, 'changes' | 'object' | 'operation'> | undefined
}

class Planner {
  readonly #deps: PlanDeps
  readonly #changes = new Map<number, Pending>()
  readonly #landed: LandedChange[] = []
  readonly #unlanded: { readonly object: number; readonly change: number }[] = []
  readonly #objects = new Map<number, Partial<ObjectRow>>()
  readonly #positions: WriterRow[] = []
  readonly #first: number
  #number: number
  #oldest: number | undefined

  constructor(deps: PlanDeps, number: number) {
    this.#deps = deps
    this.#first = number
    this.#number = number
  }

  async add(records: readonly ChangeRecord[]): Promise<void> {
    const { db, interned } = this.#deps
    const writers = await interned.ids(
      'writer',
      records.map(({ id }) => ({ writer: id.writer, ...NO_POSITION })),
    )
    const ids = records.map(({ id }, i) => packId(writers[i] ?? 0, id.seq))
    const there = new Set<number>()
    for (let from = 0; from < ids.length; from += AT_ONCE) {
      const some = ids.slice(from, from + AT_ONCE)
      for (const { id } of await db.selectFrom('change').select('id').where('id', 'in', some).execute())
        there.add(id)
    }
    const fresh = new Map(records.map((record, i) => [ids[i] ?? 0, record]))
    for (const id of there) fresh.delete(id)
    const named = await this.#name([...fresh.values()])
    for (const [i, [id, record]] of [...fresh].entries()) {
      const names = named[i]
      if (names) this.#addRow(id, record, names)
    }
  }

  #addRow(id: number, record: ChangeRecord, names: RecordNames): void {
    const { object, state, reason, candidates, cause } = record
    this.#number += 1
    const row: ChangeRow = {
      id,
      number: this.#number,
      time: record.time,
      state: STATES.code(state),
      landed: Number(hasLanded(state)),
      revised: 0,
      operation: OPERATIONS.code(record.operation),
      actor: ACTORS.code(record.actor),
      timeline: names.timeline,
      object: names.object,
      namespace: names.namespace,
      kind: names.kind,
      username: names.username,
      account: names.account,
      via: names.via,
      version_before: object.resourceVersion.before,
      version_after: object.resourceVersion.after,
      paths: names.paths,
      detail: this.#deps.codec.encode(detailOf(record, names.paths !== 0), detailClass(record)),
      reason: reason === '' ? null : reason,
      candidates: candidates ? JSON.stringify(candidates) : null,
      cause: cause ? JSON.stringify(cause) : null,
    }
    this.#oldest = Math.min(this.#oldest ?? record.time, record.time)
    this.#changes.set(id, { row, isNew: true, changed: false, record })
    if (row.landed === 1) this.#land(row, record)
  }

  async decide(decisions: readonly ChangeDecision[]): Promise<void> {
    const { interned } = this.#deps
    const found: { readonly id: number; readonly decision: ChangeDecision }[] = []
    for (const decision of decisions) {
      const writer = await interned.known('writer', { writer: decision.id.writer, ...NO_POSITION })
      if (writer !== undefined) found.push({ id: packId(writer, decision.id.seq), decision })
    }
    await this.#loadChanges(found.map(({ id }) => id).filter((id) => !this.#changes.has(id)))
    for (const { id, decision } of found) {
      const pending = this.#changes.get(id)
      if (pending) await this.#decideRow(pending, decision)
    }
  }

  async #decideRow(pending: Pending, decision: ChangeDecision): Promise<void> {
    const { row } = pending
    const { state, reason, resourceVersionAfter, candidates, cause } = decision
    const landed = Number(hasLanded(state))
    const decided: ChangeRow = {
      ...row,
      state: STATES.code(state),
      landed,
      revised: Number(row.landed === 1 && landed === 1),
      reason: reason === '' ? null : reason,
      version_after: resourceVersionAfter ?? row.version_after,
      candidates: candidates ? JSON.stringify(candidates) : row.candidates,
      cause: cause ? JSON.stringify(cause) : row.cause,
    }
    const said = ['state', 'reason', 'version_after', 'candidates', 'cause'] as const
    if (said.every((column) => decided[column] === row[column])) return
    this.#number += 1
    pending.row = { ...decided, number: this.#number }
    pending.changed = true
    if (landed === 1) this.#land(pending.row, pending.record ?? (await this.#readRow(row)))
    else if (row.landed === 1) this.#unlanded.push({ object: row.object, change: row.id })
  }

  #land(
    row: ChangeRow,
    { changes, object, operation }: Pick<ChangeRecord, 'changes' | 'object' | 'operation'>,
  ): void {
    // Of an exec or an eviction there is nothing in the object's fields.
    const isAccess =
      operation === 'CONNECT' || (object.subresource !== '' && changes.some(({ path }) => path === ''))
    this.#landed.push({ row, changes: isAccess ? [] : changes })
    if (object.subresource !== '') return
    if (operation === 'DELETE') this.#setObject({ id: row.object, gone: 1 })
    else if (operation === 'CREATE') this.#setObject({ id: row.object, gone: 0 })
  }

  #setObject(columns: Partial<ObjectRow> & { readonly id: number }): void {
    this.#objects.set(columns.id, { ...this.#objects.get(columns.id), ...columns })
  }

  async know(known: readonly KnownObject[]): Promise<void> {
    const { codec } = this.#deps
    const names = await this.#nameObjects(known.map(({ object }) => ({ ...object, subresource: '' })))
    for (const [i, { object, resourceVersion, hash, body, gone = false }] of known.entries()) {
      const id = names[i]?.object ?? 0
      const kind = names[i]?.kind ?? 0
      const seen = { id, kind, resource_version: resourceVersion, content_hash: hash, gone: Number(gone) }
      if (body !== undefined) this.#setObject({ ...seen, body: codec.encode(body, bodyClass(object)) })
      else this.#setObject(gone ? seen : { ...seen, body: null })
    }
  }

  async move(position: RecordBatch['position']): Promise<void> {
    if (!position) return
    const { writer, seq, position: to } = position
    const [id = 0] = await this.#deps.interned.ids('writer', [{ writer, ...NO_POSITION }])
    this.#positions.push({ id, hash: 0, writer, segment: to.segment, byte_offset: to.offset, seq })
  }

  async plan({ gaps }: RecordBatch): Promise<WritePlan> {
    const touches = await touchWrites(this.#deps, this.#landed, this.#unlanded)
    const changes = [...this.#changes.values()]
    const fresh = changes.filter(({ isNew }) => isNew).map(({ row }) => row)
    const decided = changes.filter(({ isNew, changed }) => changed && !isNew).map(({ row }) => row)
    const writes = [
      ...this.#deps.interned.writes,
      write('insert', 'change', fresh),
      write('update', 'change', decided.map(decidedColumns)),
      ...sameColumns([...this.#objects.values()]).map((rows) => write('update', 'object', rows)),
      ...touches,
      write(
        'put',
        'gap',
        gaps.map(({ from, to, reason }) => ({ begins: from, reason, ends: to ?? null })),
      ),
      write(
        'update',
        'writer',
        this.#positions.map(({ id, segment, byte_offset, seq }) => ({ id, segment, byte_offset, seq })),
      ),
    ].filter((step) => step.rows.length > 0)
    return {
      writes,
      numbers: this.#number - this.#first,
      grown: new Set(fresh.map(({ timeline }) => timeline)),
      oldest: this.#oldest,
    }
  }

  async #loadChanges(ids: readonly number[]): Promise<void> {
    for (let from = 0; from < ids.length; from += AT_ONCE) {
      const some = ids.slice(from, from + AT_ONCE)
      const rows = await this.#deps.db.selectFrom('change').selectAll().where('id', 'in', some).execute()
      for (const row of rows)
        this.#changes.set(row.id, { row, isNew: false, changed: false, record: undefined })
    }
  }

  /** What touches need to know of a change that was kept before. */
  async #readRow(row: ChangeRow): Promise<Pick<ChangeRecord, 'changes' | 'object' | 'operation'>> {
    const { rows } = this.#deps
    const [change] = await rows.changes(await rows.joined([row.id]))
    if (!change) throw new RangeError(`change ${row.id} is not there any more`)
    return change
  }

  async #name(records: readonly ChangeRecord[]): Promise<RecordNames[]> {
    const { interned } = this.#deps
    const objects = await this.#nameObjects(records.map(({ object }) => object))
    const users = records.map(({ user }) => user)
    const usernames = await this.#terms(
      'username',
      users.map((user) => user?.username ?? ''),
    )
    const accounts = await this.#terms(
      'account',
      users.map((user) => (user ? accountText(user) : '')),
    )
    const paths = await this.#terms('paths', await this.#pathSets(records))
    const vias = await interned.ids(
      'via',
      records.map(({ via: { manager, tool, manual } }) => ({ manager, tool, manual: Number(manual) })),
    )
    return objects.map((names, i) => ({
      ...names,
      username: usernames[i] ?? 0,
      account: accounts[i] ?? 0,
      paths: paths[i] ?? 0,
      via: vias[i] ?? 0,
    }))
  }

  async #nameObjects(
    objects: readonly (KnownObject['object'] & { readonly subresource: string })[],
  ): Promise<ObjectNames[]> {
    const { interned } = this.#deps
    const namespaces = await interned.ids(
      'namespace',
      objects.map(({ namespace, namespaceUid }) => ({ name: namespace, uid: namespaceUid })),
    )
    const resources = await interned.ids(
      'resource',
      objects.map(({ group, resource }) => ({ api_group: group, plural: resource })),
    )
    const kindsOf = (subresource: (i: number) => string) =>
      interned.ids(
        'kind',
        objects.map(({ version, kind }, i) => ({
          resource: resources[i] ?? 0,
          version,
          kind,
          subresource: subresource(i),
        })),
      )
    const kinds = await kindsOf((i) => objects[i]?.subresource ?? '')
    const plain = await kindsOf(() => '')
    const timelines = await interned.ids(
      'timeline',
      objects.map(({ name }, i) => ({ resource: resources[i] ?? 0, namespace: namespaces[i] ?? 0, name })),
    )
    const ids = await interned.ids(
      'object',
      objects.map(({ uid }, i) => ({ timeline: timelines[i] ?? 0, uid, kind: plain[i] ?? 0, ...UNSEEN })),
    )
    return objects.map((_, i) => ({
      namespace: namespaces[i] ?? 0,
      kind: kinds[i] ?? 0,
      timeline: timelines[i] ?? 0,
      object: ids[i] ?? 0,
    }))
  }

  /** Ids of terms; 0 for the empty text. */
  async #terms(name: keyof typeof TERM_CLASSES, texts: readonly string[]): Promise<number[]> {
    const wanted = texts.filter((text) => text !== '')
    const ids = await this.#deps.interned.ids(
      'term',
      wanted.map((text) => ({ class: TERM_CLASSES[name], text })),
    )
    let next = 0
    return texts.map((text) => (text === '' ? 0 : (ids[next++] ?? 0)))
  }

  /** The path sets that are shared, in the order of the records; empty for one that is not. */
  async #pathSets(records: readonly ChangeRecord[]): Promise<string[]> {
    const { interned } = this.#deps
    const texts: string[] = []
    for (const { changes } of records) {
      const set = changes.length === 0 ? undefined : pathSetOf(changes)
      const text = set ? JSON.stringify(set) : ''
      const row = { class: TERM_CLASSES.paths, text }
      const shared =
        text !== '' &&
        (interned.pathSets < MOST_PATH_SETS || (await interned.known('term', row)) !== undefined)
      texts.push(shared ? text : '')
    }
    return texts
  }
}

interface ObjectNames {
  readonly namespace: number
  readonly kind: number
  readonly timeline: number
  readonly object: number
}

interface RecordNames extends ObjectNames {
  readonly username: number
  readonly account: number
  readonly paths: number
  readonly via: number
}

/** The rows in groups that have the same columns. */
function sameColumns(rows: readonly Partial<ObjectRow>[]): Partial<ObjectRow>[][] {
  const groups = new Map<string, Partial<ObjectRow>[]>()
  for (const row of rows) {
    const columns = Object.keys(row).toSorted().join()
    groups.set(columns, [...(groups.get(columns) ?? []), row])
  }
  return [...groups.values()]
}

function decidedColumns(row: ChangeRow): Partial<ChangeRow> {
  const { id, number, state, landed, revised, version_after, reason, candidates, cause } = row
  return { id, number, state, landed, revised, version_after, reason, candidates, cause }
}

/** The account as it is shared, its fields always in one order. */
function accountText({ username, uid, groups, extra }: ChangeUser): string {
  return JSON.stringify({ username, ...(uid === undefined ? {} : { uid }), groups, extra })
}

/** Whole objects are compressed like each other, and so are diffs. */
function detailClass({ changes, object }: ChangeRecord): string {
  return changes.some(({ path }) => path === '') ? `whole ${bodyClass(object)}` : 'diff'
}

function bodyClass({ group, resource }: { readonly group: string; readonly resource: string }): string {
  return `${resource}.${group}`
}
