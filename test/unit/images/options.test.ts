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
  'no-headers': false,
  'running-only': false,
  companion: 'auto',
}
const NOW = Date.UTC(2026, 10, 21, 12)
const options = (flags: Partial<ImagesFlags>, regex?: string) =>
  imagesOptions({ ...none, ...flags }, regex, NOW)

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
    ['--since by pod', { since: '2h', by: 'pod' }],
    ['--since as YAML', { since: '2h', output: 'yaml' }],
    ['--since with --no-initial and without --follow', { since: '2h', 'no-initial': true }],
    ['--since with the phase of pods', { since: '2h', 'running-only': true }],
    ['--since with a label selector', { since: '2h', selector: 'app=web' }],
    ['--since where the companion may not be asked', { since: '2h', companion: 'never' }],
    ['--since with a stream of what matches pods', { since: '2h', follow: true }, 'web'],
    ['--since that is no time', { since: 'yesterday' }],
    ['--since that lies ahead', { since: '2026-11-22' }],
    ['rows by pod of the companion', { companion: 'require', by: 'pod' }],
    ['rows by container of the companion', { companion: 'require', columns: '3' }],
    ['exact workloads of the companion', { companion: 'require', output: 'wide' }],
    ['a label selector for the companion', { companion: 'require', selector: 'app=web' }],
    ['--verbose of the companion', { companion: 'require', follow: true, verbose: true }],
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

  const ways: [
    what: string,
    flags: Partial<ImagesFlags>,
    regex: string | undefined,
    by: string | undefined,
  ][] = [
    ['rows by image', {}, undefined, 'auto'],
    ['rows by image, said in full', { by: 'image' }, undefined, 'auto'],
    ['objects', { output: 'json' }, undefined, 'auto'],
    ['the stream', { follow: true }, undefined, 'auto'],
    ['the stream of some images', { follow: true, match: 'image' }, 'nginx', 'auto'],
    ['objects of some images', { output: 'name', match: 'image' }, 'nginx', 'auto'],
    ['rows of some images without totals', { match: 'image', 'no-headers': true }, 'nginx', 'auto'],
    ['rows of some images with totals', { match: 'image' }, 'nginx', undefined],
    ['the stream of what matches pods', { follow: true }, 'web', undefined],
    ['rows by node', { by: 'node' }, undefined, undefined],
    ['pods that have not finished', { 'running-only': true }, undefined, undefined],
    ['a label selector', { selector: 'app=web' }, undefined, undefined],
    ['a field selector', { 'field-selector': 'spec.nodeName=a' }, undefined, undefined],
    ['what must not ask it', { companion: 'never' }, undefined, undefined],
    ['the past', { since: '2h' }, undefined, 'require'],
    ['the past of some pods', { since: '2h' }, 'web', 'require'],
  ]
  for (const [what, flags, regex, by] of ways) {
    it(`${by === undefined ? 'asks pods for' : `asks the companion (${by}) for`} ${what}`, () => {
      assert.equal(options(flags, regex).companion, by)
    })
  }

  it('takes time spans, days among them, and instants for --since', () => {
    const hour = 3_600_000
    for (const [since, ago] of [
      ['2h', 2 * hour],
      ['90', 90_000],
      ['1d12h', 36 * hour],
      ['7d', 7 * 24 * hour],
      ['2026-11-21', 12 * hour],
      ['2026-11-21T12:30:00+01:00', hour / 2],
    ] as const) {
      assert.equal(options({ since }).since, NOW - ago, since)
    }
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
