import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import {
  heldSpec,
  LeaseObservation,
  microTime,
  releasedSpec,
} from '../../../server/kit/lease/lease-record.ts'

const NOW = Date.UTC(2026, 10, 21, 2, 14, 7, 89)

describe('the record of a Lease', () => {
  it('tells times with exactly six digits, as MicroTime is read', () => {
    assert.equal(microTime(NOW), '2026-11-21T02:14:07.089000Z')
  })

  it('counts who took it from whom, and not who went on', () => {
    const first = heldSpec(undefined, 'one', 15, NOW)
    assert.equal(first.leaseTransitions, 0)
    const renewed = heldSpec(first, 'one', 15, NOW + 5000)
    assert.deepEqual([renewed.leaseTransitions, renewed.acquireTime], [0, first.acquireTime])
    assert.notEqual(renewed.renewTime, first.renewTime)
    const other = heldSpec(renewed, 'other', 15, NOW + 30_000)
    assert.deepEqual([other.leaseTransitions, other.acquireTime], [1, microTime(NOW + 30_000)])
  })

  it('is nobody’s after it was given up', () => {
    const released = releasedSpec(heldSpec(undefined, 'one', 15, NOW), NOW)
    assert.equal(released.holderIdentity, '')
    assert.equal(new LeaseObservation().observe(released), 0)
    assert.equal(new LeaseObservation().observe(undefined), 0)
  })
})

describe('the watch over another’s Lease', () => {
  const held = heldSpec(undefined, 'other', 15, NOW)

  it('lets the holder its whole time from when it was first seen', () => {
    const observation = new LeaseObservation()
    assert.equal(observation.observe(held), 15_000)
    observation.slept(2000)
    assert.equal(observation.observe(held), 13_000)
    observation.slept(13_000)
    assert.equal(observation.observe(held), 0)
  })

  it('begins anew with each renewal', () => {
    const observation = new LeaseObservation()
    observation.observe(held)
    observation.slept(14_000)
    assert.equal(observation.observe(heldSpec(held, 'other', 15, NOW + 5000)), 15_000)
  })

  it('never counts more than was slept between two looks that succeeded', () => {
    const step = fc.oneof(
      fc.record({ look: fc.constant(true), ms: fc.integer({ min: 1, max: 3000 }) }),
      fc.record({ look: fc.constant(false), ms: fc.integer({ min: 1, max: 3000 }) }),
    )
    fc.assert(
      fc.property(fc.array(step), (steps) => {
        const observation = new LeaseObservation()
        observation.observe(held)
        let expected = 0
        let before = true
        for (const { look, ms } of steps) {
          observation.slept(ms)
          if (look) {
            if (before) expected += ms
            assert.equal(observation.observe(held), Math.max(0, 15_000 - expected))
          } else observation.lookedInVain()
          before = look
        }
      }),
    )
  })
})
