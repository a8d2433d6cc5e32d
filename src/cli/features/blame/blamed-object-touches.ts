import { parsePath, type PathStep } from '../../../core/model/field-path.ts'
import type { FieldTouch } from '../../../core/wire/change.ts'
import type { TimedTouch } from './blamed-object-owners.ts'

/** The recorded touches that cover a place in an object, and those below it. */
export interface Covering {
  /** The one that holds for this place. */
  readonly touch: TimedTouch | undefined
  readonly below: readonly TouchNode[]
}

/** Touches by the steps of their paths. */
export interface TouchNode {
  touch: TimedTouch | undefined
  readonly children: { readonly step: PathStep; readonly node: TouchNode }[]
}

/** Touches as they are looked for while an object is walked, and all of them. */
export interface TouchTree {
  readonly root: Covering
  readonly all: readonly TimedTouch[]
}

const CLOCKS_DIFFER_MS = 5000

/** Touches of an object by their paths; one whose path cannot be read is left out. */
export function touchTree(touches: readonly FieldTouch[]): TouchTree {
  const root: TouchNode = { touch: undefined, children: [] }
  const all = touches.flatMap(asWritten)
  for (const touch of all) {
    const node = nodeAt(root, touch.path)
    if (node) node.touch = latest(node.touch, touch)
  }
  return { root: { touch: root.touch, below: [root] }, all }
}

/** Of an object that waits for its finalizers a DELETE touched only the times of its end; a CONNECT touches nothing. */
function asWritten(touch: FieldTouch): readonly TimedTouch[] {
  const timed = { ...touch, at: Date.parse(touch.time) }
  if (touch.operation === 'CONNECT') return []
  if (touch.operation !== 'DELETE' || touch.path !== '') return [timed]
  return ['metadata.deletionTimestamp', 'metadata.deletionGracePeriodSeconds'].map((path) => ({
    ...timed,
    path,
  }))
}

function nodeAt(root: TouchNode, path: string): TouchNode | undefined {
  let steps: PathStep[]
  try {
    steps = parsePath(path)
  } catch {
    return undefined
  }
  let node = root
  for (const step of steps) {
    const text = JSON.stringify(step)
    let child = node.children.find((known) => JSON.stringify(known.step) === text)
    if (!child) node.children.push((child = { step, node: { touch: undefined, children: [] } }))
    node = child.node
  }
  return node
}

/**
 * What covers a field or a list's item, one step below. The deepest touch covers it, unless one above is surely later:
 * an entry that was taken out and put back is all of the one who put it back.
 */
export function coveringBelow(
  { touch, below }: Covering,
  place: { readonly key: string } | { readonly index: number; readonly item: unknown },
): Covering {
  if (below.length === 0) return { touch, below }
  const reached = below.flatMap(({ children }) =>
    children.filter(({ step }) => leadsTo(step, place)).map(({ node }) => node),
  )
  const deeper = reached.reduce<TimedTouch | undefined>((best, node) => latest(best, node.touch), undefined)
  return { touch: holding(touch, deeper), below: reached }
}

/** What status and the server's own counters are not covered by: a change of the object does not reach them. */
export function onlyBelow({ below }: Covering): Covering {
  return { touch: undefined, below }
}

function latest(one: TimedTouch | undefined, other: TimedTouch | undefined): TimedTouch | undefined {
  if (!one || !other) return other ?? one
  return one.at > other.at ? one : other
}

/** The time of a change without a review is only when it was noticed, and two replicas' clocks differ a little. */
function holding(above: TimedTouch | undefined, deeper: TimedTouch | undefined): TimedTouch | undefined {
  if (!above || !deeper) return deeper ?? above
  return above.state !== 'unattributed' && above.at > deeper.at + CLOCKS_DIFFER_MS ? above : deeper
}

function leadsTo(step: PathStep, place: Parameters<typeof coveringBelow>[1]): boolean {
  if ('key' in place) return 'key' in step && step.key === place.key
  if ('index' in step) return step.index === place.index
  if ('value' in step) return step.value === place.item
  if (!('entry' in step)) return false
  const { item } = place
  if (typeof item !== 'object' || item === null) return false
  const fields = item as Readonly<Record<string, unknown>>
  return Object.entries(step.entry).every(
    ([key, value]) => Object.hasOwn(fields, key) && fields[key] === value,
  )
}
