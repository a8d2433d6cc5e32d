import assert from 'node:assert/strict'
import { Standstill } from '../../../server/audit-log/standstill.ts'
import { ManualClock } from '../../kit/manual-clock.ts'

describe('a standstill of the recorder', () => {
  it('is noticed once, where the clock went on without it', async () => {
    const clock = new ManualClock()
    const standstill = new Standstill(clock)
    await clock.advance(4000)
    assert.equal(standstill.take(), false)
    await clock.advance(6000)
    assert.deepEqual([standstill.take(), standstill.take()], [true, false])
  })

  it('is none while it looks at the clock, however long nobody asks', async () => {
    const [clock, ending] = [new ManualClock(), new AbortController()]
    const standstill = new Standstill(clock)
    const looking = standstill.run(ending.signal)
    await clock.advance(60_000)
    assert.equal(standstill.take(), false)
    ending.abort()
    await looking
  })
})
