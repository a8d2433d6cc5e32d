import type { AccessReviewer } from '../../kit/api/access-reviews.ts'
import type { Caller } from '../../kit/api/caller.ts'
import type { FieldRequirement, ResourceScope } from '../../kit/api/resource.ts'
import type { VisibleKinds } from '../store/audit-store.ts'

/** What a caller may see of the changes in a scope. */
export interface Sight extends ResourceScope {
  readonly visible: VisibleKinds
}

/** What is asked, by whom. */
export interface SightQuery {
  readonly caller: Caller
  readonly scope: ResourceScope
  readonly fields: readonly FieldRequirement[]
  /** Types of which there may be records. */
  readonly kinds: readonly { readonly group: string; readonly resource: string }[]
}

/**
 * Of which kinds the caller may see the history: those that they may `get` where the changes were made. What a deleted
 * namespace left is only for who may get everything in the whole cluster: for all others the namespace is the one that
 * has the name now. `notBefore` as for AccessReviewer.
 */
export async function sightOf(
  reviewer: AccessReviewer,
  { caller, scope, fields, kinds }: SightQuery,
  notBefore?: number,
): Promise<Sight> {
  const may = (group: string, resource: string, namespace: string | undefined): Promise<boolean> =>
    reviewer.allows(caller, { group, resource, verb: 'get', namespace }, notBefore)
  if (await may('*', '*', undefined)) return { ...scope, visible: 'all' }
  const { namespace } = scope
  const asked = kinds.filter((kind) =>
    fields.every(
      ({ field, operator, value }) =>
        operator === '!=' ||
        (field !== 'object.resource' && field !== 'object.group') ||
        value === kind[field === 'object.group' ? 'group' : 'resource'],
    ),
  )
  const answers = await Promise.all(asked.map(({ group, resource }) => may(group, resource, namespace)))
  const visible = asked.filter((_, index) => answers[index])
  const namespaceUid =
    namespace === undefined ? undefined : (scope.namespaceUid ?? (await reviewer.namespaceUid(namespace)))
  return { namespace, namespaceUid, visible }
}

/** Whether the second sight shows everything that the first did. */
export function stillSees(before: Sight, now: Sight): boolean {
  if (before.namespaceUid !== now.namespaceUid) return false
  if (now.visible === 'all') return true
  if (before.visible === 'all') return false
  const kept = new Set(now.visible.map(({ group, resource }) => `${group}/${resource}`))
  return before.visible.every(({ group, resource }) => kept.has(`${group}/${resource}`))
}

/** Whether a record may be seen. */
export function sees(
  { namespace, namespaceUid, visible }: Sight,
  object: {
    readonly group: string
    readonly resource: string
    readonly namespace: string
    readonly namespaceUid: string
  },
): boolean {
  if (namespace !== undefined && object.namespace !== namespace) return false
  if (namespaceUid !== undefined && object.namespaceUid !== namespaceUid) return false
  return (
    visible === 'all' ||
    visible.some(({ group, resource }) => group === object.group && resource === object.resource)
  )
}
