import assert from 'node:assert/strict'
import { RecordingGaps } from '../../../server/audit-log/recorder/recording-gaps.ts'

const UP = { synced: true, failing: undefined }
const STARTING = { synced: false, failing: undefined }

describe('the times in which nothing was recorded', () => {
  it('a start after less than five seconds is none', () => {
    const gaps = new RecordingGaps({ begins: 0, heartbeat: 100_000 }, [])
    assert.deepEqual(gaps.look(STARTING, 102_000), { gaps: [], heartbeat: undefined })
    assert.deepEqual(gaps.look(UP, 104_000), { gaps: [], heartbeat: 104_000 })
  })

  it('a restart reaches from the last heartbeat until both witnesses are up', () => {
    const gaps = new RecordingGaps({ begins: 0, heartbeat: 100_000 }, [])
    const open = { from: 100_000, to: undefined, reason: 'companion restarted' }
    assert.deepEqual(gaps.look(STARTING, 160_000).gaps, [open])
    assert.ok(gaps.lasts)
    assert.deepEqual(gaps.look({ synced: true, failing: 'webhook was removed' }, 161_000).gaps, [])
    assert.deepEqual(gaps.look(UP, 162_000), { gaps: [{ ...open, to: 162_000 }], heartbeat: 162_000 })
    assert.ok(!gaps.lasts)
  })

  it('a restart that is up at once after a long time is a gap too', () => {
    const gaps = new RecordingGaps({ begins: 0, heartbeat: 100_000 }, [])
    assert.deepEqual(gaps.look(UP, 160_000).gaps, [
      { from: 100_000, to: 160_000, reason: 'companion restarted' },
    ])
  })

  it('a webhook that is away for longer than five seconds is one, from the last moment it was there', () => {
    const gaps = new RecordingGaps({ begins: 100_000, heartbeat: undefined }, [])
    assert.equal(gaps.look(UP, 101_000).heartbeat, 101_000)
    const away = { synced: true, failing: 'webhook was removed' }
    for (const now of [102_000, 105_000]) assert.deepEqual(gaps.look(away, now).gaps, [])
    const open = { from: 101_000, to: undefined, reason: 'webhook was removed' }
    assert.deepEqual(gaps.look(away, 106_500).gaps, [open])
    assert.deepEqual(gaps.look(away, 107_000), { gaps: [], heartbeat: undefined })
    assert.deepEqual(gaps.look(UP, 110_000).gaps, [{ ...open, to: 110_000 }])
  })

  it('one that an earlier run left without an end ends with this one', () => {
    const left = { from: 50_000, to: undefined, reason: 'journal full' }
    const gaps = new RecordingGaps({ begins: 0, heartbeat: 50_000 }, [left])
    assert.deepEqual(gaps.look(STARTING, 160_000).gaps, [])
    assert.deepEqual(gaps.look(UP, 161_000).gaps, [{ ...left, to: 161_000 }])
  })

  it('a watch that went on from a new list leaves one, a short one does not', () => {
    const gaps = new RecordingGaps({ begins: 100_000, heartbeat: undefined }, [])
    gaps.look(UP, 100_000)
    gaps.relisted('deployments', 130_000, 20_000)
    gaps.relisted('pods', 130_000, 3000)
    assert.deepEqual(gaps.look(UP, 130_500).gaps, [
      { from: 110_000, to: 130_000, reason: 'watch of deployments lost' },
    ])
  })

  it('the heartbeat beats about once a second, also after the clock was set back', () => {
    const gaps = new RecordingGaps({ begins: 100_000, heartbeat: undefined }, [])
    const beats = [100_000, 100_300, 101_000, 101_500, 90_000, 90_500, 91_000].map(
      (now) => gaps.look(UP, now).heartbeat,
    )
    assert.deepEqual(beats, [undefined, undefined, 101_000, undefined, 90_000, undefined, 91_000])
  })
})
