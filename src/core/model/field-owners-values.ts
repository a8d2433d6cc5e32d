import { parseFieldsElement, type FieldsElement } from './field-owners-element.ts'
import { formatPath, type PathScalar, type PathStep } from './field-path.ts'

/** A field that an entry of managedFields names, with what the object has there. */
export interface OwnedValue {
  readonly path: string
  readonly value: unknown
}

type Fields = Readonly<Record<string, unknown>>

/**
 * The innermost fields that one entry of managedFields names, in its order, with their values in the object; without
 * those that the object does not have, as of another version of its API, and without the keys of a list's entry, which
 * stand in the paths of its other fields.
 */
export function ownedValues(fieldsV1: unknown, object: unknown): readonly OwnedValue[] {
  const found: OwnedValue[] = []
  if (isRecord(fieldsV1) && Object.keys(fieldsV1).length > 0) collect(fieldsV1, object, [], found)
  return found
}

function collect(fields: Fields, value: unknown, steps: readonly PathStep[], found: OwnedValue[]): void {
  const last = steps.at(-1)
  const isKey = (name: string): boolean => last !== undefined && 'entry' in last && name in last.entry
  const children = Object.entries(fields).flatMap(([name, inside]) => {
    const element = parseFieldsElement(name)
    if (!element || element.type === 'self') return []
    return element.type === 'field' && isKey(element.name) ? [] : [{ element, inside }]
  })
  const isLeaf = children.length === 0 && Object.keys(fields).every(isKnown)
  if (isLeaf && steps.length > 0) found.push({ path: formatPath(steps), value })
  for (const { element, inside } of children) {
    const place = placeOf(element, value)
    if (place) collect(isRecord(inside) ? inside : {}, place.value, [...steps, place.step], found)
  }
}

function isKnown(name: string): boolean {
  return parseFieldsElement(name) !== undefined
}

function placeOf(
  element: Exclude<FieldsElement, { type: 'self' }>,
  value: unknown,
): { readonly step: PathStep; readonly value: unknown } | undefined {
  switch (element.type) {
    case 'field': {
      const { name } = element
      if (!isRecord(value) || !Object.hasOwn(value, name)) return undefined
      return { step: { key: name }, value: value[name] }
    }
    case 'value': {
      const item = element.value
      if (!isScalar(item) || !Array.isArray(value) || !value.includes(item)) return undefined
      return { step: { value: item }, value: item }
    }
    case 'index': {
      const { index } = element
      if (!Array.isArray(value) || index >= value.length) return undefined
      return { step: { index }, value: value[index] }
    }
    case 'entry': {
      const keys = Object.entries(element.keys)
      const item: unknown = Array.isArray(value)
        ? value.find(
            (one: unknown) => isRecord(one) && keys.every(([key, part]) => (one[key] ?? part) === part),
          )
        : undefined
      const entry = Object.fromEntries(keys.filter((pair): pair is [string, PathScalar] => isScalar(pair[1])))
      return item === undefined ? undefined : { step: { entry }, value: item }
    }
  }
}

function isScalar(value: unknown): value is PathScalar {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
}

function isRecord(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
