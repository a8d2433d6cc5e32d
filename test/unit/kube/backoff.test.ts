import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import { backoffDelay } from '../../../src/core/kube/backoff.ts'

const jitter = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })

describe('backoff', () => {
  it('doubles from a quarter of a second to half a minute', () => {
    const longest = [1, 2, 3, 4, 5, 6, 7, 8, 9, 1000].map((failures) => backoffDelay(failures, 1))
    assert.deepEqual(longest, [250, 500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000])
  })

  it('waits between half and all of that, by chance', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 10_000 }), jitter, (failures, random) => {
        const most = backoffDelay(failures, 1)
        const delay = backoffDelay(failures, random)
        assert.ok(delay >= most / 2 && delay <= most)
      }),
    )
  })

  it('never comes back before the server has asked for it, and not all at once', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 20 }),
        jitter,
        fc.integer({ min: 0, max: 300_000 }),
        (failures, random, asked) => {
          const delay = backoffDelay(failures, random, asked)
          assert.ok(delay >= asked && delay <= Math.max(asked * 1.1, 30_000))
        },
      ),
    )
    assert.notEqual(backoffDelay(1, 0.1, 60_000), backoffDelay(1, 0.9, 60_000))
  })

  it('does not let a server send it away for a day', () => {
    assert.ok(backoffDelay(1, 0.5, 86_400_000) < 600_000)
  })
})
