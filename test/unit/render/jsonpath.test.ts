import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import {
  findJsonPath,
  parseJsonPath,
  parseRelaxedPath,
  renderJsonPath,
} from '../../../src/cli/render/jsonpath.ts'

const images = {
  kind: 'ImageList',
  items: [
    { name: 'nginx', digests: [], pods: 6, labels: { 'a.b/c': 'x' } },
    { name: 'redis', digests: ['sha256:1', 'sha256:2'], pods: 3, sizeMiB: 43.5 },
    { name: 'evil\u001b[2J\nline', digests: ['sha256:3'], pods: 1, note: null },
  ],
}

function print(template: string, value: unknown = images, isTTY = false): string {
  return [...renderJsonPath(parseJsonPath(template), value, { isTTY })].join('')
}

// What kubectl answers to the same templates is compared in test/cluster/jsonpath.test.ts.
describe('jsonpath', () => {
  const cases: readonly (readonly [string, string])[] = [
    ['{.kind}', 'ImageList'],
    ['all: {.items[*].pods}\n', 'all: 6 3 1\n'],
    ['{range .items[0:2]}{.name}{"\\t"}{.pods}{"\\n"}{end}', 'nginx\t6\nredis\t3\n'],
    ['{.items[?(@.pods>2)].name}', 'nginx redis'],
    ["{.items[*]['name','pods']}", 'nginx redis evil\u001b[2J\nline 6 3 1'],
    ['{.items[0].labels.a\\.b/c}', 'x'],
    ['{.items[-1].note}', 'null'],
    ['{.missing.key}', ''],
    ['{..digests[?(@=="sha256:3")]}', 'sha256:3'],
    ['{.items[1]}', '{"digests":["sha256:1","sha256:2"],"name":"redis","pods":3,"sizeMiB":43.5}'],
  ]
  for (const [template, expected] of cases) {
    it(`prints ${JSON.stringify(expected)} for ${JSON.stringify(template)}`, () => {
      assert.equal(print(template), expected)
    })
  }

  describe('where kubectl answers by accident', () => {
    it('goes on behind an empty array', () => {
      assert.equal(print('{.items[*].digests[*]}'), 'sha256:1 sha256:2 sha256:3')
    })

    it('takes an index past the end in a filter as not there', () => {
      assert.equal(print('{.items[?(@.digests[1])].name}'), 'redis')
      assert.equal(print('{.items[?(@.digests[0]=="sha256:1")].name}'), 'redis')
    })

    it('compares whole numbers with decimals', () => {
      assert.equal(print('{.items[?(@.pods>=2.5)].name}'), 'nginx redis')
    })

    it('takes a path without braces for a path', () => {
      assert.equal(print('.kind'), 'ImageList')
      assert.equal(print('items[0].name'), 'nginx')
    })

    it('knows an escaped backslash at the end of a text', () => {
      assert.equal(print(String.raw`{"\\"}`), '\\')
    })
  })

  it('shows control characters of values as escapes on a terminal, and leaves line feeds and its own text', () => {
    assert.equal(print('{.items[2].name}{"\\u001b[1m\\n"}', images, true), 'evil\\x1b[2J\nline\u001b[1m\n')
    assert.equal(print('{.items[2].name}'), 'evil\u001b[2J\nline')
  })

  const faults: readonly (readonly [string, number, RegExp])[] = [
    ['{.items[*].name', 16, /not closed with }/],
    ['{.items[*.name}', 8, /\[ is not closed/],
    ['{.items[0}.name', 8, /\[ is not closed/],
    ['{.items[x]}', 9, /\[x\] is no index/],
    ['{.items["name"]}', 9, /single quotes/],
    ["{.items['a'b]}", 12, /after a key/],
    ['{.items[0:3:0]}', 9, /step/],
    ['{.items[?(@.a=="b"].name}', 19, /cannot stand here|not closed/],
    ['{.items[?(@.a<>"b")]}', 14, /<> is not a comparison/],
    ['{.items[?(@.a="b")]}', 14, /= is not a comparison/],
    ['{.a}{end}', 5, /no range/],
    ['{.items range}', 9, /first word/],
    ['{items}', 2, /begins with a dot/],
    ['{....a}', 4, /cannot follow another/],
    ['{"abc}', 2, /not closed with "/],
    ['{"a\\q"}', 4, /escape/],
    ['{"\\Uffffffff"}', 3, /escape/],
    ['{1.2.3}', 2, /not a number/],
    ['{.a,b}', 4, /"," cannot stand here/],
    ['{.a\n}', 4, /not closed with }/],
    ['text {\u001b}', 7, /"\\x1b" cannot stand here/],
  ]
  for (const [template, position, reason] of faults) {
    it(`refuses ${JSON.stringify(template)} at character ${position}`, () => {
      assert.throws(
        () => parseJsonPath(template),
        (error: Error & { code: string; hint: string }) => {
          assert.equal(error.code, 'USAGE')
          assert.match(error.message, new RegExp(`is wrong at character ${position}: `))
          assert.match(error.message, reason)
          assert.match(error.hint, /kubectl/)
          return true
        },
      )
    })
  }

  it('needs a template', () => {
    assert.throws(() => parseJsonPath(''), { code: 'USAGE', message: /needs a template/ })
  })

  const misfits: readonly (readonly [string, RegExp])[] = [
    ['{.items[3].name}', /index 3 is out of bounds: the array has 3 elements/],
    ['{.items[-4].name}', /index -4 is out of bounds/],
    ['{.items[0:9].name}', /slice from 0 to 9/],
    ['{.items[2:1].name}', /slice from 2 to 1/],
    ['{.kind[0]}', /a string is not an array/],
    ['{.items[0][*]}', /an object is not an array/],
    ['{[?(@.a)]}', /an object is not an array/],
    ['{.items[?(@.pods=="6")].name}', /cannot compare a number with a string/],
    ['{.items[?(@.note==1)].name}', /cannot compare null with a number/],
    ['{.items[?(@.*=="x")].name}', /compares one value/],
  ]
  for (const [template, reason] of misfits) {
    it(`says why ${template} does not fit the data, before printing anything`, () => {
      const path = parseJsonPath(`before ${template}`)
      assert.throws(() => renderJsonPath(path, images), { code: 'USAGE', message: reason })
    })
  }

  it('never fails with anything but a DeckError, whatever the template', () => {
    const piece = fc.constantFrom(
      ...'{}[].,:*?()@$\'"\\ =!<>0-1a',
      'range',
      'end',
      '..',
      '[?(',
      ')]',
      '{.',
      '}',
      'items',
    )
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 14 }), (pieces) => {
        try {
          print(pieces.join(''))
        } catch (error) {
          assert.equal((error as Error).name, 'DeckError', (error as Error).stack)
        }
      }),
      { numRuns: 3000 },
    )
  })

  it('prints text without braces inside quotes as it is', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        const quoted = JSON.stringify(text).slice(1, -1)
        assert.equal(print(`{"${quoted}"}`), text)
      }),
    )
  })
})

describe('a relaxed path', () => {
  for (const path of ['pods', '.pods', '{pods}', '{.pods}']) {
    it(`may be written ${path}`, () => {
      assert.deepEqual(findJsonPath(parseRelaxedPath(path), { pods: 3 }), [[3]])
    })
  }

  it('finds nothing in an item without the field', () => {
    assert.deepEqual(findJsonPath(parseRelaxedPath('a.b'), {}), [[]])
  })

  for (const path of ['', '{', '{a}{b}', 'a{b}']) {
    it(`cannot be written "${path}"`, () => {
      assert.throws(() => parseRelaxedPath(path), { code: 'USAGE', message: /is not a path of fields/ })
    })
  }
})
