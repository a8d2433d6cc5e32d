import type { KubernetesObject } from '../../../src/core/wire/admission-review.ts'

type Fields = Readonly<Record<string, unknown>>
type Check = (value: unknown) => boolean

/** As deep as a redactor goes, too: whoever walks an object must come back. */
const MAX_DEPTH = 200

const isText: Check = (value) => typeof value === 'string'
const isTexts = mapOf(isText)

const MANAGED_FIELDS: Readonly<Record<string, Check>> = {
  manager: isText,
  operation: isText,
  apiVersion: isText,
  time: isText,
  fieldsType: isText,
  fieldsV1: (value) => isFields(value) && !isDeep(value, 0),
  subresource: isText,
}

const OWNER: Readonly<Record<string, Check>> = {
  apiVersion: isText,
  kind: isText,
  name: isText,
  uid: isText,
}

const METADATA: Readonly<Record<string, Check>> = {
  name: isText,
  namespace: isText,
  uid: isText,
  resourceVersion: isText,
  creationTimestamp: isText,
  deletionTimestamp: isText,
  labels: isTexts,
  annotations: isTexts,
  finalizers: listOf(isText),
  ownerReferences: listOf((value) => isFields(value) && fits(value, OWNER)),
  managedFields: listOf((value) => isFields(value) && fits(value, MANAGED_FIELDS)),
}

/**
 * Whether an object's metadata is what the API server writes (meta/v1 ObjectMeta). Anybody may send a review to who knows
 * the path, and what reaches the journal is read again after each restart: it must not be able to end the reader.
 */
export function isSound({ metadata }: KubernetesObject): boolean {
  return isAbsent(metadata) || (isFields(metadata) && fits(metadata, METADATA))
}

function fits(fields: Fields, checks: Readonly<Record<string, Check>>): boolean {
  for (const name in checks) {
    if (!Object.hasOwn(fields, name)) continue
    const value = fields[name]
    if (!isAbsent(value) && checks[name]?.(value) !== true) return false
  }
  return true
}

function mapOf(check: Check): Check {
  return (value) => {
    if (!isFields(value)) return false
    for (const key in value) if (!check(value[key])) return false
    return true
  }
}

function listOf(check: Check): Check {
  return (value) => Array.isArray(value) && value.every(check)
}

function isDeep(value: unknown, depth: number): boolean {
  if (typeof value !== 'object' || value === null) return false
  if (depth === MAX_DEPTH) return true
  for (const key in value) if (isDeep((value as Fields)[key], depth + 1)) return true
  return false
}

function isAbsent(value: unknown): boolean {
  return value === undefined || value === null
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
