import { COMPONENTS } from './components.ts'
import { parseSet, type Assignment } from './set-syntax.ts'
import { ValuesError } from './values-error.ts'
import { FIELDS, keysNear, type Field } from './values-fields.ts'
import { checkFields, valueAt } from './check-values.ts'
import type { DeployValues } from './values.ts'

type Path = Assignment['path']

/**
 * The values after each `--set KEY=VALUE`, in Helm's syntax; throws a ValuesError for an unknown key or a value that
 * cannot be. Whether values go together, `checkValues` says, when flags have been applied too.
 */
export function readValues(defaults: DeployValues, sets: readonly string[]): DeployValues {
  const values = structuredClone(defaults) as unknown as Record<string, unknown>
  for (const { path, value } of sets.flatMap(parseSet)) {
    const field = fieldOf(path)
    const keys = field.key.split('.')
    put(values, keys, assigned(field, valueAt(values, field.key), path.slice(keys.length), value))
  }
  const read = values as unknown as DeployValues
  checkFields(read)
  return read
}

function fieldOf(path: Path): Field {
  const field = FIELDS.find(({ key }) => key.split('.').every((name, index) => path[index] === name))
  if (field) return field
  const key = path.join('.')
  throw new ValuesError(key, `--set ${key}: there is no such key; there are ${keysNear(key)}`)
}

function assigned(field: Field, current: unknown, rest: Path, value: Assignment['value']): unknown {
  const [first, second] = rest
  const wrong = new ValuesError(field.key, `--set ${field.key}: must be ${field.allowed}`)
  switch (field.form) {
    case 'text':
    case 'integer':
    case 'boolean':
      if (rest.length > 0 || typeof value !== 'string') throw wrong
      return scalar(field.form, value)
    case 'texts':
      if (rest.length > 1 || (typeof value !== 'string' && rest.length > 0)) throw wrong
      if (first !== undefined) return placed(current, first, value, wrong)
      return expandAll(field, typeof value === 'string' ? (value === '' ? [] : [value]) : [...value])
    case 'map':
      if (typeof first !== 'string' || rest.length > 1 || typeof value !== 'string') throw wrong
      return { ...(current as object), [first]: value }
    case 'objects': {
      if (rest.length === 0 && typeof value !== 'string' && value.length === 0) return []
      if (typeof second !== 'string' || rest.length > 2 || typeof value !== 'string') throw wrong
      const before = Array.isArray(current) ? (current[Number(first)] as object | undefined) : undefined
      const item = second === 'tolerationSeconds' ? scalar('integer', value) : value
      return placed(current, first, { ...before, [second]: item }, wrong)
    }
  }
}

/** What cannot be read stays text, which the field's own check then refuses with what it allows. */
function scalar(form: 'text' | 'integer' | 'boolean', value: string): unknown {
  if (form === 'integer' && /^-?\d+$/.test(value)) return Number(value)
  if (form === 'boolean' && (value === 'true' || value === 'false')) return value === 'true'
  return value
}

function placed(list: unknown, index: unknown, item: unknown, wrong: ValuesError): unknown[] {
  const items = Array.isArray(list) ? [...(list as unknown[])] : []
  if (typeof index !== 'number' || index > items.length) throw wrong
  items[index] = item
  return items
}

function expandAll(field: Field, items: readonly string[]): readonly string[] {
  return field.key === 'components' && items.includes('all') ? COMPONENTS.map(({ name }) => name) : items
}

function put(target: Record<string, unknown>, keys: readonly string[], value: unknown): void {
  const last = keys.at(-1) ?? ''
  let inner = target
  for (const key of keys.slice(0, -1)) inner = inner[key] as Record<string, unknown>
  inner[last] = value
}
