import type { FieldChange } from '../wire/change.ts'
import { formatScalar, parsePath, readSteps, type PathStep } from './field-path-syntax.ts'
import { wellKnownListKeys } from './list-keys.ts'
import { entryStep } from './object-diff-entry.ts'
import { isMap } from './object-diff-equal.ts'

/** The written form of paths. */
export { formatPath, parsePath, type PathScalar, type PathStep } from './field-path-syntax.ts'

type PatternStep = PathStep | { readonly any: true } | { readonly words: readonly string[] }

/** What screens leave out before a path, the longest first: where nearly all that people change lies. */
const HIDDEN: readonly (readonly string[])[] = [
  ['spec', 'jobTemplate', 'spec', 'template', 'spec'],
  ['spec', 'template', 'spec'],
  ['spec'],
]

/** What would be read as another field without what stands before it: a Job has two deadlines. */
const NOT_ALONE = new Set(['metadata', 'spec', 'status', 'data', 'activeDeadlineSeconds'])

/**
 * Whether a pattern names a path or what it lies in, step by step: `spec.template` fits `spec.template.spec.volumes`.
 * `*` is any key, `[*]` any entry, `[app]` the entry any of whose keys is `app`, `[80,TCP]` the one with just these.
 * What `shortPath` leaves out may be left out. A RangeError says where the pattern cannot be read.
 */
export function matchesPath(pattern: string, path: string): boolean {
  const steps = parsePath(path)
  return readings(pattern).some(
    (wanted) => wanted.length <= steps.length && wanted.every((want, i) => fitsAt(steps, i, want)),
  )
}

/** As `matchesPath`; a change of something greater counts where it has the named field in it: an added container its image. */
export function matchesChange(pattern: string, { path, from, to }: FieldChange): boolean {
  const steps = parsePath(path)
  return readings(pattern).some((wanted) => {
    const shared = Math.min(wanted.length, steps.length)
    if (!wanted.slice(0, shared).every((want, i) => fitsAt(steps, i, want))) return false
    const rest = wanted.slice(shared)
    return rest.length === 0 || holdsField(from, rest) || holdsField(to, rest)
  })
}

function holdsField(value: unknown, [want, ...rest]: readonly PatternStep[]): boolean {
  if (want === undefined) return true
  if (Array.isArray(value)) {
    const keys = wellKnownListKeys([], value)
    return value.some((entry: unknown, i) => fits(want, entryStep(keys, entry, i)) && holdsField(entry, rest))
  }
  if (!isMap(value)) return false
  return Object.entries(value).some(([key, inner]) => fits(want, { key }) && holdsField(inner, rest))
}

/** All that a pattern may mean: itself, and with what screens leave out before it. */
function readings(pattern: string): readonly (readonly PatternStep[])[] {
  const wanted = parsePattern(pattern)
  return [wanted, ...HIDDEN.map((hidden) => [...hidden.map((key) => ({ key })), ...wanted])]
}

function fitsAt(steps: readonly PathStep[], i: number, want: PatternStep): boolean {
  const step = steps[i]
  return step !== undefined && fits(want, step)
}

function parsePattern(text: string): PatternStep[] {
  return readSteps(text).map((raw) => {
    if (raw.kind === 'step') return raw.step
    const [first] = raw.words
    if (raw.words.length === 1 && first?.text === '*' && !first.quoted) return { any: true }
    return { words: raw.words.map((word) => word.text) }
  })
}

function fits(want: PatternStep, step: PathStep): boolean {
  if ('any' in want) return true
  if ('words' in want) {
    const words = wordsOf(step)
    const [only] = want.words
    return want.words.length === 1
      ? words.some((word) => word === only)
      : words.length === want.words.length && words.every((word, i) => word === want.words[i])
  }
  if ('key' in want) return 'key' in step && step.key === want.key
  if ('value' in want) return 'value' in step && step.value === want.value
  if ('index' in want) return 'index' in step && step.index === want.index
  if (!('entry' in step)) return false
  const { entry } = step
  return Object.entries(want.entry).every(([key, value]) => Object.hasOwn(entry, key) && entry[key] === value)
}

function wordsOf(step: PathStep): string[] {
  if ('key' in step) return [step.key]
  if ('index' in step) return [String(step.index)]
  if ('value' in step) return [String(step.value)]
  return Object.values(step.entry).map(String)
}

function isUnder(steps: readonly PathStep[], keys: readonly string[]): boolean {
  return keys.every((key, i) => {
    const step = steps[i]
    return step !== undefined && 'key' in step && step.key === key
  })
}

/**
 * The path as screens show it: without the way to the pod's or the object's spec, entries by the values of their keys
 * (`spec.template.spec.containers[name=app].image` → `containers[app].image`). Text that is no path stays as it is.
 */
export function shortPath(path: string): string {
  const steps = tryParse(path)
  if (!steps) return path
  const hidden = HIDDEN.find((keys) => isUnder(steps, keys) && standsAlone(steps[keys.length]))
  const shown = steps.slice(hidden?.length ?? 0)
  let text = ''
  for (const step of shown) {
    const written = shortStep(step)
    text += written.startsWith('[') || text === '' ? written : `.${written}`
  }
  return text
}

function tryParse(path: string): PathStep[] | undefined {
  try {
    return parsePath(path)
  } catch {
    return undefined
  }
}

function standsAlone(step: PathStep | undefined): boolean {
  return step !== undefined && 'key' in step && !NOT_ALONE.has(step.key)
}

function shortStep(step: PathStep): string {
  if ('key' in step) return /^[A-Za-z0-9_-]+$/.test(step.key) ? step.key : `[${JSON.stringify(step.key)}]`
  if ('index' in step) return `[${step.index}]`
  const values = 'value' in step ? [step.value] : Object.values(step.entry)
  return `[${values.map(shortScalar).join(',')}]`
}

function shortScalar(value: string | number | boolean): string {
  // `[80]` and `["80"]` are one pattern: between brackets of a short path nothing is told apart by type.
  return typeof value === 'string' && /^\d+$/.test(value) ? value : formatScalar(value)
}
