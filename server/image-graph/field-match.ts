import type { FieldRequirement, ServedObject, ServedResource } from '../kit/api/resource.ts'

/** Whether an object meets requirements on its fields; those on fields that are not known here are left to the API. */
export function meetsFields(
  fields: readonly FieldRequirement[],
  selectable: ServedResource['selectableFields'],
  object: ServedObject,
): boolean {
  return fields.every(({ field, operator, value }) => {
    const found = fieldOf(field, selectable, object)
    return found === undefined || (found === value) === (operator === '=')
  })
}

function fieldOf(
  field: string,
  selectable: ServedResource['selectableFields'],
  object: ServedObject,
): string | undefined {
  if (field === 'metadata.name') return object.metadata.name
  if (field === 'metadata.namespace') return object.metadata.namespace ?? ''
  return selectable[field]?.(object)
}
