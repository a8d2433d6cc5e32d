/** One element of a FieldsV1 path; see `parseFieldsElement`. */
export type FieldsElement =
  | { readonly type: 'self' }
  | { readonly type: 'field'; readonly name: string }
  | { readonly type: 'entry'; readonly keys: Readonly<Record<string, unknown>> }
  | { readonly type: 'value'; readonly value: unknown }
  | { readonly type: 'index'; readonly index: number }

/**
 * Reads a key of FieldsV1: `.` the thing itself, `f:NAME` a field, `k:JSON` the list entry with these keys, `v:JSON`
 * the set entry of this value, `i:N` a place in a list (structured-merge-diff fieldpath/serialize-pe.go). Undefined
 * for what later versions may add and for what cannot be read.
 */
export function parseFieldsElement(text: string): FieldsElement | undefined {
  if (text === '.') return { type: 'self' }
  const rest = text.slice(2)
  switch (text.slice(0, 2)) {
    case 'f:':
      return { type: 'field', name: rest }
    case 'k:': {
      const keys = parseJson(rest)
      return typeof keys === 'object' && keys !== null && !Array.isArray(keys)
        ? { type: 'entry', keys: keys as Record<string, unknown> }
        : undefined
    }
    case 'v:': {
      const value = parseJson(rest)
      return value === undefined ? undefined : { type: 'value', value }
    }
    case 'i:':
      return /^\d+$/.test(rest) ? { type: 'index', index: Number(rest) } : undefined
    default:
      return undefined
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
