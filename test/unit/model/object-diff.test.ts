import assert from 'node:assert/strict'
import { listKeysOf } from '../../../src/core/model/list-keys.ts'
import {
  applyChanges,
  ChangeConflict,
  diffObjects,
  revertChanges,
} from '../../../src/core/model/object-diff.ts'
import type { KubernetesObject } from '../../../src/core/wire/admission-review.ts'
import type { FieldChange } from '../../../src/core/wire/change.ts'

const diff = (before: unknown, after: unknown): FieldChange[] => diffObjects(before, after, listKeysOf())

describe('the difference of two versions of an object', () => {
  it('names entries of lists by their keys, whatever their places', () => {
    const before = {
      spec: { containers: [{ name: 'app', image: 'nginx:1.24', env: [{ name: 'A', value: '1' }] }] },
    }
    const after = {
      spec: {
        containers: [
          { name: 'proxy', image: 'envoy:1' },
          { name: 'app', image: 'nginx:1.25', env: [{ name: 'A', value: '1' }, { name: 'B' }] },
        ],
      },
    }
    assert.deepEqual(diff(before, after), [
      {
        path: 'spec.containers[name=proxy]',
        op: 'add',
        to: { name: 'proxy', image: 'envoy:1' },
        index: { to: 0 },
      },
      { path: 'spec.containers[name=app].image', op: 'replace', from: 'nginx:1.24', to: 'nginx:1.25' },
      { path: 'spec.containers[name=app].env[name=B]', op: 'add', to: { name: 'B' }, index: { to: 1 } },
    ])
  })

  it('takes the keys from managedFields where the object has them', () => {
    const version = (weight: number): KubernetesObject => ({
      metadata: {
        managedFields: [{ fieldsV1: { 'f:spec': { 'f:routes': { 'k:{"to":"a"}': {} } } } }],
      },
      spec: {
        routes: [
          { to: 'a', weight },
          { to: 'b', weight: 1 },
        ],
      },
    })
    const keys = listKeysOf(version(1), version(2))
    assert.deepEqual(diffObjects(version(1), version(2), keys), [
      { path: 'spec.routes[to=a].weight', op: 'replace', from: 1, to: 2 },
    ])
  })

  it('says that an entry moved, and moves as few as can be', () => {
    const list = (...names: string[]) => ({ list: names.map((name) => ({ name })) })
    assert.deepEqual(diff(list('a', 'b', 'c', 'd'), list('d', 'a', 'b', 'c')), [
      { path: 'list[name=d]', op: 'replace', index: { from: 3, to: 0 } },
    ])
  })

  it('changes an entry and its place at once', () => {
    const before = { list: [{ name: 'a', x: 1 }, { name: 'b' }, { name: 'c' }] }
    const after = { list: [{ name: 'b' }, { name: 'c' }, { name: 'a', x: 2 }] }
    const changes = diff(before, after)
    assert.deepEqual(
      changes.map(({ path, index }) => [path, index]),
      [
        ['list[name=a]', { from: 0, to: 2 }],
        ['list[name=a].x', undefined],
      ],
    )
    assert.deepEqual(applyChanges(before, changes), after)
    assert.deepEqual(revertChanges(after, changes), before)
  })

  it('tells texts of several lines by lines, and a line by its text', () => {
    assert.deepEqual(diff({ a: 'x\ny\n', b: 'x' }, { a: 'x\nz\n', b: 'y' }), [
      { path: 'a', op: 'replace', lines: [{ line: 2, from: ['y'], to: ['z'] }] },
      { path: 'b', op: 'replace', from: 'x', to: 'y' },
    ])
  })

  it('tells entries of sets that came and went', () => {
    const version = (...finalizers: string[]) => ({ metadata: { finalizers } })
    assert.deepEqual(diff(version('a', 'b'), version('b', 'c')), [
      { path: 'metadata.finalizers[="c"]', op: 'add', to: 'c', index: { to: 1 } },
      { path: 'metadata.finalizers[="a"]', op: 'remove', from: 'a', index: { from: 0 } },
    ])
  })

  it('has whole lists where entries have no keys', () => {
    assert.deepEqual(diff({ args: ['a', 'b'] }, { args: ['a', 'c'] }), [
      { path: 'args', op: 'replace', from: ['a', 'b'], to: ['a', 'c'] },
    ])
  })

  it('is one entry for an object that came or went', () => {
    assert.deepEqual(diff(undefined, { a: 1 }), [{ path: '', op: 'add', to: { a: 1 } }])
    assert.deepEqual(diff({ a: 1 }, undefined), [{ path: '', op: 'remove', from: { a: 1 } }])
    assert.deepEqual(diff(undefined, undefined), [])
  })

  it('takes no key of a map for what every object inherits', () => {
    const before = JSON.parse('{"data": {"constructor": "a", "__proto__": "b"}}') as unknown
    const changes = diff({ data: {} }, before)
    assert.deepEqual(
      changes.map(({ path }) => path),
      ['data.constructor', 'data.__proto__'],
    )
    const made = applyChanges({ data: {} }, changes) as { readonly data: object }
    assert.deepEqual(Object.keys(made.data), ['constructor', '__proto__'])
    assert.equal(Object.getPrototypeOf(made.data), Object.prototype)
  })

  it('does not care for the order of keys, nor for empty against missing what is the same', () => {
    assert.deepEqual(diff({ a: 1, b: { c: [], d: {} } }, { b: { d: {}, c: [] }, a: 1 }), [])
    assert.deepEqual(diff({ a: null }, {}), [{ path: 'a', op: 'remove', from: null }])
  })
})

