import { parsePath, type PathStep } from '../../../src/core/model/field-path.ts'
import type { Kysely } from '../../kit/store/query-builder.ts'
import type { PurgeFilter } from './audit-store.ts'
import type { AuditTables } from './audit-tables.ts'
import { detailOf } from './change-detail.ts'
import type { ChangeRows } from './change-rows.ts'
import type { RecordCodec } from './record-codec.ts'
import { removeValues, removeFrom } from './remove-values.ts'
import { type TableWrite, write } from './table-write.ts'

/** What a purge comes to. */
export interface PurgePlan {
  readonly writes: readonly TableWrite[]
  /** The highest number of the deleted changes, as distance from the base; undefined where none is deleted. */
  readonly deleted: number | undefined
  /** How many changes held something of it. */
  readonly changes: number
}

const AT_ONCE = 200

/** Finds all that is kept of an object, or of a field of it, and what is left when that is taken out. */
export async function planPurge(
  deps: { readonly db: Kysely<AuditTables>; readonly codec: RecordCodec; readonly rows: ChangeRows },
  filter: PurgeFilter,
): Promise<PurgePlan> {
  const { db } = deps
  const timelines = await db
    .selectFrom('timeline as t')
    .innerJoin('resource as r', 'r.id', 't.resource')
    .innerJoin('namespace as n', 'n.id', 't.namespace')
    .select('t.id')
    .where('t.name', '=', filter.name)
    .where('r.api_group', '=', filter.group)
    .where('r.plural', '=', filter.resource)
    .where('n.name', '=', filter.namespace)
    .execute()
  const ids = timelines.map(({ id }) => id)
  if (ids.length === 0) return { writes: [], deleted: undefined, changes: 0 }
  return filter.path === undefined ? wholePlan(db, ids) : fieldPlan(deps, ids, parsePath(filter.path))
}

async function wholePlan(db: Kysely<AuditTables>, timelines: readonly number[]): Promise<PurgePlan> {
  const changes = await db
    .selectFrom('change')
    .select(['id', 'number'])
    .where('timeline', 'in', timelines)
    .execute()
  const objects = await db.selectFrom('object').select('id').where('timeline', 'in', timelines).execute()
  const touches = await db
    .selectFrom('touch')
    .select(['object', 'path'])
    .where('object', 'in', [0, ...objects.map(({ id }) => id)])
    .execute()
  return {
    writes: [
      write(
        'delete',
        'change',
        changes.map(({ id }) => ({ id })),
      ),
      write('delete', 'touch', touches),
      // What exists stays known by its version and hash, by which the next change is joined.
      write(
        'update',
        'object',
        objects.map(({ id }) => ({ id, body: null })),
      ),
    ],
    deleted: changes.reduce<number | undefined>((last, { number }) => Math.max(last ?? 0, number), undefined),
    changes: changes.length,
  }
}

async function fieldPlan(
  {
    db,
    codec,
    rows,
  }: { readonly db: Kysely<AuditTables>; readonly codec: RecordCodec; readonly rows: ChangeRows },
  timelines: readonly number[],
  steps: readonly PathStep[],
): Promise<PurgePlan> {
  const ids = await db.selectFrom('change').select('id').where('timeline', 'in', timelines).execute()
  const details: { id: number; detail: Uint8Array; paths: number }[] = []
  for (let from = 0; from < ids.length; from += AT_ONCE) {
    const joined = await rows.joined(ids.slice(from, from + AT_ONCE).map(({ id }) => id))
    const changes = await rows.changes(joined)
    for (const [i, change] of changes.entries()) {
      const id = joined[i]?.id
      const purged = change.changes.map((field) => removeValues(field, steps))
      if (id === undefined || purged.every((field, place) => field === change.changes[place])) continue
      const detail = codec.encode(detailOf({ ...change, changes: purged }, false), 'diff')
      details.push({ id, detail, paths: 0 })
    }
  }
  const objects = await db
    .selectFrom('object')
    .select(['id', 'body'])
    .where('timeline', 'in', timelines)
    .where('body', 'is not', null)
    .execute()
  await rows.needDictionaries(objects.flatMap(({ body }) => (body ? [body] : [])))
  const bodies: { id: number; body: Uint8Array }[] = []
  for (const { id, body } of objects) {
    const value = body === null ? undefined : codec.decode(body)
    const purged = removeFrom(value, steps)
    if (purged !== value) bodies.push({ id, body: codec.encode(purged, 'purged') })
  }
  return {
    writes: [write('update', 'change', details), write('update', 'object', bodies)],
    deleted: undefined,
    changes: details.length,
  }
}
