import { type Kysely, type RawBuilder, sql } from '../../kit/store/query-builder.ts'
import type { AuditTables } from './audit-tables.ts'
import { TERM_CLASSES } from './audit-tables.ts'
import type { ChangeQuery } from './audit-store.ts'
import { ACTORS, OPERATIONS, STATES } from './change-codes.ts'
import type { Interned } from './interned.ts'

/** One condition on a row of `change`, by the name that the row has in a query. */
export type RowCondition = (row: string) => RawBuilder<boolean>

/** By which index a part of the answer is read: each of these columns has one value. */
export type IndexValues = Readonly<Partial<Record<IndexColumn, number>>>

type IndexColumn = 'namespace' | 'kind' | 'timeline' | 'username' | 'actor' | 'landed'

/** A query as the tables can answer it. */
export interface ChangeFilter {
  /** The answer is all of these together, and none of it twice; none where nothing can fit. */
  readonly parts: readonly IndexValues[]
  /** Only what landed. */
  readonly landed: boolean
  readonly conditions: readonly RowCondition[]
  readonly since: number | undefined
  readonly until: number | undefined
}

/** A query is answered from so many places of an index at most; with more, rows are looked at one by one. */
const MOST_PARTS = 12

/** With more objects than this, changes are looked at from the newest on. */
const MOST_OBJECTS = 1000

type Operator = '=' | '!='

/** Finds out what the words of a query stand for, and by which index it is answered best. */
export async function changeFilter(
  db: Kysely<AuditTables>,
  interned: Interned,
  query: ChangeQuery,
): Promise<ChangeFilter> {
  const found: Found = { conditions: [], landed: landedOnly(query) }
  const { since, until } = query
  const nothing: ChangeFilter = { parts: [], landed: found.landed, conditions: [], since, until }
  if (query.states.length > 0) {
    found.conditions.push(
      isIn(
        'state',
        query.states.map((state) => STATES.code(state)),
      ),
    )
  }
  await findNamespaces(db, query, found)
  await findKinds(db, query, found)
  await findTimelines(db, query, found)
  if (query.perObject !== undefined && !found.timelines) await findObjects(db, found)
  for (const { field, operator, value } of query.fields) {
    await addField(db, interned, found, field, operator, value)
  }
  const sets = [found.namespaces, found.kinds, found.timelines]
  if (found.never || sets.some((ids) => ids?.length === 0)) return nothing
  const parts = partsOf(found, query.perObject !== undefined)
  const used = new Set(parts.flatMap((part) => Object.keys(part)))
  const rest: RowCondition[] = []
  for (const [column, ids] of [
    ['namespace', found.namespaces],
    ['kind', found.kinds],
    ['timeline', found.timelines],
    ['username', one(found.username)],
    ['actor', one(found.actor)],
  ] as const) {
    if (ids && !used.has(column)) rest.push(isIn(column, ids))
  }
  return { ...nothing, parts, conditions: [...rest, ...found.conditions] }
}

interface Found {
  namespaces?: readonly number[]
  kinds?: readonly number[]
  timelines?: readonly number[]
  username?: number
  actor?: number
  never?: boolean
  readonly landed: boolean
  readonly conditions: RowCondition[]
}

function one(value: number | undefined): readonly number[] | undefined {
  return value === undefined ? undefined : [value]
}

function landedOnly({ states, fields }: ChangeQuery): boolean {
  return states.length === 0 && !fields.some(({ field }) => field === 'state')
}

/** The first index of these that fits: the one that is likely to leave the fewest rows to look at. */
function partsOf(
  { namespaces, kinds, timelines, username, actor, landed }: Found,
  byObject: boolean,
): IndexValues[] {
  if (timelines && byObject)
    return timelines.map((timeline) => ({ timeline, ...(landed ? { landed: 1 } : {}) }))
  const few = (ids: readonly number[] | undefined, times = 1): ids is readonly number[] =>
    ids !== undefined && ids.length * times <= MOST_PARTS
  if (few(timelines) && landed) return timelines.map((timeline) => ({ timeline, landed: 1 }))
  if (few(timelines, 2)) {
    return timelines.flatMap((timeline) => [
      { timeline, landed: 0 },
      { timeline, landed: 1 },
    ])
  }
  if (username !== undefined) return [{ username }]
  if (few(namespaces) && few(kinds, namespaces.length))
    return namespaces.flatMap((namespace) => kinds.map((kind) => ({ namespace, kind })))
  if (actor === ACTORS.code('person')) {
    return few(namespaces) ? namespaces.map((namespace) => ({ namespace, actor })) : [{ actor }]
  }
  if (few(namespaces)) return namespaces.map((namespace) => ({ namespace }))
  if (few(kinds)) return kinds.map((kind) => ({ kind }))
  return [{}]
}

