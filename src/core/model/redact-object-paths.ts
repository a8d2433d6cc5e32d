import { readSteps, type RawStep } from './field-path-syntax.ts'
import { isRedacted, type Mark } from './redact-object-values.ts'

/** A field of a resource whose values are not kept. */
export interface RedactedPath {
  readonly group: string
  readonly resource: string
  readonly steps: readonly RawStep[]
}

/** Reads `RESOURCE.GROUP:PATH`; RangeError where it cannot be read. */
export function readRedactedPath(text: string): RedactedPath {
  const colon = text.indexOf(':')
  const [resource = '', ...group] = text.slice(0, Math.max(colon, 0)).split('.')
  const steps = readSteps(text.slice(colon + 1))
  if (resource === '' || steps.length === 0) {
    throw new RangeError(`"${text}" does not name a field as RESOURCE.GROUP:PATH`)
  }
  return { resource, group: group.join('.'), steps }
}

/** The value with what lies at a pattern replaced by its mark; the same value where nothing does. */
export function redactPath(value: unknown, [step, ...rest]: readonly RawStep[], mark: Mark): unknown {
  if (step === undefined) {
    return value === null || value === undefined || isRedacted(value)
      ? value
      : mark(typeof value === 'string' ? value : JSON.stringify(value))
  }
  if (typeof value !== 'object' || value === null) return value
  let copy: Record<string, unknown> | unknown[] | undefined
  for (const [key, field] of Object.entries(value)) {
    if (!(Array.isArray(value) ? fitsEntry(step, field, Number(key)) : fitsKey(step, key))) continue
    const kept = redactPath(field, rest, mark)
    if (kept === field) continue
    copy ??= Array.isArray(value) ? [...(value as readonly unknown[])] : { ...value }
    ;(copy as Record<string, unknown>)[key] = kept
  }
  return copy ?? value
}

function fitsKey(raw: RawStep, key: string): boolean {
  if (raw.kind === 'step') return 'key' in raw.step && raw.step.key === key
  const [word] = raw.words
  return raw.words.length === 1 && word !== undefined && (word.text === key || isAny(raw))
}

function fitsEntry(raw: RawStep, entry: unknown, index: number): boolean {
  if (raw.kind === 'words') {
    if (isAny(raw)) return true
    const values = isMap(entry) ? Object.values(entry) : [entry, index]
    return raw.words.every(({ text }) => values.some((value) => isScalar(value) && String(value) === text))
  }
  const { step } = raw
  if ('index' in step) return step.index === index
  if ('value' in step) return step.value === entry
  if (!('entry' in step) || !isMap(entry)) return false
  return Object.entries(step.entry).every(([key, value]) => entry[key] === value)
}

function isAny(raw: RawStep): boolean {
  return raw.kind === 'words' && raw.words.length === 1 && raw.words[0]?.text === '*' && !raw.words[0].quoted
}

function isScalar(value: unknown): value is string | number | boolean {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
}

function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
