import { ageOf } from '../../src/core/lib/age.ts'
import type { Change, FieldChange } from '../../src/core/wire/change.ts'
import type { ServedObject, TableColumn } from '../kit/api/resource.ts'

type Column = Omit<TableColumn, 'cell'> & {
  readonly cell: (change: Change, now: number) => string | number
}

// A reader serves changes only.
const asChange = (object: ServedObject): Change => object as unknown as Change

/** So many fields are named in a cell; a count tells of the others. */
const NAMED_FIELDS = 2

/** What `kubectl get changes` shows. */
export const changeColumns: readonly TableColumn[] = columnsOf(({ object }) => objectCell(object))

/** What `kubectl get clusterchanges` shows: objects with their namespaces. */
export const clusterChangeColumns: readonly TableColumn[] = columnsOf(({ object }) =>
  object.namespace === '' ? objectCell(object) : `${object.namespace}/${objectCell(object)}`,
)

function columnsOf(objectOf: (change: Change) => string): readonly TableColumn[] {
  const columns: readonly Column[] = [
    {
      name: 'Name',
      type: 'string',
      format: 'name',
      priority: 0,
      description: 'What the change is asked for by; the audit log of the cluster carries it as annotation.',
      cell: ({ metadata }) => metadata?.name ?? '',
    },
    { name: 'Object', type: 'string', priority: 0, description: 'What was changed.', cell: objectOf },
    {
      name: 'Operation',
      type: 'string',
      priority: 0,
      description: 'CREATE, UPDATE, DELETE or CONNECT.',
      cell: ({ operation }) => operation,
    },
    {
      name: 'User',
      type: 'string',
      priority: 0,
      description: 'Who made it; ? where nobody knows.',
      cell: ({ user, candidates }) =>
        user?.username ?? (candidates ? candidates.map(({ username }) => username).join('|') : '?'),
    },
    {
      name: 'State',
      type: 'string',
      priority: 0,
      description: 'Whether it landed: confirmed where both witnesses saw it.',
      cell: ({ state }) => state,
    },
    {
      name: 'Age',
      type: 'string',
      priority: 0,
      description: 'How long ago it was made.',
      cell: ({ time }, now) => ageOf(Date.parse(time), now),
    },
    {
      name: 'Fields',
      type: 'string',
      priority: 1,
      description: 'Which fields changed.',
      cell: ({ changes }) => fieldsCell(changes),
    },
    {
      name: 'Manager',
      type: 'string',
      priority: 1,
      description: 'The field manager.',
      cell: ({ via }) => via.manager,
    },
    {
      name: 'Source',
      type: 'string',
      priority: 1,
      description: 'On whose behalf it was made, where a GitOps tool made it.',
      cell: ({ via }) => via.source,
    },
    { name: 'Time', type: 'string', priority: 1, description: 'When it was made.', cell: ({ time }) => time },
  ]
  return columns.map(({ cell, ...column }) => ({
    ...column,
    cell: (object: ServedObject, now: number) => cell(asChange(object), now),
  }))
}

function objectCell({ kind, name, subresource }: Change['object']): string {
  return `${kind}/${name}${subresource === '' ? '' : ` (${subresource})`}`
}

function fieldsCell(changes: readonly FieldChange[]): string {
  const paths = changes.map(({ path }) => path).filter((path) => path !== '')
  const named = paths.slice(0, NAMED_FIELDS).join(', ')
  return paths.length > NAMED_FIELDS ? `${named} and ${paths.length - NAMED_FIELDS} more` : named
}
