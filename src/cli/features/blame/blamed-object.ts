import { compareYamlKeys, yamlBlock, yamlScalar } from '../../../core/lib/yaml-scalar.ts'
import type { OwnedField } from '../../../core/model/field-owners.ts'
import { formatPath, type PathStep } from '../../../core/model/field-path.ts'
import { listKeysOf, type ListKeys } from '../../../core/model/list-keys.ts'
import type { KubernetesObject } from '../../../core/wire/admission-review.ts'
import type { FieldTouch } from '../../../core/wire/change.ts'
import { withoutSecretValues } from './blamed-object-secret.ts'
import { lineOwners, type LineOwner } from './blamed-object-owners.ts'
import {
  coveringBelow,
  onlyBelow,
  touchTree,
  type Covering,
  type TouchTree,
} from './blamed-object-touches.ts'

/** One line of an object's YAML, and who is named at it. */
export interface BlamedLine {
  /** Of the field that the line is about, by core/model/field-path; a text of several lines has one path. */
  readonly path: string
  /** The YAML, with its indentation, without a line feed. */
  readonly text: string
  /** Empty where nobody is known to own the field; the first one wrote last. */
  readonly owners: readonly LineOwner[]
  /** A further line of the same value, in which YAML has no place for a comment. */
  readonly continued: boolean
}

/** What is known of an object's fields. */
export interface BlameSources {
  /** `fieldOwners` of the object; undefined where it has no managedFields. */
  readonly owners: OwnedField | undefined
  /** What the companion recorded. */
  readonly touched?: readonly FieldTouch[] | undefined
}

/**
 * An object as the lines of its YAML in kubectl's form (keys sorted, lists not indented, long text not folded), without
 * managedFields and a Secret's values, with who is named at each line. The lines joined by line feeds are the object.
 * The first line of a list's item is about its first field, or about the item where nobody owns that.
 */
export function blamedObject(
  object: KubernetesObject,
  { owners, touched = [] }: BlameSources,
): readonly BlamedLine[] {
  const { metadata, ...rest } = withoutSecretValues(object)
  const { managedFields: _, ...kept } = metadata ?? {}
  const shown = metadata ? { ...rest, metadata: kept } : rest
  return new Walk(listKeysOf(object), touchTree(touched)).lines(shown, owners ?? NOBODY)
}

const NOBODY: OwnedField = { owners: [], field: () => NOBODY, items: (list) => list.map(() => NOBODY) }

// No person's write: the API server and controllers set them, and changes leave them out (core/model/object-noise).
const NOT_COVERED = new Set([
  'status',
  'metadata.generation',
  'metadata.resourceVersion',
  'metadata.selfLink',
  'metadata.annotations["deployment.kubernetes.io/revision"]',
  'metadata.annotations["kubectl.kubernetes.io/last-applied-configuration"]',
])

// YAML ends a key that is not announced by `?` after 1,024 characters (1.2.2, section 7.4.2).
const LONGEST_KEY = 1000

/** A value and all that is known of its place. */
interface Place {
  readonly value: unknown
  readonly path: string
  readonly owned: OwnedField
  readonly covering: Covering
}

class Walk {
  readonly #keys: ListKeys
  readonly #touches: TouchTree
  readonly #lines: BlamedLine[] = []
  readonly #steps: PathStep[] = []

  constructor(keys: ListKeys, touches: TouchTree) {
    this.#keys = keys
    this.#touches = touches
  }

  lines(object: unknown, owned: OwnedField): readonly BlamedLine[] {
    const place: Place = { value: object, path: '', owned, covering: this.#touches.root }
    const fields = fieldsOf(object)
    if (fields.length > 0) this.#fields(fields, place, '', '', [])
    else this.#add(place, inline(object), [])
    return this.#lines
  }

  #fields(
    fields: readonly (readonly [string, unknown])[],
    map: Place,
    indent: string,
    head: string,
    ofItem: readonly LineOwner[],
  ): void {
    let first = head
    let owners = ofItem
    for (const [key, value] of fields) {
      const step = { key }
      this.#steps.push(step)
      const place = this.#below(map, step, value, map.owned.field(key), { key })
      this.#field(key, place, indent, first, owners)
      this.#steps.pop()
      first = indent
      owners = []
    }
  }

