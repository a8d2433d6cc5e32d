import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import { parse } from 'yaml'
import { compareYamlKeys, yamlBlock, yamlScalar } from '../../../src/core/lib/yaml-scalar.ts'

const VERSIONS = ['1.1', '1.2'] as const

/** The package reads these as numbers in its YAML 1.1, against the specification and all others; kubectl leaves them plain. */
const MISREAD = /^[-+]?[eE][-+]?\d+$/

/** Text of the kinds that YAML reads as something else, or breaks at. */
const tricky = fc.oneof(
  fc.string({ unit: 'grapheme' }),
  fc.string({ unit: 'binary' }),
  fc.string({
    unit: fc.constantFrom(...'-?:,[]{}#&*!|>\'"%@` \t\n\r.0123456789_eExXoOb+~=<ynNtrufals'.split('')),
  }),
)

describe('YAML scalars', () => {
  const styles: readonly (readonly [value: string | number | boolean | null, yaml: string])[] = [
    ['nginx:1.25', 'nginx:1.25'],
    ['--listen=:8080', '--listen=:8080'],
    ['10.0.0.1', '10.0.0.1'],
    ['128Mi', '128Mi'],
    ['a b, c', 'a b, c'],
    ['E10', 'E10'],
    ['true', '"true"'],
    ['on', '"on"'],
    ['', '""'],
    ['80', '"80"'],
    ['1.25', '"1.25"'],
    ['0644', '"0644"'],
    ['1e3', '"1e3"'],
    ['22:22', '"22:22"'],
    ['2026-11-21T11:04:05Z', '"2026-11-21T11:04:05Z"'],
    ['a: b', "'a: b'"],
    ['a #b', "'a #b'"],
    ["* it's", "'* it''s'"],
    ['- a', "'- a'"],
    ['{}', "'{}'"],
    [' a', "' a'"],
    ['tab\there', '"tab\\there"'],
    ['\u202egnp', '"\\u202egnp"'],
    ['esc\u001b[31m', '"esc\\u001b[31m"'],
    ['\u{e0041}', '"\\U000e0041"'],
    ['größe', 'größe'],
    [80, '80'],
    [-0.5, '-0.5'],
    [1e21, '1.0e+21'],
    [true, 'true'],
    [null, 'null'],
  ]
  for (const [value, yaml] of styles) {
    it(`writes ${JSON.stringify(value)} as ${yaml}`, () => {
      assert.equal(yamlScalar(value), yaml)
    })
  }

  it('reads as the same text in YAML 1.1 and 1.2, on one line, as value and as key', () => {
    fc.assert(
      fc.property(tricky, (text) => {
        fc.pre(!MISREAD.test(text))
        const yaml = yamlScalar(text)
        assert.doesNotMatch(yaml, /[\n\r\u2028\u2029]/)
        for (const version of VERSIONS) {
          assert.deepEqual(parse(`a: ${yaml} # b\n`, { version, schema: schemaOf(version) }), { a: text })
          assert.deepEqual(parse(`- ${yaml}\n`, { version, schema: schemaOf(version) }), [text])
          if (yaml.length < 1000 && text !== '__proto__') {
            assert.deepEqual(parse(`${yaml}: 1\n`, { version, schema: schemaOf(version) }), { [text]: 1 })
          }
        }
      }),
      { numRuns: 1000 },
    )
  })

  it('takes a time that grows with the length of the text only', () => {
    const length = 1_000_000
    for (const text of [`${'1'.repeat(length)}x`, `a${' '.repeat(length)}b`, `${'_'.repeat(length)}.`]) {
      assert.equal(parse(yamlScalar(text)), text)
    }
    const block = yamlBlock(`a\n${' \n'.repeat(length / 2)}${' '.repeat(length)}b`)
    assert.equal(block?.header, '|-')
  })

  it('reads as the same number in YAML 1.1 and 1.2', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.integer(),
          fc.double({ noNaN: true, noDefaultInfinity: true }).filter((n) => !Object.is(n, -0)),
        ),
        (number) => {
          for (const version of VERSIONS) {
            assert.equal(parse(yamlScalar(number), { version, schema: schemaOf(version) }), number)
          }
        },
      ),
    )
  })
})

describe('YAML blocks', () => {
  it('keep a text of several lines, also behind blanks and with line feeds at its end', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom('a', 'b', ' ', '\n', '\t', '#', ':', '-', '"', 'é') }),
        (text) => {
          const block = yamlBlock(text)
          if (!block) return
          const lines = block.lines.map((line) => (line === '' ? '' : `  ${line}`))
          for (const version of VERSIONS) {
            const inMap = ['a:', '  b: 1', `c: ${block.header} # who`, ...lines, 'd: 2', ''].join('\n')
            assert.deepEqual(parse(inMap, { version }), { a: { b: 1 }, c: text, d: 2 })
            const inList = ['a:', `- ${block.header}`, ...lines, '- 2', ''].join('\n')
            assert.deepEqual(parse(inList, { version }), { a: [text, 2] })
          }
        },
      ),
      { numRuns: 1000 },
    )
  })

  it('are not made of one line, of blank lines only, and of what a terminal must not see', () => {
    for (const text of ['one line', '\n \n', 'a\n\u001b[31mb', 'a\r\nb'])
      assert.equal(yamlBlock(text), undefined)
  })

  it('look as kubectl writes them', () => {
    assert.deepEqual(yamlBlock('a\nb\n'), { header: '|', lines: ['a', 'b'] })
    assert.deepEqual(yamlBlock('a\nb'), { header: '|-', lines: ['a', 'b'] })
    assert.deepEqual(yamlBlock('a\n\n'), { header: '|+', lines: ['a', ''] })
    assert.deepEqual(yamlBlock('  a\nb'), { header: '|2-', lines: ['  a', 'b'] })
  })
})

describe('The order of YAML keys', () => {
  it('is kubectl’s: numbers by value, what is no letter first', () => {
    const sorted = ['a.b/c', 'a1', 'a2', 'a10', 'a_b', 'aB', 'ab', 'abc', 'b', 'ä']
    assert.deepEqual(sorted.toReversed().toSorted(compareYamlKeys), [
      'a.b/c',
      'a_b',
      'a1',
      'a2',
      'a10',
      'aB',
      'ab',
      'abc',
      'b',
      'ä',
    ])
  })

  it('knows whole numbers apart that begin alike', () => {
    assert.deepEqual(['v101', 'v11', 'v10', 'v1', 'v100'].toSorted(compareYamlKeys), [
      'v1',
      'v10',
      'v11',
      'v100',
      'v101',
    ])
  })
})

function schemaOf(version: '1.1' | '1.2'): 'core' | 'yaml-1.1' {
  return version === '1.1' ? 'yaml-1.1' : 'core'
}
