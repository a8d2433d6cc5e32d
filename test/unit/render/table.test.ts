import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import { createPalette } from '../../../src/cli/render/palette.ts'
import { BORDERED_ROWS, mergeSpans, renderTable } from '../../../src/cli/render/table.ts'

const columns = ['Namespace', 'Pod', 'Container', 'Image'].map((title) => ({ title }))

async function text(...args: Parameters<typeof renderTable>): Promise<string> {
  return [...(await renderTable(...args)).chunks].join('')
}

describe('the bordered table', () => {
  const rows = [
    ['data', 'web-0', 'app', 'nginx:1.25'],
    ['shop', 'web-0', 'app', 'nginx:1.25'],
    ['shop', 'web-0', 'proxy', 'nginx:1.25'],
    ['shop', 'web-1', '(init) migrate', 'acme/migrate:2'],
  ]

  it('merges equal cells under merged cells only, in the look of kubectl-images', async () => {
    assert.equal(
      await text(columns, rows),
      `\
+-----------+-------+----------------+----------------+
| Namespace |  Pod  |   Container    |     Image      |
+-----------+-------+----------------+----------------+
| data      | web-0 | app            | nginx:1.25     |
+-----------+-------+----------------+----------------+
| shop      | web-0 | app            | nginx:1.25     |
|           |       +----------------+----------------+
|           |       | proxy          | nginx:1.25     |
|           +-------+----------------+----------------+
|           | web-1 | (init) migrate | acme/migrate:2 |
+-----------+-------+----------------+----------------+
`,
    )
  })

  it('shows each of two equal rows', async () => {
    assert.equal(
      await text(columns.slice(0, 2), [
        ['shop', 'web-0'],
        ['shop', 'web-0'],
      ]),
      `\
+-----------+-------+
| Namespace |  Pod  |
+-----------+-------+
| shop      | web-0 |
|           +-------+
|           | web-0 |
+-----------+-------+
`,
    )
  })

  it('shows control characters as escapes and aligns wide characters', async () => {
    const rowsOfTwo = [
      ['\u001b]0;x\u0007', 1],
      ['日本', 1000],
    ]
    assert.equal(
      await text([{ title: 'a' }, { title: 'n', align: 'right' }], rowsOfTwo),
      String.raw`+--------------+------+
|      a       |  n   |
+--------------+------+
| \x1b]0;x\x07 |    1 |
+--------------+------+
| 日本         | 1000 |
+--------------+------+
`,
    )
  })

  it('has no colour of its own, and takes it from the palette', async () => {
    // eslint-disable-next-line no-control-regex -- colours are control characters
    assert.doesNotMatch(await text(columns, rows), /\u001b/)
    const palette = await createPalette({ color: 'always', isTTY: false, env: {} })
    const colored = await text(columns, [['a', 'b', 'c', { text: 'gone', style: 'bad' }]], { palette })
    assert.ok(colored.includes('\u001b[1mNamespace\u001b[22m'))
    assert.ok(colored.includes('\u001b[31mgone\u001b[39m'))
  })

  it('comes without titles on request', async () => {
    assert.equal(await text([{ title: 'a' }], [['x']], { noHeaders: true }), '+---+\n| x |\n+---+\n')
  })

  it('has borders up to its limit, and plain columns with a note past it', async () => {
    const many = Array.from({ length: BORDERED_ROWS + 1 }, (_, index) => [`ns`, `pod-${index}`])
    const small = await renderTable(columns.slice(0, 2), many.slice(1))
    assert.equal(small.note, undefined)
    const large = await renderTable(columns.slice(0, 2), many)
    assert.equal(large.note, '301 rows are shown as plain columns: tables have borders up to 300 rows')
    const lines = [...large.chunks].join('').split('\n')
    assert.equal(lines[0], 'NAMESPACE   POD')
    assert.equal(lines[301], 'ns          pod-300')
  })
})

describe('mergeSpans', () => {
  const rows = fc.array(fc.tuple(...['a', 'b', 'c'].map(() => fc.constantFrom('x', 'y'))), { maxLength: 12 })

  it('covers each row of a column exactly once, and only by an equal cell above', () => {
    fc.assert(
      fc.property(rows, (cells) => {
        const spans = mergeSpans(cells)
        for (let x = 0; x < 3; x++) {
          let y = 0
          while (y < cells.length) {
            const span = spans[y]?.[x] ?? 0
            assert.ok(span >= 1)
            for (let below = 1; below < span; below++) {
              assert.equal(spans[y + below]?.[x], 0)
              assert.equal(cells[y + below]?.[x], cells[y]?.[x])
            }
            y += span
          }
          assert.equal(y, cells.length)
        }
      }),
    )
  })

  it('merges no cell whose left neighbour does not merge, and no cell of the last column', () => {
    fc.assert(
      fc.property(rows, (cells) => {
        for (const span of mergeSpans(cells)) {
          assert.equal(span[2], 1)
          if (span[1] === 0) assert.equal(span[0], 0)
        }
      }),
    )
  })
})