// A plus sign before a column: no index is used by it. SQLite has no statistics here and would choose wrongly.
function isIn(column: string, ids: readonly number[], not = false): RowCondition {
  return (row) =>
    ids.length === 0
      ? sql<boolean>`${sql.lit(1)} = ${sql.lit(not ? 1 : 0)}`
      : sql<boolean>`+${sql.ref(`${row}.${column}`)} ${sql.raw(not ? 'not in' : 'in')} (${sql.join(ids)})`
}

async function findNamespaces(db: Kysely<AuditTables>, query: ChangeQuery, found: Found): Promise<void> {
  const { namespace, namespaceUid, fields } = query
  const asked = fields.filter(({ field }) => field === 'metadata.namespace')
  if (namespace === undefined && namespaceUid === undefined && asked.length === 0) return
  let select = db.selectFrom('namespace').select('id')
  if (namespace !== undefined) select = select.where('name', '=', namespace)
  if (namespaceUid !== undefined) select = select.where('uid', '=', namespaceUid)
  for (const { operator, value } of asked) select = select.where('name', operator, value)
  found.namespaces = (await select.execute()).map(({ id }) => id)
}

const KIND_FIELDS: Readonly<Record<string, 'api_group' | 'plural' | 'subresource' | 'kind.kind'>> = {
  'object.group': 'api_group',
  'object.resource': 'plural',
  'object.subresource': 'subresource',
  'object.kind': 'kind.kind',
}

async function findKinds(
  db: Kysely<AuditTables>,
  { visible, fields }: ChangeQuery,
  found: Found,
): Promise<void> {
  const asked = fields.filter(({ field }) => Object.hasOwn(KIND_FIELDS, field))
  if (visible === 'all' && asked.length === 0) return
  let select = db
    .selectFrom('kind')
    .innerJoin('resource', 'resource.id', 'kind.resource')
    .select(['kind.id', 'api_group', 'plural'])
  for (const { field, operator, value } of asked) {
    const column = KIND_FIELDS[field]
    if (column) select = select.where(column, operator, value)
  }
  const rows = await select.execute()
  const seen =
    visible === 'all' ? undefined : new Set(visible.map(({ group, resource }) => `${group}/${resource}`))
  found.kinds = rows.filter((row) => !seen || seen.has(`${row.api_group}/${row.plural}`)).map(({ id }) => id)
}

/** Of one name, or of one object. */
async function findTimelines(db: Kysely<AuditTables>, { fields }: ChangeQuery, found: Found): Promise<void> {
  const names = fields.filter(({ field, operator }) => field === 'object.name' && operator === '=')
  const uids = fields.filter(({ field, operator }) => field === 'object.uid' && operator === '=')
  if (names.length === 0 && uids.length === 0) return
  let select = db.selectFrom('timeline').select('timeline.id')
  for (const { value } of names) select = select.where('name', '=', value)
  for (const { value } of uids) {
    select = select.where('timeline.id', 'in', (inner) =>
      inner.selectFrom('object').select('object.timeline').where('uid', '=', value),
    )
  }
  if (found.namespaces) select = select.where('namespace', 'in', [-1, ...found.namespaces])
  found.timelines = (await select.execute()).map(({ id }) => id)
}

