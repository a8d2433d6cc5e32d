import type { KubernetesObject } from '../wire/admission-review.ts'
import { isMap, type JsonMap } from './object-diff-equal.ts'
import type { PathStep } from './field-path-syntax.ts'

/**
 * How the entries of a list are told apart, asked with the list's path and its two versions: the names of the keys
 * that identify an entry, `set` where an entry is its own key, undefined where the list is one value.
 */
export type ListKeys = (
  steps: readonly PathStep[],
  before: readonly unknown[],
  after: readonly unknown[],
) => readonly string[] | 'set' | undefined

/** Keys of lists in Kubernetes' own types and in well-known custom ones, the most telling first. */
const WELL_KNOWN: readonly (readonly string[])[] = [
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
 * (`k:{…}` entries of a list with keys, `v:` entries of a set) is exact for custom resources too; else well-known keys,
 * where every entry has them and no two are alike.
 */
export function listKeysOf(...objects: readonly (KubernetesObject | undefined)[]): ListKeys {
  return (steps, before, after) => {
    const owned = ownedKeys(objects, steps)
    if (owned === 'set') return areSets(before, after) ? 'set' : undefined
    if (owned !== undefined && areKeys(owned, before, after)) return owned
    return guessedKeys(steps, before, after)
  }
}

/** The list keys of objects without managedFields. */
export const wellKnownListKeys: ListKeys = guessedKeys

function ownedKeys(
  objects: readonly (KubernetesObject | undefined)[],
  steps: readonly PathStep[],
): readonly string[] | 'set' | undefined {
  for (const object of objects) {
    for (const { fieldsV1 } of object?.metadata?.managedFields ?? []) {
      const found = isMap(fieldsV1) ? keysAmong(fieldsAt(fieldsV1, steps)) : undefined
      if (found) return found
    }
  }
  return undefined
}

/** The nodes of a fieldsV1 tree at a path; entries of one list have the same form, so each stands for all. */
function fieldsAt(fields: JsonMap, steps: readonly PathStep[]): readonly JsonMap[] {
  let nodes: readonly JsonMap[] = [fields]
  for (const step of steps) {
    nodes = 'key' in step ? childrenOf(nodes, `f:${step.key}`) : entriesOf(nodes)
    if (nodes.length === 0) return nodes
  }
  return nodes
}

function childrenOf(nodes: readonly JsonMap[], name: string): JsonMap[] {
  return nodes.flatMap((node) => {
    const child = Object.hasOwn(node, name) ? node[name] : undefined
    return isMap(child) ? [child] : []
  })
}

function entriesOf(nodes: readonly JsonMap[]): JsonMap[] {
  return nodes.flatMap((node) =>
    Object.entries(node).flatMap(([name, child]) => (/^[ki]:/.test(name) && isMap(child) ? [child] : [])),
  )
}

function keysAmong(nodes: readonly JsonMap[]): readonly string[] | 'set' | undefined {
  for (const node of nodes) {
    for (const name in node) {
      if (name.startsWith('v:')) return 'set'
      if (name.startsWith('k:')) return keyNames(name.slice(2))
    }
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

function guessedKeys(
  steps: readonly PathStep[],
  before: readonly unknown[],
  after: readonly unknown[],
): readonly string[] | 'set' | undefined {
  const first = before[0] ?? after[0]
  if (isMap(first)) return WELL_KNOWN.find((names) => areKeys(names, before, after))
  return isFinalizers(steps) && areSets(before, after) ? 'set' : undefined
}

function isFinalizers(steps: readonly PathStep[]): boolean {
  const [metadata, finalizers, ...rest] = steps
  if (!metadata || !finalizers || rest.length > 0) return false
  return (
    'key' in metadata && metadata.key === 'metadata' && 'key' in finalizers && finalizers.key === 'finalizers'
  )
}

function areKeys(names: readonly string[], ...lists: readonly (readonly unknown[])[]): boolean {
  return names.length > 0 && lists.every((list) => identities(list, names) !== undefined)
}

function areSets(...lists: readonly (readonly unknown[])[]): boolean {
  return lists.every((list) => identities(list, 'set') !== undefined)
}

/**
 * What identifies each entry of a list, as text that no other entry of any list has unless the keys are the same;
 * undefined where an entry has not all keys, or two have the same.
 */
export function identities(list: readonly unknown[], keys: readonly string[] | 'set'): string[] | undefined {
  const found: string[] = []
  for (const entry of list) {
    const identity = keys === 'set' ? scalarIdentity(entry) : entryIdentity(entry, keys)
    if (identity === undefined) return undefined
    found.push(identity)
  }
  return found.length > 1 && new Set(found).size < found.length ? undefined : found
}

function entryIdentity(entry: unknown, keys: readonly string[]): string | undefined {
  if (!isMap(entry)) return undefined
  let identity = ''
  for (const key of keys) {
    const part = Object.hasOwn(entry, key) ? scalarIdentity(entry[key]) : undefined
    if (part === undefined) return undefined
    identity += keys.length === 1 ? part : `${part.length}:${part}`
  }
  return identity
}

function scalarIdentity(value: unknown): string | undefined {
  if (typeof value === 'string') return `"${value}`
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : undefined
}
