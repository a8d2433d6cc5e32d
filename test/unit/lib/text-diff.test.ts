import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import { diffLines, diffWords } from '../../../src/core/lib/text-diff.ts'
import { applyLines, invertLines } from '../../../src/core/model/object-diff-lines.ts'

const text = fc
  .tuple(fc.array(fc.constantFrom('a', 'b', 'c', '', 'ab', '\r', '🚀'), { maxLength: 12 }), fc.boolean())
  .map(([lines, final]) => lines.join('\n') + (final ? '\n' : ''))

describe('the difference of two texts', () => {
  it('leads from the one to the other and back', () => {
    fc.assert(
      fc.property(text, text, (before, after) => {
        const hunks = diffLines(before, after)
        assert.equal(applyLines(before, hunks), after)
        assert.equal(applyLines(after, invertLines(hunks)), before)
      }),
      { numRuns: 3000 },
    )
  })

  it('begins and ends no hunk with a line that both have', () => {
    fc.assert(
      fc.property(text, text, (before, after) => {
        for (const { from, to } of diffLines(before, after)) {
          if (from.length === 0 || to.length === 0) continue
          assert.notEqual(from[0], to[0])
          assert.notEqual(from.at(-1), to.at(-1))
        }
      }),
      { numRuns: 1000 },
    )
  })

  it('numbers lines from one, by the old text', () => {
    assert.deepEqual(diffLines('a\nb\nc\nd\n', 'a\nB\nc\nd\ne\n'), [
      { line: 2, from: ['b'], to: ['B'] },
      { line: 5, from: [], to: ['e'] },
    ])
  })

  it('tells a final line feed that came or went', () => {
    assert.deepEqual(diffLines('a\nb', 'a\nb\n'), [{ line: 3, from: [], to: [''] }])
    assert.deepEqual(diffLines('a\nb\n', 'a\nb'), [{ line: 3, from: [''], to: [] }])
  })

  it('is one piece, found in no time, where two long texts have too little in common', () => {
    const lines = (word: string): string =>
      Array.from({ length: 20_000 }, (_, i) => `${word} ${i}`).join('\n')
    const hunks = diffLines(`a\n${lines('x')}\nz`, `a\n${lines('y')}\nz`)
    assert.deepEqual(
      hunks.map(({ line, from, to }) => [line, from.length, to.length]),
      [[2, 20_000, 20_000]],
    )
  })
})

describe('the difference of two lines', () => {
  it('is told by words', () => {
    assert.deepEqual(diffWords('timeout 41;', 'timeout 75;'), {
      before: [
        { text: 'timeout ', changed: false },
        { text: '41', changed: true },
        { text: ';', changed: false },
      ],
      after: [
        { text: 'timeout ', changed: false },
        { text: '75', changed: true },
        { text: ';', changed: false },
      ],
    })
  })

  it('leaves no character out', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (before, after) => {
        const words = diffWords(before, after)
        assert.equal(words.before.map((piece) => piece.text).join(''), before)
        assert.equal(words.after.map((piece) => piece.text).join(''), after)
      }),
    )
  })
})