/** Where some of each object are wanted: which objects there are, unless there are too many. */
async function findObjects(db: Kysely<AuditTables>, found: Found): Promise<void> {
  if (!found.namespaces && !found.kinds) return
  let select = db.selectFrom('timeline').select('id')
  if (found.namespaces) select = select.where('namespace', 'in', [-1, ...found.namespaces])
  if (found.kinds) {
    const kinds = [-1, ...found.kinds]
    select = select.where('resource', 'in', (inner) =>
      inner.selectFrom('kind').select('kind.resource').where('kind.id', 'in', kinds),
    )
  }
  const rows = await select.limit(MOST_OBJECTS + 1).execute()
  if (rows.length <= MOST_OBJECTS) found.timelines = rows.map(({ id }) => id)
}

async function addField(
  db: Kysely<AuditTables>,
  interned: Interned,
  found: Found,
  field: string,
  operator: Operator,
  value: string,
): Promise<void> {
  const not = operator === '!='
  const coded = (column: string, code: number | undefined): void => {
    if (code !== undefined) found.conditions.push(isIn(column, [code], not))
    else if (!not) found.never = true
  }
  switch (field) {
    case 'metadata.namespace':
    case 'object.group':
    case 'object.resource':
    case 'object.subresource':
    case 'object.kind':
      return
    case 'metadata.name': {
      const [, writer, seq] = /^(\d{1,10})-(\d{1,15})$/.exec(value) ?? []
      const row = writer === undefined ? undefined : await findWriter(db, Number(writer))
      return coded('id', row === undefined || seq === undefined ? undefined : packId(row, Number(seq)))
    }
    case 'operation':
      return coded('operation', OPERATIONS.find(value))
    case 'state':
      return coded('state', STATES.find(value))
    case 'actor':
      if (not || found.actor !== undefined) return coded('actor', ACTORS.find(value))
      found.actor = ACTORS.find(value) ?? -1
      return
    case 'user.username': {
      const id = value === '' ? 0 : await interned.find('term', { class: TERM_CLASSES.username, text: value })
      if (not || found.username !== undefined) return coded('username', id)
      found.username = id ?? -1
      return
    }
    case 'object.name':
      if (not) found.conditions.push(notIn('timeline', 'timeline', 'name', value))
      return
    case 'object.uid':
      found.conditions.push(
        not
          ? notIn('object', 'object', 'uid', value)
          : (row) =>
              sql<boolean>`${sql.ref(`${row}.object`)} in (select id from object where uid = ${value})`,
      )
      return
    case 'via.manager':
    case 'via.tool':
    case 'via.manual': {
      const column = field.slice('via.'.length) as 'manager' | 'tool' | 'manual'
      const wanted = column === 'manual' ? MANUAL[value] : value
      if (wanted === undefined) return coded('via', undefined)
      const rows = await db.selectFrom('via').select('id').where(column, '=', wanted).execute()
      found.conditions.push(
        isIn(
          'via',
          rows.map(({ id }) => id),
          not,
        ),
      )
      return
    }
    default:
      throw new RangeError(`changes cannot be selected by "${field}"`)
  }
}

const MANUAL: Readonly<Record<string, number>> = { true: 1, false: 0 }

function notIn(column: string, table: 'timeline' | 'object', named: string, value: string): RowCondition {
  return (row) =>
    sql<boolean>`${sql.ref(`${row}.${column}`)} not in (select id from ${sql.table(table)} where ${sql.ref(named)} = ${value})`
}

/** The row of a writer; undefined where it is not known. */
export async function findWriter(db: Kysely<AuditTables>, writer: number): Promise<number | undefined> {
  const row = await db.selectFrom('writer').select('id').where('writer', '=', writer).executeTakeFirst()
  return row?.id
}

const SEQ_LIMIT = 2 ** 36

/** A change's id in the tables. Throws a RangeError where the seq is larger than any journal's. */
export function packId(writerRow: number, seq: number): number {
  if (!Number.isSafeInteger(seq) || seq < 0 || seq >= SEQ_LIMIT)
    throw new RangeError(`${seq} is no seq of a change`)
  return writerRow * SEQ_LIMIT + seq
}

/** The writer's row and the seq of a change's id in the tables. */
export function unpackId(id: number): { readonly row: number; readonly seq: number } {
  return { row: Math.floor(id / SEQ_LIMIT), seq: id % SEQ_LIMIT }
}
