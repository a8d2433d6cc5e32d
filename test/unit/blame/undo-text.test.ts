import assert from 'node:assert/strict'
import { undoDiff } from '../../../src/cli/commands/blame/undo-text.ts'
import { planUndo } from '../../../src/cli/features/blame/undo.ts'
import { plainPalette } from '../../../src/cli/render/palette.ts'
import { listKeysOf } from '../../../src/core/model/list-keys.ts'
import { diffObjects } from '../../../src/core/model/object-diff.ts'
import { withoutNoise } from '../../../src/core/model/object-noise.ts'
import type { KubernetesObject } from '../../../src/core/wire/admission-review.ts'
import { change } from './changes.ts'

const APPLIED = { 'kubectl.kubernetes.io/last-applied-configuration': '{}' }

function annotated(annotations?: Record<string, string>): KubernetesObject {
  const metadata = { name: 'web', namespace: 'shop', uid: 'uid-of-web', ...(annotations && { annotations }) }
  return { apiVersion: 'apps/v1', kind: 'Deployment', metadata }
}

/** The difference that is printed before a change from the one object to the other is taken back. */
function told(before: KubernetesObject, after: KubernetesObject): string {
  const [old, next] = [withoutNoise(before), withoutNoise(after)]
  const made = change({ changes: diffObjects(old, next, listKeysOf(before, after)) })
  const plan = planUndo(made, after)
  assert.equal(plan.type, 'patch')
  const difference = { plan, change: made, today: after, after: undefined, objectName: 'deployment.apps/web' }
  return [...undoDiff(difference, plainPalette)].join('')
}

describe('the difference that taking a change back makes', () => {
  it('is told of an annotation beside those that tools keep for themselves, be it added or taken away', () => {
    const [without, withOne] = [annotated(APPLIED), annotated({ ...APPLIED, owner: 'web-team' })]
    const added = told(without, withOne)
    assert.match(added, /^- +owner: web-team$/m)
    const removed = told(withOne, without)
    assert.match(removed, /^\+ +owner: web-team$/m)
    for (const text of [added, removed]) assert.doesNotMatch(text, /last-applied/)
  })

  it('is told where the annotations came or went as a whole', () => {
    assert.match(told(annotated(), annotated({ owner: 'web-team' })), /^- +owner: web-team$/m)
    assert.match(told(annotated({ owner: 'web-team' }), annotated()), /^\+ +owner: web-team$/m)
  })
})
