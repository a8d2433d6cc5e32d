/** A map of JSON: no array, not null. */
export type JsonMap = Readonly<Record<string, unknown>>

/** Whether a JSON value is a map. */
export function isMap(value: unknown): value is JsonMap {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Whether two JSON values are the same, whatever the order of keys in maps. */
export function equalValues(a: unknown, b: unknown): boolean {
  if (a === b) return true
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false
  if (Array.isArray(a)) {
    if (!Array.isArray(b) || a.length !== b.length) return false
    for (let i = 0; i < a.length; i++) if (!equalValues(a[i], b[i])) return false
    return true
  }
  return !Array.isArray(b) && equalMaps(a as JsonMap, b as JsonMap)
}

function equalMaps(a: JsonMap, b: JsonMap): boolean {
  const keys = Object.keys(a)
  const others = Object.keys(b)
  if (keys.length !== others.length) return false
  for (let i = 0; i < keys.length; i++) {
    const key = keys[i] as string
    // Two versions of an object nearly always have their keys in one order, and then none needs to be looked up.
    if (key !== others[i] && !Object.hasOwn(b, key)) return false
    if (!equalValues(a[key], b[key])) return false
  }
  return true
}