  #field(key: string, place: Place, indent: string, head: string, ofItem: readonly LineOwner[]): void {
    const name = yamlScalar(key)
    const { value } = place
    const long = name.length > LONGEST_KEY
    if (long) this.#add(place, `${head}? ${name}`, ofItem)
    const start = long ? `${indent}:` : `${head}${name}:`
    const fields = fieldsOf(value)
    if (fields.length > 0) {
      this.#add(place, start, ofItem)
      this.#fields(fields, place, `${indent}  `, `${indent}  `, [])
    } else if (Array.isArray(value) && value.length > 0) {
      this.#add(place, start, ofItem)
      this.#items(value, place, indent, indent)
    } else {
      this.#scalar(place, `${start} `, `${indent}  `, ofItem)
    }
  }

  #items(list: readonly unknown[], place: Place, indent: string, head: string): void {
    const keys = this.#keys(this.#steps, list, [])
    const owned = place.owned.items(list)
    let first = head
    for (const [index, item] of list.entries()) {
      const step = itemStep(keys, item, index)
      this.#steps.push(step)
      this.#item(this.#below(place, step, item, owned[index] ?? NOBODY, { index, item }), indent, first)
      this.#steps.pop()
      first = indent
    }
  }

  #item(place: Place, indent: string, head: string): void {
    const { value } = place
    const inner = `${indent}  `
    const fields = fieldsOf(value)
    if (fields.length > 0) this.#fields(fields, place, inner, `${head}- `, this.#ownersOf(place))
    else if (Array.isArray(value) && value.length > 0) this.#items(value, place, inner, `${head}- `)
    else this.#scalar(place, `${head}- `, inner, [])
  }

  #scalar(place: Place, start: string, inner: string, ofItem: readonly LineOwner[]): void {
    const { value } = place
    const block = typeof value === 'string' ? yamlBlock(value) : undefined
    if (!block) return this.#add(place, `${start}${inline(value)}`, ofItem)
    this.#add(place, `${start}${block.header}`, ofItem)
    const owners = this.#lines.at(-1)?.owners ?? []
    for (const line of block.lines) {
      this.#lines.push({ path: place.path, text: line === '' ? '' : inner + line, owners, continued: true })
    }
  }

  #below(
    outer: Place,
    step: PathStep,
    value: unknown,
    owned: OwnedField,
    place: Parameters<typeof coveringBelow>[1],
  ): Place {
    const written = formatPath([step])
    const path =
      outer.path === '' || written.startsWith('[') ? outer.path + written : `${outer.path}.${written}`
    const from = NOT_COVERED.has(path) ? onlyBelow(outer.covering) : outer.covering
    return { value, path, owned, covering: coveringBelow(from, place) }
  }

  #ownersOf({ owned, covering }: Place): readonly LineOwner[] {
    return lineOwners(covering.touch, owned.owners, this.#touches.all)
  }

  #add(place: Place, text: string, ofItem: readonly LineOwner[]): void {
    const own = this.#ownersOf(place)
    const owners = own.length > 0 ? own : ofItem
    this.#lines.push({ path: place.path, text, owners, continued: false })
  }
}

function itemStep(keys: ReturnType<ListKeys>, item: unknown, index: number): PathStep {
  if (keys === 'set') return { value: item as string | number | boolean }
  if (!keys) return { index }
  const fields = item as Readonly<Record<string, string | number | boolean>>
  return { entry: Object.fromEntries(keys.map((key) => [key, fields[key] ?? ''])) }
}

/** A map's fields in kubectl's order; none of an empty map and of any other value. */
function fieldsOf(value: unknown): readonly (readonly [string, unknown])[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return []
  return Object.entries(value)
    .filter(([, inner]) => inner !== undefined)
    .toSorted(([a], [b]) => compareYamlKeys(a, b))
}

function inline(value: unknown): string {
  if (Array.isArray(value)) return '[]'
  if (typeof value === 'object' && value !== null) return '{}'
  return yamlScalar(value as string | number | boolean | null)
}
