import type { FieldChange } from '../../../src/core/wire/change.ts'

/** Who last set a field, or removed it. */
export interface FieldTouchMark<Stamp> {
  readonly path: string
  /** Orders the changes of one object, whenever they become known. */
  readonly rank: number
  readonly time: number
  readonly removed: boolean
  readonly stamp: Stamp
}

/** What one change does to an object's touches. */
export interface TouchStep<Stamp> {
  readonly put: readonly FieldTouchMark<Stamp>[]
  readonly drop: readonly string[]
}

/** Removals are remembered for so long (milliseconds), since an earlier change may become known a little later. */
const REMEMBER_REMOVED_MS = 10 * 60_000

/**
 * Who last touched what after a change that landed: the change's own paths are touched, whatever lies below them is no
 * longer told apart, and what was removed has no touch. A field that a later change has set as a whole stays that one's,
 * so that changes may become known in any order. `marks` is brought up to date.
 */
export function touchFields<Stamp>(
  marks: Map<string, FieldTouchMark<Stamp>>,
  changes: readonly FieldChange[],
  by: { readonly rank: number; readonly time: number; readonly stamp: Stamp },
): TouchStep<Stamp> {
  const put = new Map<string, FieldTouchMark<Stamp>>()
  const drop = new Set<string>()
  const remove = (path: string): void => {
    marks.delete(path)
    put.delete(path)
    drop.add(path)
  }
  for (const mark of marks.values())
    if (mark.removed && by.time - mark.time > REMEMBER_REMOVED_MS) remove(mark.path)
  for (const change of changes) {
    if (isMove(change)) continue
    const { path } = change
    const all = [...marks.values()]
    if (all.some((mark) => mark.rank > by.rank && (mark.path === path || isBelow(path, mark.path)))) continue
    for (const mark of all) if (mark.rank <= by.rank && isBelow(mark.path, path)) remove(mark.path)
    const mark = { path, ...by, removed: change.op === 'remove' }
    marks.set(path, mark)
    put.set(path, mark)
    drop.delete(path)
  }
  return { put: [...put.values()], drop: [...drop] }
}

/** An entry that only stands elsewhere in its list has kept all its fields. */
function isMove({ op, index, lines, ...values }: FieldChange): boolean {
  return op === 'replace' && index !== undefined && !lines && !('from' in values) && !('to' in values)
}

/** Whether a field lies in another. */
function isBelow(path: string, above: string): boolean {
  if (above === '') return path !== ''
  if (!path.startsWith(above)) return false
  const next = path[above.length]
  return next === '.' || next === '['
}
