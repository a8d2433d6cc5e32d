import { createHmac } from 'node:crypto'
import type { KubernetesObject } from '../../src/core/wire/admission-review.ts'

const HEX_DIGITS = 32

/**
 * A keyed hash (HMAC-SHA-256, 128 bits in hexadecimal digits) of an object but its resourceVersion, whatever the order
 * of its fields: what a review shows and what the watch shows of one state have the same. Objects are hashed redacted.
 */
export function objectHash(object: KubernetesObject, key: Buffer | string): string {
  const { metadata, ...rest } = object
  if (metadata === undefined) return hashOf(rest, key)
  const { resourceVersion: _left, ...kept } = metadata
  return hashOf({ ...rest, metadata: kept }, key)
}

function hashOf(value: unknown, key: Buffer | string): string {
  return createHmac('sha256', key).update(canonical(value)).digest('hex').slice(0, HEX_DIGITS)
}

/** JSON with the keys of each map in order; undefined values are left out, as JSON does. */
function canonical(value: unknown): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null'
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`
  const fields = value as Readonly<Record<string, unknown>>
  let text = ''
  for (const key of Object.keys(fields).toSorted()) {
    const field = fields[key]
    if (field !== undefined) text += `${text === '' ? '' : ','}${JSON.stringify(key)}:${canonical(field)}`
  }
  return `{${text}}`
}
