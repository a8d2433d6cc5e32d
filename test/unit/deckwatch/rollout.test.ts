import assert from 'node:assert/strict'
import { hasReached } from '../../../src/cli/features/deckwatch/rollout.ts'
import { COMPLETE, object } from './companion-objects.ts'

function reached(status: object, replicas = 1): readonly [serving: boolean, complete: boolean] {
  const metadata = { name: 'deckwatch', namespace: 'deckwatch', generation: 1 }
  const deployment = object('apps/v1', 'Deployment', metadata, { spec: { replicas }, status })
  return [hasReached(deployment, 'serving'), hasReached(deployment, 'complete')]
}

describe('a rollout', () => {
  it('is complete when every pod is of the new form and available', () => {
    assert.deepEqual(reached(COMPLETE), [true, true])
  })

  it('has not begun while nobody has seen the new form', () => {
    assert.deepEqual(reached({}), [false, false])
    assert.deepEqual(reached({ ...COMPLETE, observedGeneration: 0 }), [false, false])
  })

  it('serves with one new pod among old ones, and not with old ones alone', () => {
    const midway = { observedGeneration: 1, replicas: 3, updatedReplicas: 1 }
    assert.deepEqual(reached({ ...midway, availableReplicas: 2 }, 2), [false, false])
    assert.deepEqual(reached({ ...midway, availableReplicas: 3 }, 2), [true, false])
  })

  it('is not complete while pods are missing', () => {
    assert.deepEqual(reached(COMPLETE, 2), [true, false])
    assert.deepEqual(reached({ ...COMPLETE, availableReplicas: 0 }), [false, false])
  })
})
