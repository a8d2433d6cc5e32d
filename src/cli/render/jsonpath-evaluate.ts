import { DeckError } from '../../core/lib/errors.ts'
import { plural } from '../../core/lib/text.ts'
import { sortedEntries } from './go-value.ts'
import type { Operator, Path, PathStep, TemplateNode } from './jsonpath-parse.ts'

/** What one part of a template found. */
export interface TemplateResult {
  readonly values: readonly unknown[]
  /** The values are the template's own text. */
  readonly literal: boolean
}

/**
 * Runs a template over a JSON value with kubectl's semantics, missing keys allowed. It differs where kubectl's own
 * answer is an accident: an empty array does not end a selection over many, an index past the end in a filter means
 * "not there" (`[?(@.a[1])]`), whole numbers compare with decimals, the members of objects come in the order of
 * their keys, and a string has no members.
 */
export function* evaluateTemplate(
  nodes: readonly TemplateNode[],
  value: unknown,
): Generator<TemplateResult, void> {
  for (const node of nodes) {
    switch (node.kind) {
      case 'text':
        yield { values: [node.text], literal: true }
        break
      case 'action':
        yield { values: follow(node.path, [value], false), literal: node.path.at(-1)?.kind === 'text' }
        break
      case 'range':
        for (const item of follow(node.path, [value], false)) yield* evaluateTemplate(node.body, item)
        // Without its end a range runs its body once more for the value outside, and people's templates rely on it.
        if (!node.closed) yield* evaluateTemplate(node.body, value)
        break
    }
  }
}

/** Takes all steps of a path; `inFilter` makes an index past the end find nothing in place of failing. */
function follow(path: Path, values: readonly unknown[], inFilter: boolean): readonly unknown[] {
  return path.reduce((found, step) => take(step, found, inFilter), values)
}

function take(step: PathStep, values: readonly unknown[], inFilter: boolean): readonly unknown[] {
  switch (step.kind) {
    case 'field':
      return values.flatMap((value) => field(value, step.name))
    case 'wildcard':
      return values.flatMap(members)
    case 'recursive':
      return values.flatMap(descend)
    case 'index':
      return values.flatMap((value) =>
        value === null ? [] : elementAt(arrayOf(value), step.index, inFilter),
      )
    case 'slice':
      return values.flatMap((value) => (value === null ? [] : slice(arrayOf(value), step, inFilter)))
    case 'union':
      return step.branches.flatMap((branch) => follow(branch, values, inFilter))
    case 'exists':
      return values.flatMap((value) =>
        arrayOf(value).filter((item) => follow(step.operand, [item], true).length > 0),
      )
    case 'compare':
      return values.flatMap((value) =>
        arrayOf(value).filter((item) => {
          const left = single(follow(step.left, [item], true))
          const right = single(follow(step.right, [item], true))
          return left.length > 0 && right.length > 0 && compare(left[0], step.operator, right[0])
        }),
      )
    case 'constant':
      return values.map(() => step.value)
    case 'text':
      return [step.text]
  }
}

function field(value: unknown, name: string): unknown[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value) || !Object.hasOwn(value, name))
    return []
  const member = (value as Record<string, unknown>)[name]
  return member === undefined ? [] : [member]
}

function members(value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value
  return typeof value === 'object' && value !== null ? sortedEntries(value).map(([, member]) => member) : []
}

/** A value and all below it, save numbers, truth values, and what is empty. */
function descend(value: unknown): readonly unknown[] {
  if (typeof value === 'string') return value === '' ? [] : [value]
  const below = members(value)
  return below.length === 0 ? [] : [value, ...below.flatMap(descend)]
}

function arrayOf(value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value
  throw failure(`${describe(value)} is not an array`)
}

function describe(value: unknown): string {
  if (value === null) return 'null'
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`
}

function elementAt(array: readonly unknown[], index: number, inFilter: boolean): readonly unknown[] {
  const position = index < 0 ? index + array.length : index
  if (position >= 0 && position < array.length) return [array[position]]
  if (inFilter) return []
  throw failure(`index ${index} is out of bounds: the array has ${plural(array.length, 'element')}`)
}

function slice(
  array: readonly unknown[],
  {
    start,
    end = array.length,
    step,
  }: { readonly start: number; readonly end: number | undefined; readonly step: number },
  inFilter: boolean,
): readonly unknown[] {
  const from = start < 0 ? start + array.length : start
  const to = end < 0 ? end + array.length : end
  if (from === to) return []
  if (from < 0 || to < from || to > array.length) {
    if (inFilter) return []
    throw failure(
      `the slice from ${start} to ${end} is out of bounds: the array has ${plural(array.length, 'element')}`,
    )
  }
  return array.slice(from, to).filter((_, index) => index % step === 0)
}

function single(values: readonly unknown[]): readonly unknown[] {
  if (values.length > 1) throw failure('a filter compares one value, and several were found')
  return values
}

function compare(left: unknown, operator: Operator, right: unknown): boolean {
  const kind = typeof left
  if (kind === 'object' || typeof right === 'object' || kind !== typeof right) {
    throw failure(`a filter cannot compare ${describe(left)} with ${describe(right)}`)
  }
  if (operator === '==') return left === right
  if (operator === '!=') return left !== right
  if (kind === 'boolean') throw failure('a filter cannot order truth values')
  const [a, b] = [left as string | number, right as string | number]
  switch (operator) {
    case '<':
      return a < b
    case '<=':
      return a <= b
    case '>':
      return a > b
    case '>=':
      return a >= b
  }
}

function failure(reason: string): DeckError {
  return new DeckError('USAGE', `the jsonpath does not fit the data: ${reason}`, {
    hint: '-o json shows what it is applied to.',
  })
}
