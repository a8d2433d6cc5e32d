import { setImmediate } from 'node:timers/promises'
import { type Kysely, type RawBuilder, sql } from '../../kit/store/query-builder.ts'
import type { AuditTables } from './audit-tables.ts'
import type { ChangeFilter, IndexValues } from './change-filter.ts'

/** A row that is on a page. */
interface PickedRow {
  readonly id: number
  readonly time: number
}

/** Part of an answer's order: behind one row, and up to another. */
interface Window {
  readonly behind: PickedRow | undefined
  readonly upTo: PickedRow | undefined
}

/** So many parts of an answer are read by one statement. */
const PARTS_AT_ONCE = 50
/** So many rows are looked at by one statement at first, and at most. */
const FIRST_LOOK = 1000
const MOST_LOOK = 16_000

/**
 * The newest rows of an answer, at most `limit`, behind a row. However many must be looked at to find them, others get
 * their turn in between: a statement of SQLite holds its thread.
 */
export async function pickRows(
  db: Kysely<AuditTables>,
  filter: ChangeFilter,
  perObject: number | undefined,
  limit: number,
  behind: PickedRow | undefined,
): Promise<PickedRow[]> {
  const picked: PickedRow[] = []
  const objects = filter.parts.filter(({ timeline }) => timeline !== undefined)
  for (let from = 0; from < objects.length; from += PARTS_AT_ONCE) {
    const parts = objects
      .slice(from, from + PARTS_AT_ONCE)
      .map((part) => ofObject(filter, part, Math.min(limit, perObject ?? limit), behind))
    const { rows } = await sql<PickedRow>`
      select id, time from (${sql.join(parts, sql` union all `)}) as parts
      order by time desc, id desc limit ${limit}
    `.execute(db)
    picked.push(...rows)
    await setImmediate()
  }
  for (const part of filter.parts)
    if (part.timeline === undefined)
      picked.push(...(await pickPart(db, filter, part, perObject, limit, behind)))
  return picked.toSorted((a, b) => b.time - a.time || b.id - a.id).slice(0, limit)
}

/** An object has few rows: its newest, and of them what is behind the row. */
function ofObject(
  filter: ChangeFilter,
  part: IndexValues,
  limit: number,
  behind: PickedRow | undefined,
): RawBuilder<unknown> {
  return sql`select * from (
    select c.id, c.time from change as c where ${allOf(conditionsOf(filter, part, 'c'))}
    order by c.time desc, c.id desc limit ${limit}
  ) as part where ${allOf(inWindow('part', { behind, upTo: undefined }))}`
}

async function pickPart(
  db: Kysely<AuditTables>,
  filter: ChangeFilter,
  part: IndexValues,
  perObject: number | undefined,
  limit: number,
  behind: PickedRow | undefined,
): Promise<PickedRow[]> {
  const picked: PickedRow[] = []
  const conditions = conditionsOf(filter, part, 'c')
  if (perObject !== undefined) conditions.push(hasFewNewer(filter, part, perObject))
  const ofIndex = allOf([...indexConditions(filter, part, 'c')])
  let from = behind
  for (let look = FIRST_LOOK; ; look = Math.min(MOST_LOOK, look * 4)) {
    const { rows: edges } = await sql<PickedRow>`
      select c.id, c.time from change as c
      where ${allOf([ofIndex, ...inWindow('c', { behind: from, upTo: undefined })])}
      order by c.time desc, c.id desc limit 1 offset ${look}
    `.execute(db)
    const window = { behind: from, upTo: edges[0] }
    const { rows } = await sql<PickedRow>`
      select c.id, c.time from change as c where ${allOf([...conditions, ...inWindow('c', window)])}
      order by c.time desc, c.id desc limit ${limit - picked.length}
    `.execute(db)
    picked.push(...rows)
    if (picked.length >= limit || !window.upTo) return picked
    from = window.upTo
    await setImmediate()
  }
}

function inWindow(row: string, { behind, upTo }: Window): RawBuilder<boolean>[] {
  const place = sql`(${sql.ref(`${row}.time`)}, ${sql.ref(`${row}.id`)})`
  return [
    ...(behind ? [sql<boolean>`${place} < (${behind.time}, ${behind.id})`] : []),
    ...(upTo ? [sql<boolean>`${place} >= (${upTo.time}, ${upTo.id})`] : []),
  ]
}

/** Whether there are not as many newer ones of the same object that fit too. */
function hasFewNewer(filter: ChangeFilter, part: IndexValues, perObject: number): RawBuilder<boolean> {
  const newer = [
    sql<boolean>`b.timeline = c.timeline`,
    sql<boolean>`(b.time, b.id) > (c.time, c.id)`,
    ...newerConditions(filter, part),
  ]
  return sql<boolean>`(
    select 1 from change as b where ${allOf(newer)} order by b.time, b.id limit 1 offset ${perObject - 1}
  ) is null`
}

/** What a row of one part must be. */
export function conditionsOf(filter: ChangeFilter, part: IndexValues, row: string): RawBuilder<boolean>[] {
  const { landed } = filter
  return [
    ...indexConditions(filter, part, row),
    ...(landed && part.landed === undefined ? [sql<boolean>`+${sql.ref(`${row}.landed`)} = 1`] : []),
    ...filter.conditions.map((condition) => condition(row)),
  ]
}

/** What the index of a part finds by itself. */
function indexConditions(
  { since, until }: ChangeFilter,
  part: IndexValues,
  row: string,
): RawBuilder<boolean>[] {
  return [
    ...Object.entries(part).map(([column, value]) => equal(row, column, value)),
    ...(since === undefined ? [] : [sql<boolean>`${sql.ref(`${row}.time`)} >= ${since}`]),
    ...(until === undefined ? [] : [sql<boolean>`${sql.ref(`${row}.time`)} <= ${until}`]),
  ]
}

/** What a newer change of the same timeline must be to count: read by the timeline's index, whatever the outer one is. */
function newerConditions(filter: ChangeFilter, part: IndexValues): RawBuilder<boolean>[] {
  const { until, landed } = filter
  return [
    landed ? sql<boolean>`b.landed = 1` : sql<boolean>`b.landed in (0, 1)`,
    ...Object.entries(part)
      .filter(([column]) => column !== 'timeline' && column !== 'landed')
      .map(([column, value]) => sql<boolean>`+${sql.ref(`b.${column}`)} = ${value}`),
    ...(until === undefined ? [] : [sql<boolean>`+b.time <= ${until}`]),
    ...filter.conditions.map((condition) => condition('b')),
  ]
}

// As literals where an index has only the rows with that value.
function equal(row: string, column: string, value: number): RawBuilder<boolean> {
  const ref = sql.ref(`${row}.${column}`)
  return column === 'actor' ? sql<boolean>`${ref} = ${sql.lit(value)}` : sql<boolean>`${ref} = ${value}`
}

/** All of them; true where there are none. */
export function allOf(conditions: readonly RawBuilder<boolean>[]): RawBuilder<boolean> {
  return conditions.length === 0 ? sql<boolean>`1 = 1` : sql<boolean>`${sql.join(conditions, sql` and `)}`
}
