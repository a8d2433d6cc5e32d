import assert from 'node:assert/strict'
import { ListSnapshots } from '../../../server/image-graph/list-snapshots.ts'
import { ManualClock } from '../../kit/manual-clock.ts'

const snapshotOf = (username: string) => ({
  question: 'images',
  username,
  items: [],
  resourceVersion: '1',
  extra: {},
})

const expired = { name: 'ApiError', reason: 'Expired' }

describe('the lists that are kept for their next pages', () => {
  it('are not lost by what another user asks for', () => {
    const snapshots = new ListSnapshots(new ManualClock())
    const token = snapshots.token(snapshotOf('jane'), 500)
    for (let index = 0; index < 1000; index += 1) snapshots.token(snapshotOf('mallory'), 1)
    assert.equal(snapshots.find(token, 'images').offset, 500)
  })

  it('are the latest of each user, and of all', () => {
    const snapshots = new ListSnapshots(new ManualClock())
    const own = Array.from({ length: 9 }, () => snapshots.token(snapshotOf('jane'), 1))
    assert.throws(() => snapshots.find(own[0] ?? '', 'images'), expired)
    snapshots.find(own[1] ?? '', 'images')
    for (let index = 0; index < 56; index += 1) snapshots.token(snapshotOf(`user-${index}`), 1)
    snapshots.find(own[1] ?? '', 'images')
    snapshots.token(snapshotOf('one more'), 1)
    assert.throws(() => snapshots.find(own[1] ?? '', 'images'), expired)
    snapshots.find(own[2] ?? '', 'images')
  })

  it('are forgotten three minutes after the last page that was read', async () => {
    const clock = new ManualClock()
    const snapshots = new ListSnapshots(clock)
    const token = snapshots.token(snapshotOf('jane'), 1)
    await clock.advance(170_000)
    const { snapshot, id } = snapshots.find(token, 'images')
    const next = snapshots.token(snapshot, 2, id)
    await clock.advance(170_000)
    assert.equal(snapshots.find(next, 'images').offset, 2)
    await clock.advance(10_000)
    assert.throws(() => snapshots.find(next, 'images'), expired)
  })
})
