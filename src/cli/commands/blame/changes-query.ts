import type { ChangesQuery } from '../../features/blame/ports.ts'
import type { Selection } from '../../features/blame/select.ts'
import type { Target } from './targets.ts'

type FieldTerm = ChangesQuery['fields'][number]

/** What is asked of the companion, and whether its answers must be looked through for the rest of what was meant. */
export interface PlannedQueries {
  /** Each a list of its own; together they hold all that is meant, no change twice. */
  readonly queries: readonly ChangesQuery[]
  /** The companion's fields say less than the filters. */
  readonly selects: boolean
}

/** The questions for the changes of some objects, or of everything where there is no target. */
export function planQueries(
  target: Pick<Target, 'type' | 'namespace'> | undefined,
  name: string | undefined,
  filters: Selection,
  {
    namespace,
    perObject,
  }: { readonly namespace: string | undefined; readonly perObject: number | undefined },
): PlannedQueries {
  const { users, groups, managers, tools, operations, states, fields, manual, since, until } = filters
  const selects =
    groups.length > 0 ||
    fields.length > 0 ||
    [users, managers, tools, operations].some((values) => values.length > 1)
  const common: FieldTerm[] = [
    ...(target
      ? [equals('object.group', target.type.group), equals('object.resource', target.type.resource)]
      : []),
    ...(name === undefined ? [] : [equals('object.name', name)]),
    ...onlyOne('user.username', users),
    ...onlyOne('via.manager', managers),
    ...onlyOne('via.tool', tools),
    ...onlyOne('operation', operations),
    ...(manual ? [equals('via.manual', 'true')] : []),
  ]
  const query = (state: readonly FieldTerm[]): ChangesQuery => ({
    namespace,
    fields: [...common, ...state],
    since,
    until,
    // What is left out here would be cut away there in its favour.
    perObject: selects ? undefined : perObject,
  })
  // Some states are told only to those who name them, and a selector names one.
  const queries = states.length === 0 ? [query([])] : states.map((state) => query([equals('state', state)]))
  return { queries, selects }
}

function equals(field: string, value: string): FieldTerm {
  return { field, operator: '=', value }
}

/** Any of several values is no term of a field selector. */
function onlyOne(field: string, values: readonly string[]): FieldTerm[] {
  const [value] = values
  return value === undefined || values.length > 1 ? [] : [equals(field, value)]
}
