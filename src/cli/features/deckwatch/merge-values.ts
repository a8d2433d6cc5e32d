import { readValues, ValuesError, type DeployValues } from '../../../../server/deploy/index.ts'
import { FIELDS, keysNear } from '../../../../server/deploy/values-fields.ts'

/** Values with those of a file in place of some, and which keys the file gave. */
export interface MergedValues {
  readonly values: DeployValues
  /** `storage.type`, as in `--set`. */
  readonly given: ReadonlySet<string>
}

/** Puts the values of a parsed YAML file over others; throws a ValuesError for what is no key or cannot be. */
export function mergeValues(defaults: DeployValues, file: unknown): MergedValues {
  const given = new Set<string>()
  if (file === undefined || file === null) return { values: defaults, given }
  const values = merged(defaults, file, '', given) as DeployValues
  const components: unknown = values.components
  const isAll = components === 'all' || (Array.isArray(components) && components.includes('all'))
  if (!isAll) return { values: readValues(values, []), given }
  return { values: readValues({ ...values, components: defaults.components }, ['components={all}']), given }
}

function merged(base: unknown, over: unknown, prefix: string, given: Set<string>): unknown {
  if (typeof over !== 'object' || over === null || Array.isArray(over)) {
    const key = prefix === '' ? 'values' : prefix.slice(0, -1)
    throw new ValuesError(key, `${key}: must be a mapping of keys`)
  }
  const result: Record<string, unknown> = { ...(base as object) }
  for (const [name, value] of Object.entries(over)) {
    const key = prefix + name
    // As in Helm, null means the default.
    if (value === null) continue
    if (FIELDS.some((field) => field.key === key)) {
      given.add(key)
      result[name] = value as unknown
    } else if (FIELDS.some((field) => field.key.startsWith(`${key}.`))) {
      result[name] = merged(result[name], value, `${key}.`, given)
    } else {
      throw new ValuesError(key, `${key}: there is no such key; there are ${keysNear(key)}`)
    }
  }
  return result
}
