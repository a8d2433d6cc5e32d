import { formatPath, parsePath, type PathStep } from '../../../core/model/field-path.ts'
import { wellKnownListKeys } from '../../../core/model/list-keys.ts'
import { isMap } from '../../../core/model/object-diff-equal.ts'
import type { FieldChange } from '../../../core/wire/change.ts'
import { isDefaulted } from './field-interest.ts'
import { valueText } from './values.ts'

/** More than this is told as one value, which a screen shortens: its fields would bury the others. */
const MOST_LEAVES = 16

/** An entry of a list is one thing: it is taken apart where it would not stand on one line, in characters. */
const ENTRY_WIDTH = 50

/**
 * Of a map, or a list of named entries, that came or went as a whole, its fields each for itself, where they are few:
 * an `env` that was added tells one line for each variable. All else, and what has no path, stays as it is.
 */
export function unfoldField(change: FieldChange): readonly FieldChange[] {
  const { path, op, lines } = change
  if (op === 'replace' || path === '' || lines) return [change]
  const steps = stepsOf(path)
  if (steps === undefined) return [change]
  const leaves = leavesOf(steps, op === 'add' ? change.to : change.from)
  if (leaves[0]?.steps === steps) return [change]
  const fields = leaves.map((leaf): FieldChange => {
    const at = formatPath(leaf.steps)
    return op === 'add' ? { path: at, op, to: leaf.value } : { path: at, op, from: leaf.value }
  })
  const telling = fields.filter((field) => !isDefaulted(field)).length
  return telling === 0 || telling > MOST_LEAVES ? [change] : fields
}

interface Leaf {
  readonly steps: readonly PathStep[]
  readonly value: unknown
}

function leavesOf(steps: readonly PathStep[], value: unknown): Leaf[] {
  const members = isOneThing(steps, value) ? [] : membersOf(steps, value)
  if (members.length === 0) return [{ steps, value }]
  return members.flatMap(({ step, value: member }) => leavesOf([...steps, step], member))
}

interface Member {
  readonly step: PathStep
  readonly value: unknown
}

function membersOf(steps: readonly PathStep[], value: unknown): Member[] {
  if (Array.isArray(value)) return entriesOf(steps, value)
  if (!isMap(value)) return []
  const named = namesOf(steps)
  return Object.entries(value)
    .filter(([key, member]) => !Object.hasOwn(named, key) || named[key] !== member)
    .map(([key, member]) => ({ step: { key }, value: member }))
}

function entriesOf(steps: readonly PathStep[], list: readonly unknown[]): Member[] {
  const keys = list.length === 0 ? undefined : wellKnownListKeys(steps, list)
  if (keys === undefined) return []
  return list.flatMap((value): Member[] => {
    if (keys === 'set') return isScalar(value) ? [{ step: { value }, value }] : []
    if (!isMap(value)) return []
    const entry = Object.fromEntries(
      keys.flatMap((key) => {
        const member = value[key]
        return isScalar(member) ? [[key, member]] : []
      }),
    )
    return [{ step: { entry }, value }]
  })
}

function isOneThing(steps: readonly PathStep[], value: unknown): boolean {
  const last = steps.at(-1)
  if (last === undefined || 'key' in last) return false
  return valueText(value).length <= ENTRY_WIDTH
}

/** What a path says of the entry that it ends in. */
function namesOf(steps: readonly PathStep[]): Readonly<Record<string, unknown>> {
  const last = steps.at(-1)
  return last !== undefined && 'entry' in last ? last.entry : {}
}

function isScalar(value: unknown): value is string | number | boolean {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
}

function stepsOf(path: string): readonly PathStep[] | undefined {
  try {
    return parsePath(path)
  } catch {
    return undefined
  }
}
