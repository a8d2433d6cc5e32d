import { type Clock, rfc3339Seconds } from '../../../src/core/lib/time.ts'
import type { ChangeListExtra, FieldTouch } from '../../../src/core/wire/change.ts'
import type { ListQuery } from '../../kit/api/resource.ts'
import { changeName } from '../change-name.ts'
import type { ChangeQuery, StoredTouch } from '../store/audit-store.ts'
import type { ChangeSource, ReadableState } from './change-source.ts'
import { unrecordedIn } from './list-warnings.ts'
import { LANDED } from './selectable.ts'

/** What a list tells beside its items; `asked` is the query as the store is asked. */
export async function listExtra(
  query: ListQuery,
  asked: ChangeQuery,
  {
    source,
    clock,
    state,
  }: { readonly source: ChangeSource; readonly clock: Clock; readonly state: ReadableState },
): Promise<ChangeListExtra> {
  const now = clock.now()
  const gaps = await source.gaps(query.sinceTime ?? state.store.begins, query.untilTime ?? now)
  const one = query.continue === '' ? oneObject(query, asked, state) : undefined
  const [touched, kept] =
    one === undefined
      ? [undefined, undefined]
      : await Promise.all([source.touched(one), source.count(allOfObject(asked))])
  return {
    recordingSince: rfc3339Seconds(state.store.begins),
    gaps: gaps
      .toSorted((a, b) => b.from - a.from)
      .map(({ from, to, reason }) => ({
        from: rfc3339Seconds(from),
        ...(to === undefined ? {} : { to: rfc3339Seconds(to) }),
        reason,
      })),
    ...(touched ? { touched: touched.map(servedTouch) } : {}),
    ...(kept === undefined ? {} : { kept }),
    ...(unrecordedIn(query.fields, state) === undefined ? {} : { unrecorded: true }),
  }
}

/** What names an object; any other term chooses among its changes. */
const OBJECT_TERMS: ReadonlySet<string> = new Set([
  'metadata.namespace',
  'object.group',
  'object.resource',
  'object.kind',
  'object.name',
  'object.uid',
])

/** All changes of the object that a query names and that may be seen, whichever of them it asks for. */
function allOfObject(asked: ChangeQuery): ChangeQuery {
  const fields = asked.fields.filter(({ field }) => OBJECT_TERMS.has(field))
  return { ...asked, fields, states: LANDED, since: undefined, until: undefined, perObject: undefined }
}

/** The one object that a field selector names, of a kind that may be seen; its group may be left out where one has it. */
function oneObject(
  { namespace, fields }: ListQuery,
  { visible, namespaceUid }: ChangeQuery,
  { kinds }: ReadableState,
): Parameters<ChangeSource['touched']>[0] | undefined {
  const value = (name: string): string | undefined =>
    fields.find(({ field, operator }) => field === name && operator === '=')?.value
  const [resource, name, asked] = [value('object.resource'), value('object.name'), value('object.group')]
  if (resource === undefined || name === undefined) return undefined
  const served = (visible === 'all' ? kinds : visible).filter((kind) => kind.resource === resource)
  const groups = visible === 'all' && asked !== undefined ? [asked] : served.map((kind) => kind.group)
  const [group, another] = groups.filter((each) => asked === undefined || each === asked)
  if (group === undefined || another !== undefined) return undefined
  const uid = value('object.uid')
  return {
    group,
    resource,
    namespace: namespace ?? value('metadata.namespace') ?? '',
    name,
    ...(namespaceUid === undefined ? {} : { namespaceUid }),
    ...(uid === undefined ? {} : { uid }),
  }
}

function servedTouch({ id, time, ...touch }: StoredTouch): FieldTouch {
  return { ...touch, change: changeName(id), time: new Date(time).toISOString() }
}
