/** Under these stand names that people chose for values of their own. */
const PRIVATE = new Set(['data', 'stringData', 'binaryData'])

/** A value's shape: names of fields and places of values, without any value but true, false and null. */
export function skeletonOf(value: unknown): unknown {
  if (typeof value === 'string') return ''
  if (typeof value === 'number') return 0
  if (Array.isArray(value)) return value.map(skeletonOf)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [key, PRIVATE.has(key) ? {} : skeletonOf(inner)]),
  )
}
