import type { KubernetesObject, ManagedFieldsEntry } from '../wire/admission-review.ts'
import { parseFieldsElement, type FieldsElement } from './field-owners-element.ts'

/** Who owns a field by managedFields: a name that the client chose for itself, never a user. */
export interface FieldOwner {
  readonly manager: string
  /** `Apply` or `Update`. */
  readonly operation: string
  /** `status`, `scale`, …; empty for the object itself. */
  readonly subresource: string
  /**
   * Epoch milliseconds, whole seconds: when this manager last changed *any* of its fields in this operation and
   * subresource; undefined where the entry has none, as for a scale or a second apply of the same content (k/k#127938).
   */
  readonly time: number | undefined
}

/** A field of an object, or a place where there may be one, with those who own it. */
export interface OwnedField {
  /** Newest first, those without a time last; empty where nobody owns it, whoever owns what it lies in. */
  readonly owners: readonly FieldOwner[]
  /** The field of this name in it. */
  field(name: string): OwnedField
  /** Its entries, in the order of the list that the object has there. */
  items(list: readonly unknown[]): readonly OwnedField[]
}

/** The owners of an object's fields; undefined where it has no managedFields, and nothing can be said. */
export function fieldOwners(object: KubernetesObject): OwnedField | undefined {
  const entries = managedFieldsOf(object)
  if (entries.length === 0) return undefined
  const root = new OwnerNode('')
  for (const entry of entries) {
    if (isRecord(entry.fieldsV1)) root.add(entry.fieldsV1, ownerOf(entry))
  }
  root.sort()
  return root
}

/** An object's entries of managedFields; empty where it has none. */
export function managedFieldsOf(object: KubernetesObject): readonly ManagedFieldsEntry[] {
  const entries = object.metadata?.managedFields
  return Array.isArray(entries) ? entries.filter(isRecord) : []
}

/** What one entry of managedFields says of its owner. */
export function ownerOf(entry: ManagedFieldsEntry): FieldOwner {
  const time = typeof entry.time === 'string' ? Date.parse(entry.time) : Number.NaN
  return {
    manager: entry.manager ?? '',
    operation: entry.operation ?? '',
    subresource: entry.subresource ?? '',
    time: Number.isNaN(time) ? undefined : time,
  }
}

/** Orders owners: the newest first, those without a time last. */
export function byNewest(a: Pick<FieldOwner, 'time'>, b: Pick<FieldOwner, 'time'>): number {
  return (b.time ?? -Infinity) - (a.time ?? -Infinity) || 0
}

/** What lies in a value that has one owner as a whole. */
class WholeValue implements OwnedField {
  readonly owners: readonly FieldOwner[]

  constructor(owners: readonly FieldOwner[]) {
    this.owners = owners
  }

  field(): OwnedField {
    return this
  }

  items(list: readonly unknown[]): readonly OwnedField[] {
    return list.map(() => this)
  }
}

const NOBODY: OwnedField = new WholeValue([])

// Types that are atomic in the API carry such names: selectors, references, keys of ConfigMaps and Secrets, and the
// parts of node affinity (x-kubernetes-map-type: atomic in Kubernetes' OpenAPI).
const ATOMIC_MAP = /(?:[sS]elector|[rR]ef|[rR]eference|^preference|DuringExecution)$/

class OwnerNode implements OwnedField {
  readonly owners: FieldOwner[] = []
  readonly #name: string
  /** Owners of the field of which nothing inside is named: `f:replicas: {}`. */
  readonly #ofWhole: FieldOwner[] = []
  readonly #fields = new Map<string, OwnerNode>()
  /** By the text of their keys, which the API server writes in one order. */
  readonly #entries = new Map<string, { readonly keys: Fields; readonly node: OwnerNode }>()
  readonly #values = new Map<string, OwnerNode>()
  readonly #indexes = new Map<number, OwnerNode>()

  constructor(name: string) {
    this.#name = name
  }

  add(fields: Fields, owner: FieldOwner): void {
    const names = Object.keys(fields)
    if (names.length === 0) {
      this.owners.push(owner)
      this.#ofWhole.push(owner)
    }
    for (const name of names) {
      const element = parseFieldsElement(name)
      if (element?.type === 'self') this.owners.push(owner)
      else if (element) {
        const inside = fields[name]
        this.#child(name, element).add(isRecord(inside) ? inside : {}, owner)
      }
    }
  }

