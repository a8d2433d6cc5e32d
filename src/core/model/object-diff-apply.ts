import type { FieldChange } from '../wire/change.ts'
import { formatPath, parsePath, type PathStep } from './field-path-syntax.ts'
import { applyLines } from './object-diff-lines.ts'
import { equalValues, isMap, type JsonMap } from './object-diff-equal.ts'
import { findEntry } from './object-diff-entry.ts'
import { invertChanges } from './revert-change.ts'

/** A diff does not fit the object that it is put onto. */
export class ChangeConflict extends Error {
  override readonly name = 'ChangeConflict'
  /** The field where it does not fit. */
  readonly path: string

  constructor(path: string, reason: string) {
    super(`${path === '' ? 'the object' : path}: ${reason}`)
    this.path = path
  }
}

/** The version after a diff, made from the version before it; shares what did not change. */
export function applyChanges(object: unknown, changes: readonly FieldChange[]): unknown {
  const tree = treeOf(changes)
  const { change } = tree
  if (!change) return applyTree(object, tree, [])
  const from = change.op === 'add' ? undefined : object
  if (change.op === 'add' && object !== undefined) throw new ChangeConflict('', 'it is there already')
  return changedValue(from, change, [])
}

/** The version before a diff, made from the version after it. */
export function revertChanges(object: unknown, changes: readonly FieldChange[]): unknown {
  return applyChanges(object, invertChanges(changes))
}

interface ChangeTree {
  change: FieldChange | undefined
  readonly children: { readonly step: PathStep; readonly tree: ChangeTree }[]
  readonly byStep: Map<string, ChangeTree>
}

const emptyTree = (): ChangeTree => ({ change: undefined, children: [], byStep: new Map() })

function treeOf(changes: readonly FieldChange[]): ChangeTree {
  const root = emptyTree()
  for (const change of changes) {
    let tree = root
    for (const step of parsePath(change.path)) {
      const name = formatPath([step])
      let child = tree.byStep.get(name)
      if (!child) {
        child = emptyTree()
        tree.byStep.set(name, child)
        tree.children.push({ step, tree: child })
      }
      tree = child
    }
    tree.change = change
  }
  return root
}

function applyTree(value: unknown, tree: ChangeTree, steps: readonly PathStep[]): unknown {
  if (tree.children.length === 0) return value
  if (Array.isArray(value)) return applyToList(value, tree, steps)
  if (isMap(value)) return applyToMap(value, tree, steps)
  throw new ChangeConflict(formatPath(steps), 'it has no fields')
}

function applyToMap(map: JsonMap, tree: ChangeTree, steps: readonly PathStep[]): JsonMap {
  const result: Record<string, unknown> = { ...map }
  for (const { step, tree: child } of tree.children) {
    const at = [...steps, step]
    if (!('key' in step)) throw new ChangeConflict(formatPath(at), 'it is a map and no list')
    const { key } = step
    const there = Object.hasOwn(result, key)
    const { change } = child
    if (change?.op === 'add') {
      if (there) throw new ChangeConflict(formatPath(at), 'it is there already')
      put(result, key, change.to)
      continue
    }
    if (!there) throw new ChangeConflict(formatPath(at), 'it is not there')
    const value = change ? changedValue(result[key], change, at) : applyTree(result[key], child, at)
    if (change?.op === 'remove') delete result[key]
    else put(result, key, value)
  }
  return result
}

/** Sets a key as JSON.parse does: `__proto__` is a key like any other. */
function put(map: Record<string, unknown>, key: string, value: unknown): void {
  Object.defineProperty(map, key, { value, writable: true, enumerable: true, configurable: true })
}

/** The value after the change of its own field; undefined where it was taken away. */
function changedValue(value: unknown, change: FieldChange, steps: readonly PathStep[]): unknown {
  if (change.op === 'add') return change.to
  if (change.lines) {
    const text = typeof value === 'string' ? applyLines(value, change.lines) : undefined
    if (text === undefined) throw new ChangeConflict(formatPath(steps), 'the text is another')
    return text
  }
  if (!equalValues(value, change.from)) throw new ChangeConflict(formatPath(steps), 'the value is another')
  return change.op === 'remove' ? undefined : change.to
}

interface Arrival {
  readonly to: number
  readonly entry: unknown
}

function applyToList(list: readonly unknown[], tree: ChangeTree, steps: readonly PathStep[]): unknown[] {
  const entries = [...list]
  const leaving = new Set<number>()
  const arrivals: Arrival[] = []
  for (const { step, tree: child } of tree.children) {
    const at = [...steps, step]
    const { change } = child
    const place = findEntry(list, step)
    if (change?.op === 'add') {
      if (place !== undefined) throw new ChangeConflict(formatPath(at), 'it is there already')
      arrivals.push({ to: change.index?.to ?? Number.POSITIVE_INFINITY, entry: change.to })
      continue
    }
    if (place === undefined) throw new ChangeConflict(formatPath(at), 'it is not there')
    const moves = change?.index?.to !== undefined
    if (change && !moves) entries[place] = changedValue(entries[place], change, at)
    else entries[place] = applyTree(entries[place], child, at)
    const { from, to } = change?.index ?? {}
    if (from !== undefined && from !== place) {
      throw new ChangeConflict(formatPath(at), 'it is at another place')
    }
    if (change?.op === 'remove' || moves) leaving.add(place)
    if (to !== undefined) arrivals.push({ to, entry: entries[place] })
  }
  return arrange(
    entries.filter((_, i) => !leaving.has(i)),
    arrivals,
  )
}

/** Puts entries in at their places in the new list, where all others keep their order. */
function arrange(staying: unknown[], arrivals: readonly Arrival[]): unknown[] {
  if (arrivals.length === 0) return staying
  const result: unknown[] = []
  let next = 0
  for (const { to, entry } of arrivals.toSorted((a, b) => a.to - b.to)) {
    while (result.length < to && next < staying.length) result.push(staying[next++])
    result.push(entry)
  }
  return [...result, ...staying.slice(next)]
}
