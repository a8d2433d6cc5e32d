import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import { displayWidth, plural, truncate, visible, visibleLines } from '../../../src/core/lib/text.ts'

const unseen = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/u
/** Any UTF-16 at all, rich in what terminals obey. */
const hostile = fc
  .array(
    fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.constantFrom(
        '\u001b[31m',
        '\u009b2J',
        '\u202e',
        '\u2066',
        '\u2028',
        '\ufeff',
        '\ud800',
        '\u200d',
        '\ufe0f',
      ),
      fc.constantFrom('nginx:1.25', '日本', '❤️', '👩‍💻', 'e\u0301', '\n', '\t', '\r'),
    ),
  )
  .map((parts) => parts.join(''))

describe('visible', () => {
  const cases: readonly (readonly [string, string, string])[] = [
    ['an escape sequence', '\u001b[31mred\u001b[0m', '\\x1b[31mred\\x1b[0m'],
    ['a C1 control', '\u009b31m', '\\x9b31m'],
    ['delete', 'a\u007fb', 'a\\x7fb'],
    ['line ends and tabs', 'a\r\n\tb', 'a\\r\\n\\tb'],
    ['a bidi override', 'a\u202eexe.b', 'a\\u202eexe.b'],
    ['a bidi isolate', '\u2066a\u2069', '\\u2066a\\u2069'],
    ['line and paragraph separators', 'a\u2028b\u2029c', 'a\\u2028b\\u2029c'],
    ['a zero-width space and a byte order mark', '\ufeffa\u200bb', '\\ufeffa\\u200bb'],
    ['a tag character beyond the basic plane', 'a\u{e0041}', 'a\\u{e0041}'],
    ['a lone surrogate', 'a\ud800b', 'a\\ud800b'],
    ['a joiner outside an emoji', 'a\u200db', 'a\\u200db'],
    ['a Hangul filler, which looks like nothing', 'a\u3164b', 'a\\u3164b'],
  ]
  for (const [what, text, expected] of cases) {
    it(`shows ${what} as an escape`, () => assert.equal(visible(text), expected))
  }

  it('leaves text of any script and emoji as they are', () => {
    for (const text of ['nginx:1.25', 'größe', '日本語', 'שלום', 'e\u0301', '❤️', '👩‍💻', '👍🏽', '🇩🇪', '']) {
      assert.equal(visible(text), text)
    }
  })

  it('is the identity on printable ASCII', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme-ascii' }), (text) => {
        assert.equal(visible(text), text)
      }),
    )
  })

  it('never lets through a character that a terminal obeys or hides, and changes its own answer no more', () => {
    fc.assert(
      fc.property(hostile, (text) => {
        const shown = visible(text)
        // Inside an emoji the joiner and the selector are what composes it.
        assert.doesNotMatch(shown.replaceAll(/(?<=[^ -~])(?:\u200d|\ufe0f)/gu, ''), unseen)
        assert.equal(visible(shown), shown)
      }),
      { numRuns: 500 },
    )
  })

  it('keeps line feeds and tabs, and only these, in text of several lines', () => {
    assert.equal(visibleLines('a\tb\nc\r\u001b'), 'a\tb\nc\\r\\x1b')
  })
})

describe('displayWidth', () => {
  const cases: readonly (readonly [string, number])[] = [
    ['', 0],
    ['nginx:1.25', 10],
    ['größe', 5],
    ['日本語', 6],
    ['한국어', 6],
    ['ｆｕｌｌ', 8],
    ['e\u0301', 1],
    ['\u1100\u1161\u11a8', 2],
    ['a\u200bb', 2],
    ['☎', 1],
    ['☎\ufe0f', 2],
    ['✅', 2],
    ['👍🏽', 2],
    ['👩‍💻', 2],
    ['🇩🇪', 2],
    ['㊗', 2],
    ['→…–', 3],
  ]
  for (const [text, width] of cases) {
    it(`counts ${width} cells for "${visible(text)}"`, () => assert.equal(displayWidth(text), width))
  }

  it('adds up over plain words joined by a blank', () => {
    const word = fc.constantFrom('nginx', '日本', '✅', 'größe', 'e\u0301', '🇩🇪')
    fc.assert(
      fc.property(fc.array(word), (words) => {
        const sum = words.reduce((total, one) => total + displayWidth(one) + 1, 0)
        assert.equal(displayWidth(words.map((one) => `${one} `).join('')), sum)
      }),
    )
  })
})

describe('cutting', () => {
  it('cuts to at most the given cells, whatever the text', () => {
    fc.assert(
      fc.property(hostile, fc.nat(20), (text, width) => {
        const cut = truncate(visible(text), width)
        assert.ok(displayWidth(cut) <= width)
        if (displayWidth(visible(text)) <= width) assert.equal(cut, visible(text))
      }),
    )
    assert.equal(truncate('日本語', 4), '日…')
    assert.equal(truncate('abcdef', 4), 'abc…')
  })
})

describe('plural', () => {
  it('puts a noun beside its count', () => {
    assert.equal(plural(1, 'image'), '1 image')
    assert.equal(plural(0, 'pod'), '0 pods')
    assert.equal(plural(10_000, 'pod'), '10,000 pods')
    assert.equal(plural(2, 'registry'), '2 registries')
    assert.equal(plural(2, 'key'), '2 keys')
    assert.equal(plural(2, 'match'), '2 matches')
  })
})
