import type { Change, ChangeState } from '../../../src/core/wire/change.ts'
import type { FieldRequirement, ServedObject, ServedResource } from '../../kit/api/resource.ts'

// A reader serves changes only.
const asChange = (object: ServedObject): Change => object as unknown as Change

/** By which fields changes can be selected; the store knows them by the same names. */
export const changeFields: ServedResource['selectableFields'] = {
  'user.username': (object) => asChange(object).user?.username ?? '',
  actor: (object) => asChange(object).actor,
  'object.group': (object) => asChange(object).object.group,
  'object.resource': (object) => asChange(object).object.resource,
  'object.subresource': (object) => asChange(object).object.subresource,
  'object.kind': (object) => asChange(object).object.kind,
  'object.name': (object) => asChange(object).object.name,
  'object.uid': (object) => asChange(object).object.uid,
  operation: (object) => asChange(object).operation,
  state: (object) => asChange(object).state,
  'via.manager': (object) => asChange(object).via.manager,
  'via.tool': (object) => asChange(object).via.tool,
  'via.manual': (object) => String(asChange(object).via.manual),
}

/** States of changes that were made, as far as is known. */
export const LANDED: readonly ChangeState[] = ['confirmed', 'admitted', 'unattributed', 'ambiguous']

/** Whether the caller says which states are meant. */
export function selectsState(fields: readonly FieldRequirement[]): boolean {
  return fields.some(({ field }) => field === 'state')
}