  #child(text: string, element: Exclude<FieldsElement, { type: 'self' }>): OwnerNode {
    switch (element.type) {
      case 'field':
        return childOf(this.#fields, element.name, element.name)
      case 'value':
        return childOf(this.#values, canonical(element.value), '')
      case 'index':
        return childOf(this.#indexes, element.index, '')
      case 'entry': {
        const known = this.#entries.get(text)
        if (known) return known.node
        const node = new OwnerNode('')
        this.#entries.set(text, { keys: element.keys, node })
        return node
      }
    }
  }

  sort(): void {
    this.owners.sort(byNewest)
    this.#ofWhole.sort(byNewest)
    for (const node of this.#children()) node.sort()
  }

  *#children(): Generator<OwnerNode> {
    yield* this.#fields.values()
    yield* this.#values.values()
    yield* this.#indexes.values()
    for (const { node } of this.#entries.values()) yield node
  }

  field(name: string): OwnedField {
    return this.#fields.get(name) ?? this.#inside(true)
  }

  items(list: readonly unknown[]): readonly OwnedField[] {
    const found = this.#entries.size > 0 ? matchEntries([...this.#entries.values()], list) : undefined
    return list.map(
      (item, index) =>
        found?.get(index) ??
        (this.#values.size > 0 ? this.#values.get(canonical(item)) : undefined) ??
        this.#indexes.get(index) ??
        this.#inside(false),
    )
  }

  /**
   * Owners of what FieldsV1 does not name in this field: its own where the field is atomic, else nobody. It is not
   * where any manager owns a part of it. A map that was *applied* empty looks the same as an atomic one, and what is in
   * it now may be a default that nobody owns: then the name of the field decides.
   */
  #inside(isMap: boolean): OwnedField {
    if (this.#ofWhole.length === 0 || !this.#children().next().done) return NOBODY
    const owners = this.#ofWhole.filter(
      ({ operation }) => !isMap || operation !== 'Apply' || ATOMIC_MAP.test(this.#name),
    )
    return owners.length > 0 ? new WholeValue(owners) : NOBODY
  }
}

function childOf<K>(children: Map<K, OwnerNode>, key: K, name: string): OwnerNode {
  const known = children.get(key)
  if (known) return known
  const node = new OwnerNode(name)
  children.set(key, node)
  return node
}

/**
 * Which entries of a list each set of keys means. Keys with a default are in one of the two only, as where a port's
 * protocol was left out: after those that agree in all keys, the one entry that agrees in what both have.
 */
function matchEntries(
  entries: readonly { readonly keys: Fields; readonly node: OwnerNode }[],
  list: readonly unknown[],
): Map<number, OwnerNode> {
  const found = new Map<number, OwnerNode>()
  const names = [...new Set(entries.flatMap(({ keys }) => Object.keys(keys)))]
  const byKeys = new Map(entries.map(({ keys, node }) => [identity(keys, names), node]))
  const matched = new Set<OwnerNode>()
  for (const [index, item] of list.entries()) {
    const node = isRecord(item) ? byKeys.get(identity(item, names)) : undefined
    if (node) found.set(index, node)
    if (node) matched.add(node)
  }
  for (const { keys, node } of entries.filter((known) => !matched.has(known.node))) {
    const likely = [...list.keys()].filter((i) => !found.has(i) && agreesInShared(keys, list[i]))
    const [only] = likely
    if (only !== undefined && likely.length === 1) found.set(only, node)
  }
  return found
}

function identity(fields: Fields, names: readonly string[]): string {
  return names.map((name) => canonical(ownValue(fields, name))).join()
}

function agreesInShared(keys: Fields, item: unknown): boolean {
  if (!isRecord(item)) return false
  const shared = Object.keys(keys).filter(
    (key) => ownValue(keys, key) !== null && ownValue(item, key) !== null,
  )
  return shared.length > 0 && identity(keys, shared) === identity(item, shared)
}

function ownValue(fields: Fields, name: string): unknown {
  return (Object.hasOwn(fields, name) ? fields[name] : undefined) ?? null
}

/** JSON with sorted keys. */
function canonical(value: unknown): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  return JSON.stringify(value, (_, inner: unknown) =>
    isRecord(inner)
      ? Object.fromEntries(Object.entries(inner).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  )
}

type Fields = Readonly<Record<string, unknown>>

function isRecord(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
