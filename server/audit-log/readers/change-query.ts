import type { ChangeState } from '../../../src/core/wire/change.ts'
import type { FieldRequirement, ListQuery } from '../../kit/api/resource.ts'
import type { ChangeQuery, NumberedChange } from '../store/audit-store.ts'
import { changeFields, LANDED, selectsState } from './selectable.ts'
import { type Sight, sees } from './visible-kinds.ts'

/** What the store is asked where a caller with this sight asks so. */
export function changeQuery(
  query: Pick<ListQuery, 'fields' | 'untilTime' | 'perObject'> & {
    readonly sinceTime?: number | undefined
    readonly since?: number | undefined
  },
  { namespace, namespaceUid, visible }: Sight,
): ChangeQuery {
  const { fields } = query
  return {
    namespace,
    namespaceUid,
    visible,
    fields: fields.filter(({ field }) => Object.hasOwn(changeFields, field)),
    states: selectsState(fields) ? [] : LANDED,
    since: query.sinceTime ?? query.since,
    until: query.untilTime,
    perObject: query.perObject,
  }
}

/** Whether a watch with this selector and this sight tells a change. */
export function wantedBy(
  fields: readonly FieldRequirement[],
  sight: Sight,
  cluster: boolean,
): (change: NumberedChange) => boolean {
  const landed: ReadonlySet<ChangeState> = new Set(LANDED)
  const anyState = selectsState(fields)
  return (change) =>
    (anyState || landed.has(change.state)) &&
    (cluster || change.object.namespace !== '') &&
    sees(sight, change.object)
}
