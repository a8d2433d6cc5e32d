import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import { fitValues, wrapHanging, wrapText } from '../../../src/cli/render/fit.ts'
import { displayWidth, visible } from '../../../src/core/lib/text.ts'

const anyText = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 80 }).map(visible),
  fc.stringMatching(/^[a-z0-9 .@:/[\]-]{0,200}$/),
  fc.constantFrom('🚀'.repeat(30), '部署'.repeat(20), 'e\u0301'.repeat(40)),
)

describe('values that are made to fit', () => {
  it('stay as they are where there is room', () => {
    assert.deepEqual(fitValues(['info', 'debug'], 12, 3), { texts: ['info', 'debug'], shortened: false })
    assert.deepEqual(fitValues([], 5, 3), { texts: [], shortened: false })
  })

  it('are shortened where they are alike, so that the difference stays', () => {
    const registry = 'registry.example.com/platform/web'
    assert.deepEqual(
      fitValues([`${registry}:1.24`, `${registry}:1.25`], 35, 3).texts,
      ['…/platform/web:1.24', '…/platform/web:1.25'].map((text) => `…${text.slice(4)}`),
    )
    const [before, after] = fitValues([`a${'x'.repeat(300)}`, `b${'x'.repeat(300)}`], 23, 3).texts
    assert.deepEqual([before, after], ['axxxxxxxx…', 'bxxxxxxxx…'])
    const middle = fitValues(
      [`${'x'.repeat(100)}1${'y'.repeat(100)}`, `${'x'.repeat(100)}2${'y'.repeat(100)}`],
      43,
      3,
    )
    assert.match(middle.texts[0] ?? '', /^…x+1y+…$/)
    assert.match(middle.texts[1] ?? '', /^…x+2y+…$/)
  })

  it('give what the shorter one needs to it, and the rest to the other', () => {
    assert.deepEqual(fitValues(['off', 'x'.repeat(50)], 26, 3).texts, ['off', `${'x'.repeat(19)}…`])
    assert.deepEqual(fitValues(['x'.repeat(50), 'off'], 26, 3).texts, [`${'x'.repeat(19)}…`, 'off'])
  })

  it('come out the same of plain text, which is not looked at character by character', () => {
    const plain = fc.stringMatching(/^[a-z]{0,120}$/)
    fc.assert(
      fc.property(plain, plain, plain, fc.integer({ min: 8, max: 90 }), (same, a, b, width) => {
        // A letter of one cell that is no ASCII, and stands where nothing is shortened away from it.
        const wide = (text: string) => text.replaceAll('a', 'ä')
        const { texts } = fitValues([same + a, same + b], width, 3)
        assert.deepEqual(fitValues([wide(same + a), wide(same + b)], width, 3).texts, texts.map(wide))
      }),
    )
  })

  it('never take more than their room, and say when something is missing', () => {
    fc.assert(
      fc.property(
        fc.array(anyText, { minLength: 1, maxLength: 2 }),
        fc.integer({ min: 8, max: 90 }),
        (values, width) => {
          const { texts, shortened } = fitValues(values, width, 3)
          const used = texts.reduce((total, text) => total + displayWidth(text), texts.length === 2 ? 3 : 0)
          assert.ok(used <= width, `${used} > ${width}`)
          assert.equal(
            shortened,
            texts.some((text, index) => text !== values[index]),
          )
          for (const [index, text] of texts.entries()) assert.ok(text === values[index] || text.includes('…'))
        },
      ),
    )
  })
})

describe('text in lines', () => {
  it('ends them where words do, longer words at their joints', () => {
    assert.deepEqual(wrapText('not recording since 10:58 (webhook was removed)', 20), [
      'not recording since',
      '10:58 (webhook was',
      'removed)',
    ])
    assert.deepEqual(wrapText('system:serviceaccount:argocd:argocd-application-controller', 24), [
      'system:serviceaccount:',
      'argocd:argocd-',
      'application-controller',
    ])
    assert.deepEqual(wrapText('first.second@engineering.example.org', 24), [
      'first.second',
      '@engineering.example.org',
    ])
    assert.deepEqual(wrapText('2026-11-21T10:59:00Z', 15), ['2026-11-21T', '10:59:00Z'])
    assert.deepEqual(wrapText('x'.repeat(25), 10), ['x'.repeat(10), 'x'.repeat(10), 'x'.repeat(5)])
  })

  it('hangs what follows the first', () => {
    assert.deepEqual(wrapHanging('aaa bbb ccc', 7, 2), ['aaa bbb', '  ccc'])
    assert.deepEqual(wrapHanging('aaa', 7, 2), ['aaa'])
  })

  it('loses nothing but blanks at the ends of lines', () => {
    fc.assert(
      fc.property(anyText, fc.integer({ min: 2, max: 60 }), (text, width) => {
        const lines = wrapText(text, width)
        assert.equal(lines.join('').replaceAll(/\s/g, ''), text.replaceAll(/\s/g, ''))
        for (const line of lines) assert.ok(displayWidth(line) <= width)
        const hanging = wrapHanging(text, width + 2, 2)
        assert.equal(hanging.join('').replaceAll(/\s/g, ''), text.replaceAll(/\s/g, ''))
      }),
    )
  })
})
