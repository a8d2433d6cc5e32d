import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import { EventTimes } from '../../../server/image-graph/event-times.ts'

describe('where a moment is in the journal', () => {
  it('is found within a thousand numbers, also where the clock was set back', () => {
    const gap = fc.integer({ min: 1, max: 700 })
    const time = fc.integer({ min: 0, max: 100 })
    fc.assert(
      fc.property(fc.array(fc.tuple(gap, time), { maxLength: 50 }), time, (steps, moment) => {
        const times = new EventTimes()
        let number = 0
        let first: number | undefined
        for (const [more, at] of steps) {
          number += more
          times.add(number, at)
          if (at >= moment) first ??= number
        }
        const from = times.lookFrom(moment)
        if (first === undefined) assert.equal(from, undefined)
        else assert.ok(from !== undefined && from <= first && first - from < 1000, `${from} for ${first}`)
      }),
    )
  })

  it('is not before what is no longer kept', () => {
    const times = new EventTimes()
    for (let number = 1; number <= 5000; number += 1) times.add(number, number)
    times.forget(2500)
    assert.equal(times.lookFrom(0), 2000)
    assert.equal(times.lookFrom(4100), 4000)
    times.forget(5000)
    assert.equal(times.lookFrom(5000), 5000)
    times.forget(5999)
    assert.equal(times.lookFrom(0), undefined)
  })
})
