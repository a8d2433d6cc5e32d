import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import { objectHash } from '../../../server/audit-log/object-hash.ts'

const KEY = Buffer.alloc(32, 7)

/** The value with the keys of each map in the opposite order. */
function turned(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map(turned)
  return Object.fromEntries(
    Object.entries(value)
      .toReversed()
      .map(([key, field]) => [key, turned(field)]),
  )
}

describe('the hash of an object', () => {
  it('does not depend on the order of fields, nor on what was never there', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (spec) => {
        const object = { metadata: { name: 'web' }, spec, kind: 'X' }
        assert.equal(objectHash(turned(object) as typeof object, KEY), objectHash(object, KEY))
        assert.equal(objectHash({ ...object, none: undefined }, KEY), objectHash(object, KEY))
      }),
    )
  })

  it('leaves out the resourceVersion of the object, and nothing else', () => {
    const hash = (version: string, inner: string): string =>
      objectHash(
        { metadata: { name: 'web', resourceVersion: version }, spec: { resourceVersion: inner } },
        KEY,
      )
    assert.equal(hash('1', 'a'), hash('2', 'a'))
    assert.notEqual(hash('1', 'a'), hash('1', 'b'))
  })

  it('sees each difference, also under the name of a prototype', () => {
    const hash = (json: string): string => objectHash({ data: JSON.parse(json) as object }, KEY)
    const all = [
      '{}',
      '{"__proto__":"a"}',
      '{"__proto__":"b"}',
      '[]',
      '[1,2]',
      '[2,1]',
      '{"a":null}',
      '""',
      '"{}"',
    ]
    assert.equal(new Set(all.map(hash)).size, all.length)
  })

  it('cannot be made without the key', () => {
    assert.notEqual(
      objectHash({ data: { a: 'b' } }, KEY),
      objectHash({ data: { a: 'b' } }, Buffer.alloc(32, 8)),
    )
    assert.match(objectHash({}, KEY), /^[0-9a-f]{32}$/)
  })
})
