import { diffLines } from '../lib/text-diff.ts'
import type { FieldChange } from '../wire/change.ts'
import { formatPath, type PathStep } from './field-path-syntax.ts'
import type { EntryKeys, ListKeys } from './list-keys.ts'
import { entryStep } from './object-diff-entry.ts'
import { equalValues, type JsonMap } from './object-diff-equal.ts'
import { matchEntries } from './object-diff-match.ts'
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
  differ.visit(before, after, 0)
  return differ.changes
}

class Differ {
  readonly changes: FieldChange[] = []
  readonly #keys: ListKeys
  /** Where the visit is, up to its depth; a map's key stands as plain text, since most are passed and never written. */
  readonly #trail: (string | PathStep)[] = []

  constructor(keys: ListKeys) {
    this.#keys = keys
  }

  visit(before: unknown, after: unknown, depth: number): void {
    if (before === after) return
    if (typeof before === 'object' && typeof after === 'object' && before !== null && after !== null) {
      if (Array.isArray(before)) {
        if (Array.isArray(after)) return this.#visitLists(before, after, depth)
      } else if (!Array.isArray(after)) {
        return this.#visitMaps(before as JsonMap, after as JsonMap, depth)
      }
    } else if (typeof before === 'string' && typeof after === 'string') {
      return this.#visitTexts(before, after, depth)
    }
    this.#emit(depth, { op: 'replace', from: before, to: after })
  }

  #visitTexts(before: string, after: string, depth: number): void {
    this.#emit(
      depth,
      before.includes('\n') && after.includes('\n')
        ? { op: 'replace', lines: diffLines(before, after) }
        : { op: 'replace', from: before, to: after },
    )
  }

  #visitMaps(before: JsonMap, after: JsonMap, depth: number): void {
    const keys = Object.keys(before)
    const others = Object.keys(after)
    let sameKeys = keys.length === others.length
    for (let i = 0; i < keys.length; i++) {
      const key = keys[i] as string
      const value = before[key]
      // Two versions nearly always have their keys in one order, and then none needs to be looked up.
      if (key === others[i] || Object.hasOwn(after, key)) {
        const other = after[key]
        if (value === other) continue
        this.#trail[depth] = key
        this.visit(value, other, depth + 1)
      } else {
        sameKeys = false
        this.#trail[depth] = key
        this.#emit(depth + 1, { op: 'remove', from: value })
      }
    }
    if (sameKeys) return
    for (const key of others) {
      if (Object.hasOwn(before, key)) continue
      this.#trail[depth] = key
      this.#emit(depth + 1, { op: 'add', to: after[key] })
    }
  }

  #visitLists(before: readonly unknown[], after: readonly unknown[], depth: number): void {
    const limit = Math.min(before.length, after.length)
    let start = 0
    while (start < limit && equalValues(before[start], after[start])) start++
    if (start === before.length && start === after.length) return
    let same = 0
    while (
      same < limit - start &&
      equalValues(before[before.length - 1 - same], after[after.length - 1 - same])
    )
      same++
    const keys = this.#keys(this.#steps(depth), before, after)
    const places = keys && matchEntries(before, after, keys)
    if (!keys || !places) return this.#emit(depth, { op: 'replace', from: before, to: after })
    const middle = { start, beforeEnd: before.length - same, afterEnd: after.length - same }
    this.#visitEntries({ before, after, keys, places, ...middle }, depth)
  }

  #visitEntries(lists: MatchedLists, depth: number): void {
    const { before, after, keys, places, start, beforeEnd, afterEnd } = lists
    const moved = movedEntries(places)
    const gone = new Set(Array.from({ length: beforeEnd - start }, (_, i) => start + i))
    for (let i = start; i < afterEnd; i++) {
      const place = places[i]
      this.#trail[depth] = entryStep(keys, after[i], i)
      if (place === undefined) {
        this.#emit(depth + 1, { op: 'add', to: after[i], index: { to: i } })
        continue
      }
      gone.delete(place)
      if (moved.has(i)) this.#emit(depth + 1, { op: 'replace', index: { from: place, to: i } })
      this.visit(before[place], after[i], depth + 1)
    }
    for (const i of gone) {
      this.#trail[depth] = entryStep(keys, before[i], i)
      this.#emit(depth + 1, { op: 'remove', from: before[i], index: { from: i } })
    }
  }

  #steps(depth: number): PathStep[] {
    return this.#trail.slice(0, depth).map((step) => (typeof step === 'string' ? { key: step } : step))
  }

  #emit(depth: number, change: Omit<FieldChange, 'path'>): void {
    this.changes.push({ path: formatPath(this.#steps(depth)), ...change })
  }
}

/** Two versions of a list whose entries were matched; outside of the middle all entries are the same in both. */
interface MatchedLists {
  readonly before: readonly unknown[]
  readonly after: readonly unknown[]
  readonly keys: EntryKeys
  /** Where each entry of `after` stands in `before`. */
  readonly places: readonly (number | undefined)[]
  readonly start: number
  readonly beforeEnd: number
  readonly afterEnd: number
}
