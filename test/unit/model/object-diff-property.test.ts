import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import { wellKnownListKeys, type EntryKeys } from '../../../src/core/model/list-keys.ts'
import { applyChanges, diffObjects, revertChanges } from '../../../src/core/model/object-diff.ts'
import { jsonValue, twoVersions } from './json-objects.ts'

const RUNS = { numRuns: 500 }

describe('the difference between any two objects', () => {
  it('leads from the one to the other and back, also after being kept as JSON', () => {
    fc.assert(
      fc.property(twoVersions, ([before, after]) => {
        const changes = diffObjects(before, after, wellKnownListKeys)
        const kept = JSON.parse(JSON.stringify(changes)) as typeof changes
        assert.deepEqual(applyChanges(before, kept), after)
        assert.deepEqual(revertChanges(after, kept), before)
      }),
      RUNS,
    )
  })

  it('does so whatever keys a list is said to have', () => {
    const anyKeys = fc.constantFrom<EntryKeys | undefined>(['name'], ['a', 'name'], [], 'set', undefined)
    fc.assert(
      fc.property(twoVersions, anyKeys, ([before, after], keys) => {
        const changes = diffObjects(before, after, () => keys)
        assert.deepEqual(applyChanges(before, changes), after)
        assert.deepEqual(revertChanges(after, changes), before)
      }),
      RUNS,
    )
  })

  it('is nothing where they are the same', () => {
    fc.assert(
      fc.property(jsonValue, (value) => {
        assert.deepEqual(diffObjects(value, structuredClone(value), wellKnownListKeys), [])
      }),
      RUNS,
    )
  })
})
