import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import { type FieldTouchMark, touchFields } from '../../../server/audit-log/store/field-touches.ts'
import type { FieldChange } from '../../../src/core/wire/change.ts'

const PATHS = ['', 'a', 'a.b', 'a.b.c', 'a.bc', 'a["x.y"]', 'l[name=p]', 'l[name=p].image', 'l[name=q]', 'l']

interface Step {
  readonly rank: number
  readonly changes: readonly FieldChange[]
}

function touchesOf(steps: readonly Step[]): Record<string, number> {
  const marks = new Map<string, FieldTouchMark<number>>()
  const rows = new Map<string, FieldTouchMark<number>>()
  for (const { rank, changes } of steps) {
    const { put, drop } = touchFields(marks, changes, { rank, time: rank, stamp: rank })
    for (const path of drop) rows.delete(path)
    for (const mark of put) rows.set(mark.path, mark)
    assert.deepEqual(
      [...rows.keys()].toSorted(),
      [...marks.keys()].toSorted(),
      'what is written is what holds',
    )
  }
  return Object.fromEntries(
    [...rows.values()].filter(({ removed }) => !removed).map(({ path, stamp }) => [path, stamp] as const),
  )
}

const change = fc.record<FieldChange>({
  path: fc.constantFrom(...PATHS),
  op: fc.constantFrom('add', 'replace', 'remove'),
  to: fc.constant(1),
})
const history = fc
  .array(fc.array(change, { minLength: 1, maxLength: 2 }), { minLength: 1, maxLength: 8 })
  .map((all) => all.map((changes, i) => ({ rank: i + 1, changes })))

describe('who last touched a field', () => {
  it('does not depend on the order in which changes become known', () => {
    fc.assert(
      fc.property(
        history.chain((steps) =>
          fc.tuple(fc.constant(steps), fc.shuffledSubarray(steps, { minLength: steps.length })),
        ),
        ([steps, shuffled]) => assert.deepEqual(touchesOf(shuffled), touchesOf(steps)),
      ),
    )
  })

  it('is the last one that set the field or what it lies in, and not removed it since', () => {
    fc.assert(
      fc.property(history, fc.constantFrom(...PATHS), (steps, field) => {
        const isIn = (path: string, above: string): boolean =>
          path === above ||
          above === '' ||
          (path.startsWith(above) && '.['.includes(path.charAt(above.length)))
        const touches = touchesOf(steps)
        const deepest = Object.keys(touches)
          .filter((path) => isIn(field, path))
          .toSorted((a, b) => b.length - a.length)[0]
        const all = steps.flatMap(({ rank, changes }) => changes.map((one) => ({ rank, ...one })))
        const about = all.filter(({ path }) => isIn(field, path))
        const last = about.at(-1)
        if (last && last.op !== 'remove') assert.equal(touches[deepest ?? 'none'], last.rank)
        if (last?.op === 'remove') assert.notEqual(touches[last.path], last.rank)
      }),
    )
  })

  it('remembers removals for some minutes only', () => {
    const marks = new Map<string, FieldTouchMark<number>>()
    const remove: FieldChange[] = [{ path: 'a', op: 'remove', from: 1 }]
    touchFields(marks, remove, { rank: 1, time: 0, stamp: 1 })
    assert.equal(marks.size, 1)
    const { drop } = touchFields(marks, [], { rank: 2, time: 601_000, stamp: 2 })
    assert.deepEqual(drop, ['a'])
    assert.equal(marks.size, 0)
  })
})
