import assert from 'node:assert/strict'
import { listKeysOf, wellKnownListKeys } from '../../../src/core/model/list-keys.ts'
import { parsePath } from '../../../src/core/model/field-path.ts'
import type { KubernetesObject, ManagedFieldsEntry } from '../../../src/core/wire/admission-review.ts'

function owned(...fields: readonly NonNullable<ManagedFieldsEntry['fieldsV1']>[]): KubernetesObject {
  return { metadata: { managedFields: fields.map((fieldsV1) => ({ manager: 'm', fieldsV1 })) } }
}

const keysAt = (
  path: string,
  lists: readonly (readonly unknown[])[],
  ...objects: readonly KubernetesObject[]
): unknown => listKeysOf(...objects)(parsePath(path), ...lists)

describe('the keys of a list', () => {
  it('are those that the API server wrote into managedFields, also of a custom resource', () => {
    const object = owned(
      { 'f:metadata': { 'f:labels': {} } },
      { 'f:spec': { 'f:routes': { '.': {}, 'k:{"match":"a","prio":1}': { '.': {}, 'f:match': {} } } } },
    )
    const routes = [
      { match: 'a', prio: 1, name: 'x' },
      { match: 'a', prio: 2, name: 'y' },
    ]
    assert.deepEqual(keysAt('spec.routes', [routes, []], object), ['match', 'prio'])
  })

  it('are found inside of entries, whichever entry they were written at', () => {
    const object = owned({
      'f:spec': {
        'f:containers': {
          'k:{"name":"a"}': { 'f:image': {} },
          'k:{"name":"b"}': { 'f:ports': { 'k:{"containerPort":80,"protocol":"TCP"}': {} } },
        },
      },
    })
    const ports = [{ containerPort: 80, protocol: 'TCP', name: 'x' }]
    assert.deepEqual(keysAt('spec.containers[name=z].ports', [ports], object), ['containerPort', 'protocol'])
  })

  it('are the entries themselves in a set', () => {
    const object = owned({ 'f:metadata': { 'f:marks': { 'v:"a"': {} } } })
    assert.equal(keysAt('metadata.marks', [['a'], ['b', 'a']], object), 'set')
    assert.equal(keysAt('metadata.marks', [['a'], ['b', 'b']], object), undefined)
    assert.equal(keysAt('metadata.marks', [['a'], [{}]], object), undefined)
  })

  it('are guessed where managedFields do not fit the entries, or cannot be read', () => {
    const list = [{ name: 'a' }, { name: 'b' }]
    assert.deepEqual(keysAt('spec.x', [list], owned({ 'f:spec': { 'f:x': { 'k:{"id":1}': {} } } })), ['name'])
    assert.deepEqual(keysAt('spec.x', [list], owned({ 'f:spec': { 'f:x': { 'k:{': {} } } })), ['name'])
    assert.deepEqual(keysAt('spec.x', [list], { metadata: { managedFields: [{ fieldsV1: null }, {}] } }), [
      'name',
    ])
  })

  const guesses: readonly (readonly [string, readonly unknown[], unknown])[] = [
    ['containers by name', [{ name: 'a' }, { name: 'b' }], ['name']],
    [
      'subjects of one name by kind',
      [
        { kind: 'User', name: 'a' },
        { kind: 'Group', name: 'a' },
      ],
      ['kind', 'name'],
    ],
    [
      'ports of two protocols by both',
      [
        { port: 53, protocol: 'TCP' },
        { port: 53, protocol: 'UDP' },
      ],
      ['port', 'protocol'],
    ],
    [
      'mounts by their path, since a volume may be mounted twice',
      [
        { name: 'v', mountPath: '/a' },
        { name: 'v', mountPath: '/b' },
      ],
      ['mountPath'],
    ],
    ['conditions by type', [{ type: 'Ready', status: 'True' }], ['type']],
    ['no key where an entry lacks it', [{ name: 'a' }, { image: 'b' }], undefined],
    ['no key where two are alike', [{ name: 'a' }, { name: 'a' }], undefined],
    ['no key where it is no scalar', [{ name: { first: 'a' } }], undefined],
    ['none for scalars', ['a', 'b'], undefined],
    ['none for lists of lists', [['a']], undefined],
  ]
  for (const [title, list, keys] of guesses) {
    it(`are guessed: ${title}`, () => {
      assert.deepEqual(wellKnownListKeys(parsePath('spec.x'), list), keys)
    })
  }

  it('hold only where they tell the entries of every version apart', () => {
    const [before, after] = [[{ name: 'a' }], [{ name: 'a' }, { name: 'a' }]]
    assert.equal(wellKnownListKeys(parsePath('spec.x'), before, after), undefined)
  })

  it('tell text and numbers apart', () => {
    assert.deepEqual(wellKnownListKeys(parsePath('spec.x'), [{ port: 80 }, { port: '80' }]), ['port'])
  })

  it('make a set of finalizers', () => {
    assert.equal(wellKnownListKeys(parsePath('metadata.finalizers'), ['a', 'b']), 'set')
    assert.equal(wellKnownListKeys(parsePath('spec.finalizers'), ['a', 'b']), undefined)
  })
})
