import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import { renderCsv } from '../../../src/cli/render/csv.ts'
import { visible } from '../../../src/core/lib/text.ts'

const columns = [{ title: 'Image' }, { title: 'Pods' }]

function text(...args: Parameters<typeof renderCsv>): string {
  return [...renderCsv(...args)].join('')
}

/** An independent reader of RFC 4180, with bare line feeds. */
function readCsv(csv: string): string[][] {
  const records: string[][] = []
  let record: string[] = []
  for (const [, quoted, bare, end] of csv.matchAll(/(?:"((?:[^"]|"")*)"|([^",\n]*))(,|\n)/g)) {
    record.push(quoted === undefined ? (bare ?? '') : quoted.replaceAll('""', '"'))
    if (end === ',') continue
    records.push(record)
    record = []
  }
  return records
}

describe('CSV', () => {
  it('quotes what needs it, ends records with a line feed, begins with the titles', () => {
    assert.equal(
      text(columns, [
        ['nginx:1.25', 6],
        ['say "hi", twice', -1],
        ['', 0],
      ]),
      'Image,Pods\nnginx:1.25,6\n"say ""hi"", twice",-1\n,0\n',
    )
  })

  it('leaves the titles out on request', () => {
    assert.equal(text(columns, [['a', 1]], { noHeaders: true }), 'a,1\n')
  })

  it('is a line of titles for an empty result', () => {
    assert.equal(text(columns, []), 'Image,Pods\n')
  })

  it('keeps a record on one line, with control characters as escapes', () => {
    assert.equal(text(columns, [['a\nb\u001b[0m', 1]], { noHeaders: true }), 'a\\nb\\x1b[0m,1\n')
  })

  it('lets no spreadsheet run a text as a formula, and leaves numbers and a lone hyphen alone', () => {
    const formulas = ['=1+1', '+cmd', '-cmd', '@SUM(A1)', '=HYPERLINK("x")']
    for (const formula of formulas) {
      assert.deepEqual(readCsv(text([{ title: 'a' }], [[formula]], { noHeaders: true })), [[`'${formula}`]])
    }
    assert.equal(
      text([{ title: 'a' }], [['-'], ['-5'], ['+3.5'], ['a=b']], { noHeaders: true }),
      '-\n-5\n+3.5\na=b\n',
    )
  })

  it('is read back as what was made visible', () => {
    const cell = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.constantFrom('a,b', '"', '""', ' x ', 'x\r\ny', '日本'),
    )
    fc.assert(
      fc.property(fc.array(fc.array(cell, { minLength: 2, maxLength: 2 }), { minLength: 1 }), (rows) => {
        const read = readCsv(text(columns, rows, { noHeaders: true }))
        const unguarded = read.map((record) => record.map((field) => field.replace(/^'(?=[=+\-@])/, '')))
        const plain = rows.map((row) => row.map((field) => visible(field).replace(/^'(?=[=+\-@])/, '')))
        assert.deepEqual(unguarded, plain)
      }),
    )
  })
})
