import assert from 'node:assert/strict'
import { withoutNoise } from '../../../src/core/model/object-noise.ts'

const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration'

describe('an object without noise', () => {
  it('has nothing that changes by itself', () => {
    const object = {
      kind: 'Deployment',
      metadata: {
        name: 'web',
        uid: 'u',
        resourceVersion: '7',
        generation: 3,
        selfLink: '/x',
        managedFields: [],
        annotations: { [LAST_APPLIED]: '{}', 'deployment.kubernetes.io/revision': '4', note: 'x' },
      },
      spec: { status: 'kept' },
      status: { replicas: 1 },
    }
    const copy = structuredClone(object)
    assert.deepEqual(withoutNoise(object), {
      kind: 'Deployment',
      metadata: { name: 'web', uid: 'u', annotations: { note: 'x' } },
      spec: { status: 'kept' },
    })
    assert.deepEqual(object, copy)
  })

  it('is the same with annotations that were only noise and with none', () => {
    const object = { metadata: { name: 'web' } }
    const noisy = { metadata: { name: 'web', annotations: { [LAST_APPLIED]: '{}' } } }
    assert.deepEqual(withoutNoise(noisy), object)
    assert.deepEqual(withoutNoise({ metadata: { name: 'web', annotations: {} } }), object)
    assert.deepEqual(withoutNoise({ metadata: { name: 'web', annotations: null } }), object)
  })

  it('may have no metadata', () => {
    assert.deepEqual(withoutNoise({ kind: 'Status', status: 'Failure' }), { kind: 'Status' })
  })
})
