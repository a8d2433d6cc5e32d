import type { Kysely } from '../../kit/store/query-builder.ts'
import { resourceKey } from '../resource-key.ts'
import type { ChangeRecord, ChangeDecision, KnownObject, RecordBatch } from './audit-store.ts'
import { type AuditTables, type ChangeRow, type ObjectRow, type WriterRow } from './audit-tables.ts'
import { ACTORS, hasLanded, mayBeDecided, OPERATIONS, STATES } from './change-codes.ts'
import { detailOf } from './change-detail.ts'
import { packId } from './change-filter.ts'
import type { ChangeRows } from './change-rows.ts'
import type { Interned } from './interned.ts'
import { detailClass } from './record-class.ts'
import type { RecordCodec } from './record-codec.ts'
import { nameObjects, nameRecords, NO_POSITION, type RecordNames } from './record-names.ts'
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

const AT_ONCE = 400

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
  /** It was visible before this batch. */
  readonly wasVisible: boolean
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
    const fresh = new Map<number, ChangeRecord>()
    const again = new Map<number, ChangeRecord>()
    for (const [i, record] of records.entries()) {
      const id = ids[i] ?? 0
      if (there.has(id)) again.set(id, record)
      else if (!fresh.has(id)) fresh.set(id, record)
    }
    const named = await nameRecords(interned, [...fresh.values()])
    for (const [i, [id, record]] of [...fresh].entries()) {
      const names = named[i]
      if (names) this.#addRow(id, record, names)
    }
    await this.#decideAgain(again)
  }

  /** What a restart reads again may be decided in the same round: the row that waited for that waits no more. */
  async #decideAgain(again: ReadonlyMap<number, ChangeRecord>): Promise<void> {
    const decided = new Map([...again].filter(([, { state }]) => state !== 'pending'))
    await this.#loadChanges([...decided.keys()])
    for (const [id, record] of decided) {
      const there = this.#changes.get(id)
      if (there && mayBeDecided(STATES.word(there.row.state)))
        await this.#decideRow(there, decisionOf(record))
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
    this.#changes.set(id, { row, isNew: true, wasVisible: false, changed: false, record })
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
      revised: Number(pending.wasVisible && landed === 1),
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
    const { codec, interned } = this.#deps
    const names = await nameObjects(
      interned,
      known.map(({ object }) => ({ ...object, subresource: '' })),
    )
    for (const [i, { object, resourceVersion, hash, body, gone = false }] of known.entries()) {
      const id = names[i]?.object ?? 0
      const kind = names[i]?.kind ?? 0
      const seen = { id, kind, resource_version: resourceVersion, content_hash: hash, gone: Number(gone) }
      if (body !== undefined) this.#setObject({ ...seen, body: codec.encode(body, resourceKey(object)) })
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
        this.#changes.set(row.id, {
          row,
          isNew: false,
          wasVisible: row.landed === 1,
          changed: false,
          record: undefined,
        })
    }
  }

  /** What touches need to know of a change that was kept before. */
  async #readRow(row: ChangeRow): Promise<Pick<ChangeRecord, 'changes' | 'object' | 'operation'>> {
    const { rows } = this.#deps
    const [change] = await rows.changes(await rows.joined([row.id]))
    if (!change) throw new RangeError(`change ${row.id} is not there any more`)
    return change
  }
}

/** What a record says beyond what was pending. */
function decisionOf({ id, state, reason, object, candidates, cause }: ChangeRecord): ChangeDecision {
  const { after } = object.resourceVersion
  return {
    id,
    state,
    reason,
    ...(after === '' ? {} : { resourceVersionAfter: after }),
    ...(candidates ? { candidates } : {}),
    ...(cause ? { cause } : {}),
  }
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
