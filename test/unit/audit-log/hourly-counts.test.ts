import assert from 'node:assert/strict'
import { HourlyCounts } from '../../../server/audit-log/hourly-counts.ts'
import { ManualClock } from '../../kit/manual-clock.ts'

const MINUTE = 60_000

describe('counts of the last hour', () => {
  let clock: ManualClock
  let counts: HourlyCounts<'reviews'>

  beforeEach(() => {
    clock = new ManualClock(Date.UTC(2026, 10, 21, 2))
    counts = new HourlyCounts(() => clock.now())
  })

  it('are of an hour, or of the latest of its minutes', async () => {
    counts.add('reviews', 3)
    await clock.advance(10 * MINUTE)
    counts.add('reviews')
    assert.deepEqual([counts.of('reviews'), counts.of('reviews', 10), counts.of('reviews', 11)], [4, 1, 4])
    await clock.advance(50 * MINUTE)
    assert.deepEqual([counts.of('reviews'), counts.of('reviews', 10)], [1, 0])
  })

  it('forget what is to come where the clock was set back', () => {
    counts.add('reviews')
    clock = new ManualClock(clock.now() - 5 * MINUTE)
    assert.equal(counts.of('reviews'), 0)
  })
})
