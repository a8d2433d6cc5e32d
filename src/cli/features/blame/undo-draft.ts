import { findEntry } from '../../../core/model/object-diff-entry.ts'
import { isMap } from '../../../core/model/object-diff-equal.ts'
import type { PathStep } from '../../../core/model/field-path.ts'
import type { PatchOperation } from './undo-plan.ts'

type Node = Record<string, unknown> | unknown[]

/** Where a path leads in the object as it is now. */
export interface Place {
  /** Whether there is a value. */
  readonly found: boolean
  readonly value: unknown
  /** What the last step lies in is there, so that a value can be put. */
  readonly parent: Node | undefined
  readonly token: string | number
  readonly pointer: string
}

/**
 * Today's object, step by step turned into what it shall be, with the JSON patch that does the same: first tests for
 * what the patch stands on, then the operations, whose positions in lists follow those before them.
 */
export class UndoDraft {
  readonly #today: unknown
  readonly #now: unknown
  readonly #tests = new Map<string, unknown>()
  readonly #operations: PatchOperation[] = []

  constructor(today: unknown) {
    this.#today = today
    this.#now = structuredClone(today)
  }

  /** The object as it is by now. */
  get object(): unknown {
    return this.#now
  }

  /** Empty where nothing was done. */
  get patch(): PatchOperation[] {
    if (this.#operations.length === 0) return []
    const tests = [...this.#tests].map(([path, value]) => ({ op: 'test' as const, path, value }))
    return [...tests, ...this.#operations]
  }

  at(steps: readonly PathStep[]): Place {
    return placeIn(this.#now, steps)
  }

  /** Makes the patch fail where the value of a path, or an entry on the way to it, is another one than today. */
  standOn(steps: readonly PathStep[], withValue: boolean): void {
    for (const [i, step] of steps.entries()) {
      if ('key' in step) continue
      const entry = placeIn(this.#today, steps.slice(0, i + 1))
      if (entry.found) this.#testIdentity(entry, step)
    }
    const place = placeIn(this.#today, steps)
    if (withValue && place.found) this.#tests.set(place.pointer, place.value)
  }

  /**
   * Makes the patch fail where something is there that was not today. RFC 6902 has no test for that: the number that
   * rises with each change of the spec is tested, or of the object where it has none of the spec; in metadata the map or
   * list itself. Annotations are not: they hold copies of objects, and controllers write theirs at any time.
   */
  standOnAbsence(steps: readonly PathStep[]): void {
    const outer = steps.slice(0, -1)
    this.standOn(outer, false)
    const [first, second] = steps.map((step) => ('key' in step ? step.key : ''))
    const [generation, version] = ['generation', 'resourceVersion'].map((key) =>
      placeIn(this.#today, [{ key: 'metadata' }, { key }]),
    )
    const number = generation?.found ? generation : version
    if (first !== 'metadata' || !generation?.found) {
      if (number?.found) this.#tests.set(number.pointer, number.value)
    } else if (outer.length > 1 && second !== 'annotations') {
      this.standOn(outer, true)
    }
  }

  #testIdentity({ pointer, value }: Place, step: PathStep): void {
    if ('value' in step) this.#tests.set(pointer, value)
    if (!('entry' in step)) return
    for (const [key, identity] of Object.entries(step.entry)) {
      this.#tests.set(pointer + pointerStep(key), identity)
    }
  }

  put(place: Place, value: unknown): void {
    const { parent, token, found, pointer } = place
    if (parent === undefined) return
    if (!Array.isArray(parent)) define(parent, String(token), value)
    else if (found) parent[Number(token)] = value
    else parent.splice(Number(token), 0, value)
    this.#operations.push({ op: found ? 'replace' : 'add', path: pointer, value })
  }

  remove({ parent, token, pointer }: Place): void {
    if (parent === undefined) return
    if (Array.isArray(parent)) parent.splice(Number(token), 1)
    else delete parent[token]
    this.#operations.push({ op: 'remove', path: pointer })
  }

  /** Puts a new entry into the list at a path. */
  insert(list: readonly PathStep[], index: number, value: unknown): void {
    const place = this.at(list)
    if (!Array.isArray(place.value)) return
    const token = Math.min(index, place.value.length)
    this.put(
      { found: false, value: undefined, parent: place.value, token, pointer: `${place.pointer}/${token}` },
      value,
    )
  }
}

function placeIn(root: unknown, steps: readonly PathStep[]): Place {
  let place: Place = { found: root !== undefined, value: root, parent: undefined, token: '', pointer: '' }
  for (const step of steps) place = stepInto(place, step)
  return place
}

function stepInto({ value, pointer }: Place, step: PathStep): Place {
  if ('key' in step) {
    const there = isMap(value) ? value : undefined
    const found = there !== undefined && Object.hasOwn(there, step.key)
    return {
      found,
      value: found ? there[step.key] : undefined,
      parent: there,
      token: step.key,
      pointer: pointer + pointerStep(step.key),
    }
  }
  const list = Array.isArray(value) ? (value as unknown[]) : undefined
  const index = list && findEntry(list, step)
  const token = index ?? list?.length ?? 0
  return {
    found: index !== undefined,
    value: index === undefined ? undefined : list?.[index],
    parent: list,
    token,
    pointer: `${pointer}/${token}`,
  }
}

/** A step of a JSON pointer (RFC 6901). */
function pointerStep(key: string): string {
  return `/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`
}

function define(map: Record<string, unknown>, key: string, value: unknown): void {
  Object.defineProperty(map, key, { value, writable: true, enumerable: true, configurable: true })
}
