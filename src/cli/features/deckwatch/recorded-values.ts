import { DEFAULT_VALUES, NAMES, type DeployValues } from '../../../../server/deploy/index.ts'
import type { StoredObject } from './stored-object.ts'

/** Where an installation remembers its values, so that the next one can tell what it changes. */
const ANNOTATION = 'deckwatch.dev/values'

/** The configuration's ConfigMap with the values in an annotation; any other object as it is. */
export function recordValues(object: StoredObject, values: DeployValues): StoredObject {
  if (!isConfig(object)) return object
  const annotations = { ...object.metadata.annotations, [ANNOTATION]: JSON.stringify(values) }
  return { ...object, metadata: { ...object.metadata, annotations } }
}

/** What differs between the recorded values and the new ones; nothing where none are recorded. */
export function changedValues(standing: readonly StoredObject[], values: DeployValues): readonly string[] {
  const recorded = standing.find(isConfig)?.metadata.annotations?.[ANNOTATION]
  if (recorded === undefined) return []
  let before: unknown
  try {
    before = JSON.parse(recorded)
  } catch {
    // Written by somebody else.
    return []
  }
  return differences(completed(DEFAULT_VALUES, before), values, '')
}

function isConfig({ kind, metadata }: StoredObject): boolean {
  return kind === 'ConfigMap' && metadata.name === NAMES.config
}

/** Recorded values with the defaults of the keys that there were not yet. */
function completed(defaults: unknown, recorded: unknown): unknown {
  if (recorded === undefined) return defaults
  if (!isRecord(defaults) || !isRecord(recorded)) return recorded
  const names = [...new Set([...Object.keys(defaults), ...Object.keys(recorded)])]
  return Object.fromEntries(names.map((name) => [name, completed(defaults[name], recorded[name])]))
}

function differences(before: unknown, after: unknown, key: string): readonly string[] {
  if (!isRecord(before) || !isRecord(after)) {
    const [from, to] = [spoken(before), spoken(after)]
    return from === to ? [] : [`${key} ${from} → ${to}`]
  }
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])]
  return names.flatMap((name) => differences(before[name], after[name], key === '' ? name : `${key}.${name}`))
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function spoken(value: unknown): string {
  if (value === undefined || value === '') return 'none'
  return typeof value === 'string' ? value : JSON.stringify(value)
}
