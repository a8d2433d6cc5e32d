import assert from 'node:assert/strict'
import { LatestChanges } from '../../../server/audit-log/recorder/latest-changes.ts'
import type { ChangeRecord } from '../../../server/audit-log/store/audit-store.ts'
import { sampleChange, type SampleParts, userNamed } from '../../kit/sample-change.ts'

const COLLECTOR = userNamed('system:serviceaccount:kube-system:generic-garbage-collector')
const OWNED = {
  metadata: {
    name: 'of-cart',
    ownerReferences: [{ apiVersion: 'apps/v1', kind: 'Deployment', name: 'cart', uid: 'uid-of-cart' }],
  },
}

describe('what led to a change, by the changes before it', () => {
  let seq = 0
  const latest = (): LatestChanges =>
    new LatestChanges({ endingNamespace: () => undefined, autoscaler: () => undefined })
  const record = (parts: SampleParts): ChangeRecord => {
    seq += 1
    return { id: { writer: 7, seq }, time: seq, ...sampleChange(parts) }
  }
  const ofCart = (operation: 'UPDATE' | 'DELETE', username: string): ChangeRecord =>
    record({ operation, user: userNamed(username), object: { name: 'cart' } })
  const collected = (): ChangeRecord =>
    record({
      operation: 'DELETE',
      user: COLLECTOR,
      object: { group: '', resource: 'configmaps', kind: 'ConfigMap', name: 'of-cart' },
    })

  it('is the end of its owner, also where that was asked for and is not seen yet', () => {
    const changes = latest()
    changes.note(ofCart('UPDATE', 'dev-1'))
    const end = ofCart('DELETE', 'dev-2')
    changes.ask(end)
    const seenLater = changes.causeOf(collected(), OWNED)
    assert.deepEqual(seenLater, {
      type: 'owner',
      object: 'Deployment cart',
      change: `7-${end.id.seq}`,
      username: 'dev-2',
    })
    changes.note(end)
    assert.deepEqual(changes.causeOf(collected(), OWNED), seenLater)
  })

  it('is the end that landed, and no other that was asked for', () => {
    const changes = latest()
    const end = ofCart('DELETE', 'dev-2')
    for (const each of [end, ofCart('DELETE', 'dev-3')]) changes.ask(each)
    changes.note(end)
    assert.equal(changes.causeOf(collected(), OWNED)?.username, 'dev-2')
  })

  it('is no other write that was asked for, and none of another object', () => {
    const changes = latest()
    changes.note(ofCart('UPDATE', 'dev-1'))
    changes.ask(ofCart('UPDATE', 'dev-2'))
    changes.ask(record({ operation: 'DELETE', user: userNamed('dev-3'), object: { name: 'web' } }))
    assert.equal(changes.causeOf(collected(), OWNED)?.username, 'dev-1')
  })

  it('is remembered while many ends are asked for that nobody sees', () => {
    const changes = latest()
    const end = ofCart('DELETE', 'dev-2')
    changes.ask(end)
    changes.note(end)
    for (let made = 0; made < 3000; made += 1)
      changes.ask(record({ operation: 'DELETE', object: { name: `made-up-${made}` } }))
    assert.equal(changes.causeOf(collected(), OWNED)?.username, 'dev-2')
  })
})
