import type { KubernetesObject } from '../wire/admission-review.ts'
import type { PathStep } from './field-path-syntax.ts'
import { isMap, type JsonMap } from './object-diff-equal.ts'

/** What tells a list's entries apart: the values of these keys, or in a `set` the entries themselves. */
export type EntryKeys = readonly string[] | 'set'

/**
 * How the entries of the list at a path are told apart, in all versions that are given: by keys that every entry has
 * and of which no two of one list are alike; undefined where there are none and the list is one value.
 */
export type ListKeys = (
  steps: readonly PathStep[],
  ...lists: readonly (readonly unknown[])[]
) => EntryKeys | undefined

/** Keys of lists in Kubernetes' own types and in well-known custom ones, the most telling first. */
const WELL_KNOWN: readonly EntryKeys[] = [
  ['name'],
  ['kind', 'name'],
  ['kind', 'name', 'namespace'],
  ['mountPath'],
  ['devicePath'],
  ['containerPort'],
  ['containerPort', 'protocol'],
  ['port'],
  ['port', 'protocol'],
  ['topologyKey'],
  ['topologyKey', 'whenUnsatisfiable'],
  ['type'],
  ['uid'],
  ['ip'],
  ['host'],
  ['path'],
  ['path', 'pathType'],
  ['key'],
  ['effect', 'key'],
  ['alert'],
  ['record'],
  ['secretName'],
  ['id'],
]

/**
 * The list keys of an object, given in all known versions with their managedFields: what the API server wrote there
 * (`k:{…}` entries of a list with keys, `v:` entries of a set) is exact for custom resources too; then well-known keys.
 */
export function listKeysOf(...objects: readonly (KubernetesObject | undefined)[]): ListKeys {
  return (steps, ...lists) => {
    const owned = ownedKeys(objects, steps)
    return owned && tellApart(owned, lists) ? owned : wellKnownListKeys(steps, ...lists)
  }
}

/** The list keys of objects without managedFields. */
export const wellKnownListKeys: ListKeys = (steps, ...lists) => {
  if (isFinalizers(steps)) return tellApart('set', lists) ? 'set' : undefined
  return WELL_KNOWN.find((keys) => tellApart(keys, lists))
}

function tellApart(keys: EntryKeys, lists: readonly (readonly unknown[])[]): boolean {
  return lists.every((list) => {
    const identities = identitiesOf(list, keys)
    return identities !== undefined && new Set(identities).size === identities.length
  })
}

function isFinalizers(steps: readonly PathStep[]): boolean {
  const [metadata, finalizers] = steps
  if (steps.length !== 2 || !metadata || !finalizers || !('key' in metadata)) return false
  return metadata.key === 'metadata' && 'key' in finalizers && finalizers.key === 'finalizers'
}

function ownedKeys(
  objects: readonly (KubernetesObject | undefined)[],
  steps: readonly PathStep[],
): EntryKeys | undefined {
  for (const object of objects) {
    for (const { fieldsV1 } of object?.metadata?.managedFields ?? []) {
      const found = keysAt(fieldsV1, steps, 0)
      if (found) return found
    }
  }
  return undefined
}

/** The keys that a fieldsV1 tree names at a path; entries of one list have the same form, so each stands for all. */
function keysAt(node: unknown, steps: readonly PathStep[], depth: number): EntryKeys | undefined {
  if (!isMap(node)) return undefined
  const step = steps[depth]
  if (!step) return keysAmong(node)
  if ('key' in step) {
    const name = `f:${step.key}`
    return Object.hasOwn(node, name) ? keysAt(node[name], steps, depth + 1) : undefined
  }
  for (const name in node) {
    const found = name.startsWith('k:') ? keysAt(node[name], steps, depth + 1) : undefined
    if (found) return found
  }
  return undefined
}

function keysAmong(node: JsonMap): EntryKeys | undefined {
  for (const name in node) {
    if (name.startsWith('v:')) return 'set'
    if (name.startsWith('k:')) return keyNames(name.slice(2))
  }
  return undefined
}

function keyNames(json: string): readonly string[] | undefined {
  try {
    const keys: unknown = JSON.parse(json)
    return isMap(keys) ? Object.keys(keys) : undefined
  } catch {
    return undefined
  }
}

/** What tells an entry apart; two entries are the same one where theirs are the same. */
export type Identity = string | number | boolean

/** The identity of each entry of a list; undefined where one has not all keys, or no keys are given. */
export function identitiesOf(list: readonly unknown[], keys: EntryKeys): Identity[] | undefined {
  const found: Identity[] = []
  for (const entry of list) {
    const identity = keys === 'set' ? scalar(entry) : entryIdentity(entry, keys)
    if (identity === undefined) return undefined
    found.push(identity)
  }
  return found
}

function entryIdentity(entry: unknown, keys: readonly string[]): Identity | undefined {
  if (!isMap(entry) || keys.length === 0) return undefined
  let joined = ''
  for (const key of keys) {
    const value = Object.hasOwn(entry, key) ? scalar(entry[key]) : undefined
    if (value === undefined || keys.length === 1) return value
    joined += `${JSON.stringify(value)},`
  }
  return joined
}

function scalar(value: unknown): Identity | undefined {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
    ? value
    : undefined
}
