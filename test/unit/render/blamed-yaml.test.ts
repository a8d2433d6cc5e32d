import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import { parseAllDocuments } from 'yaml'
import { blamedObject } from '../../../src/cli/features/blame/blamed-object.ts'
import {
  renderBlamedYaml,
  type BlamedYamlOptions,
  type YamlLine,
  type YamlOwner,
} from '../../../src/cli/render/blamed-yaml.ts'
import { createPalette } from '../../../src/cli/render/palette.ts'
import { fieldOwners } from '../../../src/core/model/field-owners.ts'

const NOW = Date.parse('2026-11-21T12:00:00Z')

const owner = (name: string, rest: Partial<YamlOwner> = {}): YamlOwner => ({
  type: 'person',
  name,
  operation: 'UPDATE',
  subresource: '',
  time: NOW - 4 * 60_000,
  ambiguous: false,
  ...rest,
})
const manager = (name: string, rest: Partial<YamlOwner> = {}): YamlOwner =>
  owner(name, { type: 'manager', operation: 'Apply', time: NOW - 3 * 86_400_000, ...rest })

const line = (text: string, owners: readonly YamlOwner[] = [], continued = false): YamlLine => ({
  text,
  owners,
  continued,
})

const render = (
  documents: readonly (readonly YamlLine[])[],
  options: Partial<BlamedYamlOptions> = {},
): string =>
  [...renderBlamedYaml(documents, { layout: 'column', time: 'relative', now: NOW, ...options })].join('')

const SAMPLE = [
  line('apiVersion: apps/v1'),
  line('spec:'),
  line('  note: |', [manager('helm')]),
  line('    a', [manager('helm')], true),
  line('', [manager('helm')], true),
  line('  replicas: 6', [owner('dev-1@example.org'), manager('argocd-controller')]),
  line('status:'),
  line('  replicas: 6', [
    manager('kubelet', { subresource: 'status', operation: 'Update', time: undefined }),
  ]),
]

describe('Blamed YAML', () => {
  it('has names, operations and ages in columns before the line, and a row for each further owner', () => {
    assert.equal(
      render([SAMPLE]),
      [
        '                                   apiVersion: apps/v1',
        '                                   spec:',
        '(helm)                 Apply   3d    note: |',
        '(helm)                 Apply   3d      a',
        '(helm)                 Apply   3d',
        'dev-1@example.org      UPDATE  4m    replicas: 6',
        '+ (argocd-controller)  Apply   3d',
        '                                   status:',
        '(kubelet /status)      Update   -    replicas: 6',
        '',
      ].join('\n'),
    )
  })

  it('has comments above the lines', () => {
    assert.equal(
      render([SAMPLE], { layout: 'above' }),
      [
        'apiVersion: apps/v1',
        'spec:',
        '  # (helm) Apply 3d',
        '  note: |',
        '    a',
        '',
        '  # dev-1@example.org UPDATE 4m, (argocd-controller) Apply 3d',
        '  replicas: 6',
        'status:',
        '  # (kubelet /status) Update -',
        '  replicas: 6',
        '',
      ].join('\n'),
    )
  })

  it('has comments at the end of the lines', () => {
    assert.equal(
      render([SAMPLE], { layout: 'comment' }),
      [
        'apiVersion: apps/v1',
        'spec:',
        '  note: |            # (helm) Apply 3d',
        '    a',
        '',
        '  replicas: 6        # dev-1@example.org UPDATE 4m, (argocd-controller) Apply 3d',
        'status:',
        '  replicas: 6        # (kubelet /status) Update -',
        '',
      ].join('\n'),
    )
  })

  it('has times in full, or none', () => {
    const one = [line('a: 1', [owner('dev-1')]), line('b: 2', [manager('helm', { time: undefined })])]
    assert.equal(
      render([one], { time: 'full' }),
      'dev-1   UPDATE  2026-11-21T11:56:00Z  a: 1\n(helm)  Apply                      -  b: 2\n',
    )
    assert.equal(render([one], { time: 'none' }), 'dev-1   UPDATE  a: 1\n(helm)  Apply   b: 2\n')
  })

  it('never has a negative age: another clock may be ahead', () => {
    assert.equal(
      render([[line('a: 1', [owner('dev-1', { time: NOW + 90_000 })])]]),
      'dev-1  UPDATE  0s  a: 1\n',
    )
  })

  it('separates documents, each with columns of its own', () => {
    assert.equal(
      render([[line('a: 1', [owner('dev-1')])], [line('b: 2')], [line('c: 3', [manager('helm')])]]),
      'dev-1  UPDATE  4m  a: 1\n---\nb: 2\n---\n(helm)  Apply  3d  c: 3\n',
    )
    assert.equal(render([]), '')
  })

  it('marks what several may have made', () => {
    assert.equal(
      render([[line('a: 1', [owner('dev-1', { ambiguous: true })])]], { layout: 'comment' }),
      'a: 1  # dev-1 ? UPDATE 4m\n',
    )
  })

  it('lets no name end a line or steer a terminal, in any layout', () => {
    const evil = [line('a: 1', [manager('x\n  b: 2\u001b[2J\u202e'), owner('y\r\nc: 3')])]
    for (const layout of ['column', 'above', 'comment'] as const) {
      const text = render([evil], { layout })
      // eslint-disable-next-line no-control-regex -- they must not be there
      assert.doesNotMatch(text, /[\u0000-\u0009\u000b-\u001f\u007f\u202e]/)
      assert.equal(text.split('\n').length, layout === 'comment' ? 2 : 3)
      if (layout !== 'column') assert.deepEqual(yamlOf(text, layout), [{ a: 1 }])
    }
  })

  it('aligns names of wide characters', () => {
    const wide = [line('a: 1', [owner('山田')]), line('b: 2', [owner('dev-1')])]
    assert.equal(render([wide], { time: 'none' }), '山田   UPDATE  a: 1\ndev-1  UPDATE  b: 2\n')
  })

  it('gives each name a colour of its own, the same in all documents, and none where colour is off', async () => {
    const palette = await createPalette({ color: 'always', isTTY: false, env: {} })
    const documents = [
      [line('a: 1', [owner('dev-1')]), line('b: 2', [owner('dev-2')])],
      [line('c: 3', [manager('dev-1')]), line('d: 4', [owner('dev-1')])],
    ]
    const text = render(documents, { palette, time: 'none', layout: 'comment' })
    // eslint-disable-next-line no-control-regex -- colours are control characters
    const colors = [...text.matchAll(/# \u001b\[(\d+)m/g)].map(([, color]) => color)
    assert.equal(colors.length, 4)
    assert.equal(new Set(colors.slice(0, 3)).size, 3)
    assert.equal(colors[3], colors[0])
    const plain = await createPalette({ color: 'auto', isTTY: true, env: { NO_COLOR: '1' } })
    assert.ok(!render(documents, { palette: plain }).includes('\u001b'))
  })
})

/** The documents of a rendering without its annotations. */
function yamlOf(text: string, layout: BlamedYamlOptions['layout'], prefix = 0): unknown[] {
  const yaml =
    layout === 'column'
      ? text
          .split('\n')
          .filter((row) => prefix === 0 || !row.startsWith('+ '))
          .map((row) => row.slice(prefix))
          .join('\n')
      : text
  return parseAllDocuments(yaml, { uniqueKeys: false }).map((document) => {
    assert.deepEqual(document.errors, [])
    return document.toJS() as unknown
  })
}

const key = fc.oneof(
  fc.constantFrom(
    'name',
    'image',
    'spec',
    'status',
    'a.b/c',
    'on',
    '1',
    '- x',
    'a: b',
    '# c',
    'app.conf',
    '~',
  ),
  fc.string({ minLength: 1, maxLength: 12 }).filter((text) => text !== '__proto__'),
)
const text = fc.oneof(
  fc.constantFrom(
    'nginx:1.25',
    'true',
    '80',
    '',
    '2026-11-21T11:04:05Z',
    'a\nb\n',
    '  a\n\n b',
    '# no\nyes',
    '---\na',
  ),
  fc.string({ unit: 'grapheme' }),
  fc.string({ unit: fc.constantFrom('a', ' ', '\n', '\t', '#', ':', '-', "'", '"') }),
)
const { value } = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 5, withCrossShrink: true },
    text,
    fc.integer(),
    fc.boolean(),
    fc.constant(null),
    fc.double({ noNaN: true, noDefaultInfinity: true }).filter((number) => !Object.is(number, -0)),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(key, tie('value'), { maxKeys: 5, noNullPrototype: true }),
    fc.array(
      fc.record({ name: fc.constantFrom('a', 'b', 'c'), more: tie('value') }, { noNullPrototype: true }),
      { maxLength: 3 },
    ),
  ),
}))
const object = fc.dictionary(key, value, { maxKeys: 6, noNullPrototype: true })

