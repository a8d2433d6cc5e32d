import type { AuditLogConfig } from './config.ts'
import { matchesAny } from './matches-glob.ts'

/** What is written, and where. */
export interface WrittenAt {
  readonly group: string
  /** Plural, lower case. */
  readonly resource: string
  /** Empty for what is of the whole cluster. */
  readonly namespace: string
  readonly name: string
}

/** Whether the options leave out what is written there: the same that the conditions of the webhook say. */
export function leavesOutNamespace(
  { auditExclude, auditInclude }: Pick<AuditLogConfig, 'auditExclude' | 'auditInclude'>,
  at: WrittenAt,
): boolean {
  const place = placeOf(at)
  const included = auditInclude.namespaces
  return (included.length > 0 && !matchesAny(included, place)) || matchesAny(auditExclude.namespaces, place)
}

/** The namespace that a write is about, empty for none; one that is itself changed counts as in itself. */
export function placeOf({ group, resource, namespace, name }: WrittenAt): string {
  return namespace === '' && group === '' && resource === 'namespaces' ? name : namespace
}
