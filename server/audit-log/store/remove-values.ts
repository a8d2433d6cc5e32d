import { formatPath, parsePath, type PathStep } from '../../../src/core/model/field-path.ts'
import type { FieldChange } from '../../../src/core/wire/change.ts'

/** What stands where a value was purged. */
export const PURGED = 'purged'

/** A change of a field without the values at a path and below; the same object where it holds none. */
export function removeValues(change: FieldChange, steps: readonly PathStep[]): FieldChange {
  const at = trySteps(change.path)
  if (!at) return change
  const shared = Math.min(at.length, steps.length)
  if (formatPath(at.slice(0, shared)) !== formatPath(steps.slice(0, shared))) return change
  const { lines, ...rest } = change
  if (at.length >= steps.length) {
    const left = [rest.from, rest.to].filter((value) => value !== undefined && value !== PURGED)
    if (!lines && left.length === 0) return change
    return {
      ...rest,
      ...('from' in rest || lines ? { from: PURGED } : {}),
      ...('to' in rest || lines ? { to: PURGED } : {}),
    }
  }
  const below = steps.slice(at.length)
  const from = removeFrom(change.from, below)
  const to = removeFrom(change.to, below)
  if (from === change.from && to === change.to) return change
  return { ...change, ...('from' in change ? { from } : {}), ...('to' in change ? { to } : {}) }
}

/** A value without what stands at a path in it; the same value where there is nothing. */
export function removeFrom(value: unknown, steps: readonly PathStep[]): unknown {
  const [step, ...below] = steps
  if (step === undefined) return value === undefined ? undefined : PURGED
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) {
    const purged = value.map((entry: unknown, place) =>
      isEntry(step, entry, place) ? removeFrom(entry, below) : entry,
    )
    return purged.some((entry, place) => entry !== value[place]) ? purged : value
  }
  if (!('key' in step) || !Object.hasOwn(value, step.key)) return value
  const map = value as Readonly<Record<string, unknown>>
  const inner = removeFrom(map[step.key], below)
  return inner === map[step.key] ? value : { ...map, [step.key]: inner }
}

function isEntry(step: PathStep, entry: unknown, place: number): boolean {
  if ('index' in step) return place === step.index
  if ('value' in step) return entry === step.value
  if (!('entry' in step) || typeof entry !== 'object' || entry === null) return false
  const map = entry as Readonly<Record<string, unknown>>
  return Object.entries(step.entry).every(([key, value]) => map[key] === value)
}

function trySteps(path: string): PathStep[] | undefined {
  try {
    return parsePath(path)
  } catch {
    return undefined
  }
}
