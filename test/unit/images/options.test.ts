import assert from 'node:assert/strict'
import { imagesOptions, type ImagesFlags } from '../../../src/cli/commands/images/options.ts'
import { createSorter } from '../../../src/cli/commands/images/sort.ts'

const none: ImagesFlags = {
  'all-namespaces': false,
  unique: false,
  reverse: false,
  follow: false,
  verbose: false,
  'no-initial': false,
  companion: 'auto',
}
const options = (flags: Partial<ImagesFlags>, regex?: string) => imagesOptions({ ...none, ...flags }, regex)

describe('what kubectl images is asked', () => {
  const refused: [what: string, flags: Partial<ImagesFlags>, regex?: string][] = [
    ['a regular expression that is none', {}, '('],
    ['an output format that is none', { output: 'xml' }],
    ['an output format that every object has', { output: 'constructor' }],
    ['--match without a REGEX', { match: 'pod' }],
    ['--verbose with JSON events', { follow: true, verbose: true, output: 'json' }],
    ['jsonpath without a template', { output: 'jsonpath' }],
    ['an empty jsonpath', { output: 'jsonpath=' }],
    ['columns of containers in rows by node', { by: 'node', columns: '1' }],
    ['--unique in rows by pod', { by: 'pod', unique: true }],
    ['a column that is none', { columns: '1,9' }],
    ['--verbose without --follow', { verbose: true }],
    ['--no-initial without --follow', { 'no-initial': true }],
    ['--follow by pod', { follow: true, by: 'pod' }],
    ['--follow sorted', { follow: true, 'sort-by': 'size' }],
    ['--follow turned round', { follow: true, reverse: true }],
    ['--follow as YAML', { follow: true, output: 'yaml' }],
  ]
  for (const [what, flags, regex] of refused) {
    it(`refuses ${what} as wrong usage`, () => {
      assert.throws(() => options(flags, regex), { name: 'DeckError', code: 'USAGE', exitCode: 2 })
    })
  }

  it('takes the short formats of kubectl-images', () => {
    assert.deepEqual(options({ output: 'j' }).format, { type: 'json' })
    assert.deepEqual(options({ output: 'y' }).format, { type: 'yaml' })
    assert.deepEqual(options({ output: 't' }).format, { type: 'table' })
  })

  it('makes -c and -u rows by container', () => {
    assert.equal(options({ columns: '3' }).view, 'container')
    assert.deepEqual(
      options({ unique: true }).containerColumns?.map(({ title }) => title),
      ['Container', 'Image'],
    )
    assert.deepEqual(
      options({ unique: true, 'all-namespaces': true }).containerColumns?.map(({ title }) => title),
      ['Namespace', 'Container', 'Image'],
    )
  })

  it('cannot require a companion yet, and says so', () => {
    assert.throws(() => options({ companion: 'require' }), { code: 'COMPANION_ABSENT', exitCode: 3 })
  })
})

describe('sorting', () => {
  const rows = [{ image: 'b', sizeBytes: 2 }, { image: 'c' }, { image: 'a', sizeBytes: 10 }]
  const sorted = async (by: string, reverse = false) =>
    (await createSorter({ by, reverse }, 'image')).rows(rows).map(({ image }) => image)

  it('compares sizes as numbers, and puts unknown ones last in both directions', async () => {
    assert.deepEqual(await sorted('size'), ['b', 'a', 'c'])
    assert.deepEqual(await sorted('SIZE', true), ['a', 'b', 'c'])
  })

  it('turns the own order of a view round', async () => {
    const sorter = await createSorter({ by: undefined, reverse: true }, 'image')
    assert.deepEqual(sorter.rows(rows), rows.toReversed())
  })

  it('takes a JSONPath', async () => {
    assert.deepEqual(await sorted('.image'), ['a', 'b', 'c'])
    assert.deepEqual(await sorted('{.sizeBytes}'), ['b', 'a', 'c'])
  })

  it('takes a size that no node told for unknown, not for a wrong field', async () => {
    const sorter = await createSorter({ by: '{.sizeBytes}', reverse: false }, 'image')
    assert.deepEqual(sorter.rows([{ image: 'a' }]), [{ image: 'a' }])
  })

  it('refuses a column or a field that no row has, and names those there are', async () => {
    await assert.rejects(sorted('colour'), { code: 'USAGE', hint: /image, tag, digest/ })
    await assert.rejects(sorted('{.nope}'), { code: 'USAGE', hint: /sizeBytes/ })
    await assert.rejects(sorted('{.'), { code: 'USAGE' })
  })
})
