import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import type { Cell, Column } from '../../../src/cli/render/cell.ts'
import { renderColumns } from '../../../src/cli/render/columns.ts'
import { createPalette } from '../../../src/cli/render/palette.ts'
import { displayWidth, visible } from '../../../src/core/lib/text.ts'

const columns: readonly Column[] = [
  { title: 'Image' },
  { title: 'Tag' },
  { title: 'Digest' },
  { title: 'Pods', align: 'right' },
  { title: 'Workloads', align: 'right' },
  { title: 'Nodes', align: 'right' },
  { title: 'Size' },
]
const images: readonly (readonly Cell[])[] = [
  ['docker.io/library/nginx', '1.25', '4c0fdaa8b634', 6, 1, 3, '67 MiB'],
  ['docker.io/library/redis', '7', { text: '2 digests (!)', style: 'warn' }, 3, 1, 3, '44 MiB'],
  ['ghcr.io/acme/web', 'v2.1.4', '91be77c0d2aa', 12, 2, 5, '210 MiB'],
  ['ghcr.io/acme/migrate (init)', 'v2.1.4', '0aa1f6e0c991', 12, 2, 5, '?'],
]

function text(...args: Parameters<typeof renderColumns>): string {
  return [...renderColumns(...args)].join('')
}

describe('plain columns', () => {
  it('stand three blanks apart under capitals, numbers at the right, no blanks at the end of a line', () => {
    assert.equal(
      text(columns, images),
      `\
IMAGE                         TAG      DIGEST          PODS   WORKLOADS   NODES   SIZE
docker.io/library/nginx       1.25     4c0fdaa8b634       6           1       3   67 MiB
docker.io/library/redis       7        2 digests (!)      3           1       3   44 MiB
ghcr.io/acme/web              v2.1.4   91be77c0d2aa      12           2       5   210 MiB
ghcr.io/acme/migrate (init)   v2.1.4   0aa1f6e0c991      12           2       5   ?
`,
    )
  })

  it('fit 100 cells with the names of an ordinary cluster', () => {
    for (const line of text(columns, images).split('\n')) assert.ok(displayWidth(line) <= 100, line)
  })

  it('come without titles where they are not wanted, and then are as narrow as their cells', () => {
    assert.equal(
      text([{ title: 'Namespace' }, { title: 'Pod' }], [['a', 'b']], { noHeaders: true }),
      'a   b\n',
    )
  })

  it('keep the case of titles on request', () => {
    assert.equal(text([{ title: 'Name' }], [['a']], { keepCase: true }), 'Name\na\n')
  })

  it('show control characters of the cluster as escapes and stay in line', () => {
    assert.equal(
      text(
        [{ title: 'a' }, { title: 'b' }],
        [
          ['\u001b[2Jx\ny', '1'],
          ['日本', '2'],
        ],
        { noHeaders: true },
      ),
      '\\x1b[2Jx\\ny   1\n日本          2\n',
    )
  })

  it('leave no blanks behind an empty last cell', () => {
    assert.equal(
      text(
        [{ title: 'a' }, { title: 'b' }],
        [
          ['x', ''],
          ['', 'y'],
        ],
      ),
      'A   B\nx\n    y\n',
    )
  })

  it('colour titles and styled cells without moving anything', async () => {
    const palette = await createPalette({ color: 'always', isTTY: false, env: {} })
    const colored = text(columns, images, { palette })
    assert.ok(colored.includes('\u001b[33m2 digests (!)\u001b[39m      3'))
    // eslint-disable-next-line no-control-regex -- colours are control characters
    assert.equal(colored.replaceAll(/\u001b\[\d+m/g, ''), text(columns, images))
  })

  it('give 5 MB in chunks that a pipe takes at once, whole', () => {
    const rows = Array.from({ length: 50_000 }, (_, index) => [
      `ns-${index % 7}`,
      `日本-pod-${index}`,
      'x'.repeat(80),
    ])
    const chunks = [...renderColumns([{ title: 'a' }, { title: 'b' }, { title: 'c' }], rows)]
    assert.ok(chunks.every((chunk) => Buffer.byteLength(chunk) <= 64 * 1024))
    const lines = chunks.join('').split('\n')
    assert.equal(lines.length, 50_002)
    assert.ok(lines.at(-2)?.includes('日本-pod-49999'))
  })

  it('put every cell of a column at the same offset, whatever the text', () => {
    const cell = fc.oneof(
      fc.string({ unit: 'binary', minLength: 1 }),
      fc.constantFrom('日本', '✅', '\u001b[1m'),
    )
    fc.assert(
      fc.property(fc.array(fc.tuple(cell, cell), { minLength: 1 }), (rows) => {
        const lines = text([{ title: 'a' }, { title: 'b' }], rows, { noHeaders: true }).split('\n')
        const width = Math.max(...rows.map(([first]) => displayWidth(visible(first))))
        for (const [index, [first, second]] of rows.entries()) {
          const blanks = ' '.repeat(width - displayWidth(visible(first)) + 3)
          assert.equal(lines[index], visible(first) + blanks + visible(second))
        }
      }),
    )
  })
})
