import type { PathStep } from './field-path-syntax.ts'
import { isMap } from './object-diff-equal.ts'

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