describe('a difference put onto an object that it does not fit', () => {
  const list = { list: [{ name: 'a', x: 1 }, { name: 'b' }] }
  const cases: readonly (readonly [title: string, object: unknown, change: FieldChange, path: string])[] = [
    ['another value', { a: 2 }, { path: 'a', op: 'replace', from: 1, to: 3 }, 'a'],
    ['a field that is gone', {}, { path: 'a', op: 'remove', from: 1 }, 'a'],
    ['a field that is there already', { a: 1 }, { path: 'a', op: 'add', to: 1 }, 'a'],
    ['what lies in something gone', {}, { path: 'a.b', op: 'add', to: 1 }, 'a'],
    ['fields of a scalar', { a: 1 }, { path: 'a.b', op: 'add', to: 1 }, 'a'],
    ['an entry of a map', { a: {} }, { path: 'a[name=b]', op: 'add', to: {} }, 'a[name=b]'],
    [
      'an entry that is gone',
      list,
      { path: 'list[name=c].x', op: 'replace', from: 1, to: 2 },
      'list[name=c]',
    ],
    [
      'an entry at another place',
      list,
      { path: 'list[name=b]', op: 'remove', from: { name: 'b' }, index: { from: 0 } },
      'list[name=b]',
    ],
    [
      'an entry that is there',
      list,
      { path: 'list[name=b]', op: 'add', to: { name: 'b' }, index: { to: 0 } },
      'list[name=b]',
    ],
    [
      'another text',
      { a: 'x\ny' },
      { path: 'a', op: 'replace', lines: [{ line: 2, from: ['z'], to: [] }] },
      'a',
    ],
    ['no text', { a: 1 }, { path: 'a', op: 'replace', lines: [] }, 'a'],
    ['an object that is there', {}, { path: '', op: 'add', to: {} }, ''],
    ['another object', { a: 1 }, { path: '', op: 'remove', from: { a: 2 } }, ''],
  ]
  for (const [title, object, change, path] of cases) {
    it(`names the field: ${title}`, () => {
      assert.throws(
        () => applyChanges(object, [change]),
        (error) => error instanceof ChangeConflict && error.path === path,
      )
    })
  }
})
