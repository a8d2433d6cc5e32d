import { escapeJson } from './structured.ts'

/** A value as Go's fmt.Sprint shows it, which kubectl prints in columns: `map[a:1 b:x]`, `[x y]`, `<nil>`. */
export function goText(value: unknown): string {
  if (value === null || value === undefined) return '<nil>'
  if (typeof value === 'number') return goNumber(value)
  if (Array.isArray(value)) return `[${value.map(goText).join(' ')}]`
  if (typeof value === 'object') {
    return `map[${sortedEntries(value)
      .map(([key, member]) => `${key}:${goText(member)}`)
      .join(' ')}]`
  }
  return typeof value === 'string' ? value : (JSON.stringify(value) ?? '<nil>')
}

/** A value as Go's encoding/json writes it: on one line, keys sorted, `<`, `>` and `&` escaped. */
export function goJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(goJson).join(',')}]`
  if (typeof value === 'object' && value !== null) {
    return `{${sortedEntries(value)
      .map(([key, member]) => `${goJson(key)}:${goJson(member)}`)
      .join(',')}}`
  }
  const text = JSON.stringify(value) ?? 'null'
  return escapeJson(text).replace(/[<>&]/g, (sign) => `\\u00${sign.charCodeAt(0).toString(16)}`)
}

/** The members of an object in the order of their keys; what is undefined is not there. */
export function sortedEntries(value: object): [string, unknown][] {
  return Object.entries(value)
    .filter(([, member]) => member !== undefined)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
}

/** Go's %v: whole numbers in full, floats with an exponent of two digits below 1e-4 and from 1e21. */
function goNumber(value: number): string {
  const size = Math.abs(value)
  const text = size !== 0 && (size < 1e-4 || size >= 1e21) ? value.toExponential() : String(value)
  return text.replace(/e([+-])(\d)$/, 'e$10$2')
}
