import { diffLines } from '../lib/text-diff.ts'
import type { FieldChange } from '../wire/change.ts'
import { formatPath, type PathScalar, type PathStep } from './field-path-syntax.ts'
import { identities, type ListKeys } from './list-keys.ts'
import { equalValues, isMap, type JsonMap } from './object-diff-equal.ts'
import { movedEntries } from './object-diff-order.ts'

/** The way back: a diff put onto an object. */
export { applyChanges, ChangeConflict, revertChanges } from './object-diff-apply.ts'

/**
 * What changed between two versions of an object, so that either follows exactly from the other and the diff: maps key
 * by key, lists whose entries have keys entry by entry with their places, texts of several lines by lines, all else as
 * whole values. Undefined stands for no object: a CREATE or DELETE is one change with path ``.
 */
export function diffObjects(before: unknown, after: unknown, keys: ListKeys): FieldChange[] {
  if (before === undefined && after === undefined) return []
  if (before === undefined) return [{ path: '', op: 'add', to: after }]
  if (after === undefined) return [{ path: '', op: 'remove', from: before }]
  const differ = new Differ(keys)
  differ.visit(before, after)
  return differ.changes
}

class Differ {
  readonly changes: FieldChange[] = []
  readonly #keys: ListKeys
  /** Where the visit is; a map's key stands as plain text, since most are passed and never written. */
  readonly #trail: (string | PathStep)[] = []

  constructor(keys: ListKeys) {
    this.#keys = keys
  }

  visit(before: unknown, after: unknown): void {
    if (before === after) return
    if (typeof before === 'object' && typeof after === 'object' && before !== null && after !== null) {
      if (Array.isArray(before)) {
        if (Array.isArray(after)) return this.#visitLists(before, after)
      } else if (!Array.isArray(after)) return this.#visitMaps(before as JsonMap, after as JsonMap)
    } else if (typeof before === 'string' && typeof after === 'string') {
      return this.#visitTexts(before, after)
    }
    this.#emit({ op: 'replace', from: before, to: after })
  }

  #visitTexts(before: string, after: string): void {
    this.#emit(
      before.includes('\n') && after.includes('\n')
        ? { op: 'replace', lines: diffLines(before.split('\n'), after.split('\n')) }
        : { op: 'replace', from: before, to: after },
    )
  }

  #visitMaps(before: JsonMap, after: JsonMap): void {
    const keys = Object.keys(before)
    const others = Object.keys(after)
    const depth = this.#trail.length
    let sameKeys = keys.length === others.length
    for (let i = 0; i < keys.length; i++) {
      const key = keys[i] as string
      const value = before[key]
      // Two versions nearly always have their keys in one order, and then none needs to be looked up.
      if (key === others[i] || Object.hasOwn(after, key)) {
        const other = after[key]
        if (value === other) continue
        this.#trail[depth] = key
        this.visit(value, other)
      } else {
        sameKeys = false
        this.#trail[depth] = key
        this.#emit({ op: 'remove', from: value })
      }
      this.#trail.length = depth
    }
    if (sameKeys) return
    for (const key of others) {
      if (Object.hasOwn(before, key)) continue
      this.#at(key, () => this.#emit({ op: 'add', to: after[key] }))
    }
  }

  #visitLists(before: readonly unknown[], after: readonly unknown[]): void {
    if (equalValues(before, after)) return
    const keys = this.#keys(this.#steps(), before, after)
    const from = keys && identities(before, keys)
    const to = keys && identities(after, keys)
    if (!keys || !from || !to) return this.#emit({ op: 'replace', from: before, to: after })
    const places = new Map(from.map((identity, i) => [identity, i]))
    const kept = to.map((identity) => places.get(identity))
    const moved = movedEntries(kept)
    for (const [i, entry] of after.entries()) {
      const place = kept[i]
      this.#at(stepOf(entry, keys), () => {
        if (place === undefined) return this.#emit({ op: 'add', to: entry, index: { to: i } })
        if (moved.has(i)) this.#emit({ op: 'replace', index: { from: place, to: i } })
        this.visit(before[place], entry)
      })
    }
    const stays = new Set(kept)
    for (const [i, entry] of before.entries()) {
      if (stays.has(i)) continue
      this.#at(stepOf(entry, keys), () => this.#emit({ op: 'remove', from: entry, index: { from: i } }))
    }
  }

  #at(step: string | PathStep, visit: () => void): void {
    this.#trail.push(step)
    visit()
    this.#trail.pop()
  }

  #steps(): PathStep[] {
    return this.#trail.map((step) => (typeof step === 'string' ? { key: step } : step))
  }

  #emit(change: Omit<FieldChange, 'path'>): void {
    this.changes.push({ path: formatPath(this.#steps()), ...change })
  }
}

function stepOf(entry: unknown, keys: readonly string[] | 'set'): PathStep {
  if (keys === 'set' || !isMap(entry)) return { value: entry as PathScalar }
  return { entry: Object.fromEntries(keys.map((key) => [key, entry[key] as PathScalar])) }
}
