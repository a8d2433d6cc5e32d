import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import { renderBorderedTable, type BorderedRow } from '../../../src/cli/render/bordered-table.ts'
import { displayWidth } from '../../../src/core/lib/text.ts'

const TITLES = ['KEY', 'USER', 'PATCH']
const text = (rows: readonly BorderedRow[], width: number, noHeaders = false): string =>
  [...renderBorderedTable(TITLES, rows, { width, noHeaders })].join('')

describe('a table with borders', () => {
  const row: BorderedRow = { cells: [['a'], ['dev-1', 'groups:'], ['replace /spec/replicas 2 → 1']] }

  it('has a line after each row, and texts over its whole width', () => {
    assert.equal(
      text([row, { note: 'not recording' }], 60),
      [
        '+-----+---------+------------------------------+',
        '| KEY | USER    | PATCH                        |',
        '+-----+---------+------------------------------+',
        '| a   | dev-1   | replace /spec/replicas 2 → 1 |',
        '|     | groups: |                              |',
        '+-----+---------+------------------------------+',
        '| not recording                                |',
        '+-----+---------+------------------------------+',
        '',
      ].join('\n'),
    )
  })

  it('wraps within cells, further to the right in the last', () => {
    assert.equal(
      text([row], 40, true),
      [
        '+-----+---------+----------------------+',
        '| a   | dev-1   | replace /spec/       |',
        '|     | groups: |   replicas 2 → 1     |',
        '+-----+---------+----------------------+',
        '',
      ].join('\n'),
    )
  })

  it('has lines of one width, within its screen', () => {
    const cell = fc.array(fc.string({ unit: 'grapheme', maxLength: 40 }), { maxLength: 3 })
    const cells = fc.tuple(cell, cell, cell).map((three) => ({ cells: three }))
    fc.assert(
      fc.property(fc.array(cells, { maxLength: 4 }), fc.integer({ min: 60, max: 140 }), (rows, width) => {
        const shown = text(rows, width).trimEnd().split('\n')
        const [first = ''] = shown
        assert.ok(first.length <= width)
        for (const line of shown) assert.equal(displayWidth(line), first.length)
      }),
    )
  })

  it('loses nothing of a cell', () => {
    const cell = fc.array(fc.stringMatching(/^[a-z]{0,60}$/), { maxLength: 3 })
    const cells = fc.tuple(cell, cell, cell).map((three) => ({ cells: three }))
    fc.assert(
      fc.property(fc.array(cells, { maxLength: 4 }), fc.integer({ min: 60, max: 140 }), (rows, width) => {
        const [border = '', ...shown] = text(rows, width, true).trimEnd().split('\n')
        const edges = [...border.matchAll(/\+/g)].map(({ index }) => index)
        const read: string[][] = [[]]
        for (const line of shown) {
          if (line === border) read.push([])
          else
            edges.slice(1).forEach((end, x) => {
              const column = read.at(-1) ?? []
              column[x] = (column[x] ?? '') + line.slice((edges[x] ?? 0) + 1, end).trim()
            })
        }
        const given = rows.map((one) => one.cells.map((texts) => texts.join('')))
        assert.deepEqual(
          read.slice(0, -1).map((columns) => columns.join('|')),
          given.map((columns) => columns.join('|')),
        )
      }),
    )
  })

  it('takes time in the number of its rows only', () => {
    const many = Array.from({ length: 20_000 }, () => row)
    assert.equal(text(many, 100).match(/groups:/g)?.length, 20_000)
  })
})