/** FieldsV1 that owns some of what an object has. */
function fieldsOf(thing: unknown, pick: () => boolean): Record<string, unknown> {
  if (typeof thing !== 'object' || thing === null) return {}
  const entries = Array.isArray(thing)
    ? thing.map((item: unknown, index) => [
        typeof item === 'object' && item !== null && 'name' in item
          ? `k:${JSON.stringify({ name: item.name })}`
          : `i:${index}`,
        item,
      ])
    : Object.entries(thing).map(([name, inner]) => [`f:${name}`, inner])
  const owned = entries.filter(pick).map(([name, inner]) => [name, fieldsOf(inner, pick)])
  return Object.fromEntries(pick() ? [['.', {}], ...owned] : owned) as Record<string, unknown>
}

describe('Blamed YAML without its annotations', () => {
  for (const layout of ['column', 'above', 'comment'] as const) {
    it(`is the object, whoever owns what of it (${layout})`, () => {
      fc.assert(
        fc.property(
          fc.array(object, { minLength: 1, maxLength: 3 }),
          fc.infiniteStream(fc.boolean()),
          (things, coin) => {
            const pick = (): boolean => coin.next().value ?? false
            const documents = things.map((thing) => {
              const managedFields = ['helm', 'x, y # z', 'kubectl: edit'].map((name) => ({
                manager: name,
                operation: 'Update',
                time: pick() ? '2026-11-21T00:00:00Z' : null,
                fieldsV1: fieldsOf(thing, pick),
              }))
              return blamedObject(thing, {
                owners: fieldOwners({ metadata: { managedFields } }),
                touched: [],
              })
            })
            const shown = layout === 'column' ? documents.slice(0, 1) : documents
            const rendered = render(shown, { layout })
            const expected = things.slice(0, shown.length).map(withoutManagedFields)
            assert.deepEqual(yamlOf(rendered, layout, prefixOf(rendered, shown[0] ?? [])), expected)
          },
        ),
        { numRuns: 300 },
      )
    })
  }
})

/** The cells before the YAML, by the first line, whose text is known. */
function prefixOf(rendered: string, [first]: readonly YamlLine[]): number {
  return (rendered.split('\n', 1)[0] ?? '').length - (first?.text.length ?? 0)
}

function withoutManagedFields(thing: Readonly<Record<string, unknown>>): unknown {
  const { metadata } = thing
  if (typeof metadata !== 'object' || metadata === null || !('managedFields' in metadata)) return thing
  const { managedFields: _, ...rest } = metadata
  return { ...thing, metadata: rest }
}
