import assert from 'node:assert/strict'
import { parseCustomColumns, renderCustomColumns } from '../../../src/cli/render/custom-columns.ts'

const items = [
  {
    name: 'nginx',
    labels: { b: '2', a: 'x' },
    digests: ['one', 'two'],
    note: null,
    size: 0.000_01,
    on: true,
  },
  { name: 'evil\u001b[2J', digests: [] },
]

function text(spec: string, options?: Parameters<typeof renderCustomColumns>[2]): string {
  return [...renderCustomColumns(parseCustomColumns(spec), items, options)].join('')
}

describe('custom columns', () => {
  it('have the titles as given, <none> for what is missing, and many values joined by commas', () => {
    assert.equal(
      text('Name:.name,FIRST:digests[*],n:{.none}'),
      'Name          FIRST     n\nnginx         one,two   <none>\nevil\\x1b[2J   <none>    <none>\n',
    )
  })

  it('show values as kubectl does, which is as Go does', () => {
    assert.equal(
      text('L:.labels,D:.digests,N:.note,S:.size,O:.on', { noHeaders: true }),
      'map[a:x b:2]   [one two]   <nil>    1e-05    true\n<none>         []          <none>   <none>   <none>\n',
    )
  })

  it('may be unions, whose commas part no columns', () => {
    assert.equal(text("A:.labels['a','b'],B:.on", { noHeaders: true }), 'x,2      true\n<none>   <none>\n')
  })

  it('are titles alone for no items', () => {
    assert.deepEqual([...renderCustomColumns(parseCustomColumns('A:.a,B:.b'), [])], ['A   B\n'])
  })

  for (const spec of ['', 'NAME', 'A:.a,', 'A:', 'A:{.a']) {
    it(`refuse "${spec}"`, () => assert.throws(() => parseCustomColumns(spec), { code: 'USAGE' }))
  }
})
