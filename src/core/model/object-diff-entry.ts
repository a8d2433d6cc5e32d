import type { PathScalar, PathStep } from './field-path-syntax.ts'
import type { EntryKeys } from './list-keys.ts'
import { isMap } from './object-diff-equal.ts'

/** The step to a list's entry: by its keys, by itself in a set, by its place where there are no keys. */
export function entryStep(keys: EntryKeys | undefined, entry: unknown, index: number): PathStep {
  if (keys === undefined) return { index }
  if (keys === 'set' || !isMap(entry)) return { value: entry as PathScalar }
  return { entry: Object.fromEntries(keys.map((key) => [key, entry[key] as PathScalar])) }
}

/** Where in a list the entry of a step stands; undefined where it has none. */
export function findEntry(list: readonly unknown[], step: PathStep): number | undefined {
  if ('key' in step) return undefined
  if ('index' in step) return step.index < list.length ? step.index : undefined
  const place = list.findIndex((entry) => isEntry(entry, step))
  return place < 0 ? undefined : place
}

function isEntry(entry: unknown, step: Exclude<PathStep, { readonly key: string }>): boolean {
  if ('value' in step) return entry === step.value
  if (!('entry' in step) || !isMap(entry)) return false
  return Object.entries(step.entry).every(([key, value]) => Object.hasOwn(entry, key) && entry[key] === value)
}
