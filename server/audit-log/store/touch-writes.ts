import type { Kysely } from '../../kit/store/query-builder.ts'
import type { FieldChange } from '../../../src/core/wire/change.ts'
import { type AuditTables, type ChangeRow, TERM_CLASSES, type TouchRow } from './audit-tables.ts'
import { type FieldTouchMark, touchFields } from './field-touches.ts'
import type { Interned } from './interned.ts'
import { type TableWrite, write } from './table-write.ts'

/** A change that landed, or was found out more about, with its fields. */
export interface LandedChange {
  readonly row: ChangeRow
  readonly changes: readonly FieldChange[]
}

type Stamp = Pick<ChangeRow, 'id' | 'operation' | 'state' | 'username' | 'via'>
type Mark = FieldTouchMark<Stamp>

const AT_ONCE = 400

/** What changes that landed, and such that turned out not to have, do to the touches of their objects. */
export async function touchWrites(
  deps: { readonly db: Kysely<AuditTables>; readonly interned: Interned },
  landed: readonly LandedChange[],
  unlanded: readonly { readonly object: number; readonly change: number }[],
): Promise<readonly TableWrite[]> {
  const marks = await loadMarks(deps.db, [
    ...landed.map(({ row }) => row.object),
    ...unlanded.map(({ object }) => object),
  ])
  const put = new Map<string, { readonly object: number; readonly mark: Mark }>()
  const drop = new Map<string, { readonly object: number; readonly path: string }>()
  const dropPath = (object: number, path: string): void => {
    put.delete(`${object} ${path}`)
    drop.set(`${object} ${path}`, { object, path })
  }
  for (const { object, change } of unlanded) {
    const of = marks.get(object)
    for (const mark of of?.values() ?? []) {
      if (mark.stamp.id !== change) continue
      of?.delete(mark.path)
      dropPath(object, mark.path)
    }
  }
  for (const { row, changes } of landed) {
    const of = marks.get(row.object) ?? new Map<string, Mark>()
    marks.set(row.object, of)
    const { object, time } = row
    const by = { rank: rankOf(row.version_before), time, stamp: row }
    // What is found out later about a change that was taken for landed before says nothing new of its fields.
    const step = row.revised === 1 ? { put: restamped(of, row), drop: [] } : touchFields(of, changes, by)
    for (const path of step.drop) dropPath(object, path)
    for (const mark of step.put) {
      drop.delete(`${object} ${mark.path}`)
      put.set(`${object} ${mark.path}`, { object, mark })
    }
  }
  const paths = [...put.values(), ...drop.values()].map((one) => ('mark' in one ? one.mark.path : one.path))
  const ids = await deps.interned.ids(
    'term',
    paths.map((text) => ({ class: TERM_CLASSES.path, text })),
  )
  const idOf = new Map(paths.map((path, i) => [path, ids[i] ?? 0]))
  return [
    write(
      'delete',
      'touch',
      [...drop.values()].map(({ object, path }) => ({ object, path: idOf.get(path) ?? 0 })),
    ),
    write(
      'put',
      'touch',
      [...put.values()].map(({ object, mark }) => touchRow(object, mark, idOf.get(mark.path) ?? 0)),
    ),
  ]
}

function restamped(of: Map<string, Mark>, row: ChangeRow): readonly Mark[] {
  const marks = [...of.values()]
    .filter(({ stamp }) => stamp.id === row.id)
    .map((mark) => ({ ...mark, stamp: row }))
  for (const mark of marks) of.set(mark.path, mark)
  return marks
}

function touchRow(object: number, { rank, time, removed, stamp }: Mark, path: number): TouchRow {
  const { id, operation, state, username, via } = stamp
  return {
    object,
    path,
    change: id,
    time,
    operation,
    state,
    username,
    via,
    version_rank: rank,
    removed: Number(removed),
  }
}

/** The order of an object's changes: each was made of the version before it, and a CREATE of none. */
function rankOf(versionBefore: string): number {
  const rank = Number(versionBefore)
  return Number.isSafeInteger(rank) && rank > 0 ? rank : 0
}

async function loadMarks(
  db: Kysely<AuditTables>,
  objects: readonly number[],
): Promise<Map<number, Map<string, Mark>>> {
  const marks = new Map<number, Map<string, Mark>>()
  const wanted = [...new Set(objects)]
  for (let from = 0; from < wanted.length; from += AT_ONCE) {
    const rows = await db
      .selectFrom('touch as x')
      .innerJoin('term as p', 'p.id', 'x.path')
      .selectAll('x')
      .select('p.text')
      .where('x.object', 'in', wanted.slice(from, from + AT_ONCE))
      .execute()
    for (const { object, text, change, time, version_rank, removed, ...stamp } of rows) {
      const of = marks.get(object) ?? new Map<string, Mark>()
      marks.set(object, of)
      of.set(text, {
        path: text,
        rank: version_rank,
        time,
        removed: removed === 1,
        stamp: { ...stamp, id: change },
      })
    }
  }
  return marks
}
