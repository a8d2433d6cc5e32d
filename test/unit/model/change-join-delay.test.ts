import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import { DelayLine } from '../../../src/core/model/change-join-delay.ts'

describe('what is to be looked at later', () => {
  it('is due in the order of its times, and within one time in the order in which it was added', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 5 })), fc.integer({ min: 0, max: 6 }), (times, now) => {
        const line = new DelayLine<readonly [at: number, index: number]>()
        for (const [index, at] of times.entries()) line.add([at, index], at)
        const all = times.map((at, index) => [at, index] as const)
        const due = all.filter(([at]) => at <= now).toSorted(([one], [other]) => one - other)
        assert.deepEqual([...line.due(now)], due)
        assert.deepEqual(
          [...line.due(6)],
          all.filter(([at]) => at > now).toSorted(([one], [other]) => one - other),
        )
      }),
    )
  })
})
