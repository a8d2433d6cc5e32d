import assert from 'node:assert/strict'
import { type CausedChange, type CauseLookups, causeOf } from '../../../src/core/model/change-cause.ts'

const NOTHING: CauseLookups = {
  latest: () => undefined,
  eviction: () => undefined,
  endingNamespace: () => undefined,
  autoscaler: () => undefined,
}
const KUBE = 'system:serviceaccount:kube-system:'

function aChange(change: Partial<CausedChange> = {}): CausedChange {
  return {
    operation: 'UPDATE',
    subresource: '',
    kind: 'Deployment',
    namespace: 'shop',
    name: 'web',
    uid: 'u1',
    username: 'alice',
    object: undefined,
    ...change,
  }
}

const owned = {
  metadata: {
    ownerReferences: [
      { apiVersion: 'v1', kind: 'Team', name: 'loose', uid: 'u7' },
      { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web', uid: 'u8', controller: true },
    ],
  },
}

describe('what led to a change', () => {
  it('of a person is nothing', () => {
    assert.equal(causeOf(aChange({ object: owned }), NOTHING), undefined)
    assert.equal(causeOf(aChange({ operation: 'DELETE' }), NOTHING), undefined)
  })

  it('of the namespace controller is the deletion of the namespace, by whom it was', () => {
    const lookups: CauseLookups = {
      ...NOTHING,
      endingNamespace: (name) => (name === 'shop' ? 'ns1' : undefined),
      latest: (uid, operation) =>
        uid === 'ns1' && operation === 'DELETE' ? { change: '1-9', username: 'bob' } : undefined,
    }
    const gone = aChange({ operation: 'DELETE', username: `${KUBE}namespace-controller` })
    const cause = { type: 'namespace', object: 'Namespace shop', change: '1-9', username: 'bob' }
    assert.deepEqual(causeOf(gone, lookups), cause)
    assert.deepEqual(causeOf({ ...gone, username: '' }, lookups), cause)
    assert.deepEqual(causeOf(gone, NOTHING), { ...cause, change: '', username: '' })
    assert.equal(causeOf({ ...gone, username: 'alice' }, lookups), undefined, 'alice was before it')
  })

  it('of the garbage collector is the end of the owner, of another controller its latest change', () => {
    const lookups: CauseLookups = {
      ...NOTHING,
      latest: (uid, operation) =>
        uid === 'u8' ? { change: operation === 'DELETE' ? '1-5' : '1-4', username: 'bob' } : undefined,
    }
    const collected = aChange({
      operation: 'DELETE',
      username: `${KUBE}generic-garbage-collector`,
      object: owned,
    })
    assert.deepEqual(causeOf(collected, lookups), {
      type: 'owner',
      object: 'Deployment web',
      change: '1-5',
      username: 'bob',
    })
    const made = aChange({ operation: 'CREATE', username: `${KUBE}deployment-controller`, object: owned })
    assert.equal(causeOf(made, lookups)?.change, '1-4')
    assert.equal(causeOf({ ...made, object: {} }, lookups), undefined)
  })

  it('of the autoscaler is the one that names the object', () => {
    const username = `${KUBE}horizontal-pod-autoscaler`
    const lookups: CauseLookups = {
      ...NOTHING,
      autoscaler: (...target) => (target.join('/') === 'shop/Deployment/web' ? 'grow' : undefined),
    }
    const cause = causeOf(aChange({ subresource: 'scale', username }), lookups)
    assert.deepEqual([cause?.type, cause?.object], ['autoscaler', 'HorizontalPodAutoscaler grow'])
    assert.equal(causeOf(aChange({ subresource: 'scale', username }), NOTHING), undefined)
    assert.equal(causeOf(aChange({ subresource: 'scale' }), lookups), undefined)
  })

  it('of a node that ends a pod is the eviction, where there was one', () => {
    const lookups: CauseLookups = {
      ...NOTHING,
      eviction: (uid) => (uid === 'u1' ? { change: '1-3', username: 'carol' } : undefined),
    }
    const ended = aChange({ operation: 'DELETE', kind: 'Pod', username: 'system:node:a' })
    assert.deepEqual(causeOf(ended, lookups), {
      type: 'eviction',
      object: 'Pod web',
      change: '1-3',
      username: 'carol',
    })
    assert.equal(causeOf({ ...ended, subresource: 'eviction' }, lookups), undefined)
  })
})
