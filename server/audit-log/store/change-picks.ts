import { type RawBuilder, sql } from '../../kit/store/query-builder.ts'
import type { ChangeFilter, IndexValues } from './change-filter.ts'

/** A row that is on a page. */
export interface PickedRow {
  readonly id: number
  readonly time: number
}

/**
 * The newest of one part. Where only some of each object are wanted, and the part is not one object, a condition leaves
 * out what has enough newer ones beside it.
 */
export function picks(
  filter: ChangeFilter,
  part: IndexValues,
  perObject: number | undefined,
  limit: number,
  behind: PickedRow | undefined,
): RawBuilder<unknown> {
  const conditions = conditionsOf(filter, part, 'c')
  const isBehind = (row: string): RawBuilder<boolean>[] =>
    behind
      ? [sql<boolean>`(${sql.ref(`${row}.time`)}, ${sql.ref(`${row}.id`)}) < (${behind.time}, ${behind.id})`]
      : []
  if (perObject !== undefined && part.timeline !== undefined) {
    return sql`select * from (
      select c.id, c.time from change as c where ${allOf(conditions)}
      order by c.time desc, c.id desc limit ${perObject}
    ) as part where ${allOf(isBehind('part'))}`
  }
  if (perObject !== undefined) {
    const newer = [
      sql<boolean>`b.timeline = c.timeline`,
      sql<boolean>`(b.time, b.id) > (c.time, c.id)`,
      ...newerConditions(filter, part),
    ]
    conditions.push(sql<boolean>`(
      select 1 from change as b where ${allOf(newer)} order by b.time, b.id limit 1 offset ${perObject - 1}
    ) is null`)
  }
  return sql`select * from (
    select c.id, c.time from change as c where ${allOf([...conditions, ...isBehind('c')])}
    order by c.time desc, c.id desc limit ${limit}
  ) as part`
}

/** What a row of one part must be. */
export function conditionsOf(filter: ChangeFilter, part: IndexValues, row: string): RawBuilder<boolean>[] {
  const { since, until, landed } = filter
  return [
    ...Object.entries(part).map(([column, value]) => equal(row, column, value)),
    ...(landed && part.landed === undefined ? [sql<boolean>`+${sql.ref(`${row}.landed`)} = 1`] : []),
    ...(since === undefined ? [] : [sql<boolean>`${sql.ref(`${row}.time`)} >= ${since}`]),
    ...(until === undefined ? [] : [sql<boolean>`${sql.ref(`${row}.time`)} <= ${until}`]),
    ...filter.conditions.map((condition) => condition(row)),
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
