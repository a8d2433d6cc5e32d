import { createHmac, type KeyObject } from 'node:crypto'
import type { KubernetesObject } from '../../src/core/wire/admission-review.ts'

const HEX_DIGITS = 32

/**
 * A keyed hash (HMAC-SHA-256, 128 bits in hexadecimal digits) of an object but its resourceVersion, whatever the order
 * of its fields: what a review shows and what the watch shows of one state have the same. Objects are hashed redacted.
 */
export function objectHash(object: KubernetesObject, key: KeyObject | Buffer | string): string {
  const { metadata, ...rest } = object
  if (metadata === undefined) return hashOf(rest, key)
  const { resourceVersion: _left, ...kept } = metadata
  return hashOf({ ...rest, metadata: kept }, key)
}

function hashOf(value: unknown, key: KeyObject | Buffer | string): string {
  const text = JSON.stringify(ordered(value))
  return createHmac('sha256', key).update(text).digest('hex').slice(0, HEX_DIGITS)
}

/** The value with the keys of each map in one order. */
function ordered(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map(ordered)
  const fields = value as Readonly<Record<string, unknown>>
  const keys = Object.keys(fields).toSorted()
  const copy: Record<string, unknown> = {}
  for (const key of keys) {
    const field = fields[key]
    // A ConfigMap may have a key that is called like the way to a prototype.
    if (key === '__proto__') Object.defineProperty(copy, key, { value: ordered(field), enumerable: true })
    else copy[key] = typeof field === 'object' ? ordered(field) : field
  }
  return copy
}
