import type { ResourceReader, ServedResource } from '../kit/api/resource.ts'
import { changeColumns, clusterChangeColumns } from './columns.ts'
import { changeFields } from './readers/selectable.ts'
import { changeSchemas } from './schemas.ts'

/** The plurals of the resources that the audit log serves. */
export const AUDIT_LOG_PLURALS = ['changes', 'clusterchanges'] as const

/** One of AUDIT_LOG_PLURALS. */
export type AuditLogPlural = (typeof AUDIT_LOG_PLURALS)[number]

/** The resources of the audit log over their readers: those of the room itself, or of a peer where another pod has it. */
export function auditLogResources(
  readerOf: (plural: AuditLogPlural) => ResourceReader,
): readonly ServedResource[] {
  return [
    {
      plural: 'changes',
      singular: 'change',
      kind: 'Change',
      namespaced: true,
      shortNames: [],
      description: 'A recorded change of an object in a namespace: who made it, when, and what it changed.',
      properties: changeSchemas,
      columns: changeColumns,
      selectableFields: changeFields,
      reader: readerOf('changes'),
    },
    {
      plural: 'clusterchanges',
      singular: 'clusterchange',
      kind: 'ClusterChange',
      namespaced: false,
      shortNames: [],
      description: 'A recorded change of any object of the cluster: who made it, when, and what it changed.',
      properties: changeSchemas,
      columns: clusterChangeColumns,
      selectableFields: changeFields,
      reader: readerOf('clusterchanges'),
    },
  ]
}
