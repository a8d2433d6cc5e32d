import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import fastJsonPatch, { type Operation } from 'fast-json-patch'
import { planPatch } from '../../../src/cli/features/blame/undo-patch.ts'
import { wellKnownListKeys } from '../../../src/core/model/list-keys.ts'
import { diffObjects } from '../../../src/core/model/object-diff.ts'
import type { KubernetesObject } from '../../../src/core/wire/admission-review.ts'
import { twoVersions } from '../model/json-objects.ts'

const objectOf = (spec: unknown): KubernetesObject => ({
  kind: 'Thing',
  metadata: { name: 'x', uid: 'u' },
  spec,
})

describe('a patch that takes any change back', () => {
  it('leads to the object before, by another implementation of RFC 6902, where nobody changed anything since', () => {
    fc.assert(
      fc.property(twoVersions, ([before, after]) => {
        // The other implementation refuses such keys, or loses them.
        fc.pre(!/__proto__|constructor|prototype/.test(JSON.stringify([before, after])))
        const [old, today] = [objectOf(before), objectOf(after)]
        const plan = planPatch(diffObjects(old, today, wellKnownListKeys), today)
        assert.deepEqual(plan.conflicts, [])
        const patch = structuredClone(plan.patch) as Operation[]
        const { newDocument } = fastJsonPatch.applyPatch(structuredClone(today), patch, true)
        assert.deepEqual(newDocument, old)
      }),
      { numRuns: 150 },
    )
  })

  it('does nothing where the object is as it was before', () => {
    fc.assert(
      fc.property(twoVersions, ([before, after]) => {
        const [old, changed] = [objectOf(before), objectOf(after)]
        const changes = diffObjects(old, changed, wellKnownListKeys)
        const plan = planPatch(
          changes.filter(({ lines }) => !lines),
          old,
        )
        assert.deepEqual({ patch: plan.patch, conflicts: plan.conflicts }, { patch: [], conflicts: [] })
      }),
      { numRuns: 150 },
    )
  })
})
