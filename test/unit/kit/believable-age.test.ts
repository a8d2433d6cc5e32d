import assert from 'node:assert/strict'
import { BelievableAge, EVEN_MS } from '../../../server/kit/believable-age.ts'
import { recordedLog } from '../../kit/recorded-log.ts'

const NOW = Date.UTC(2026, 10, 21)
const MINUTE = 60_000
const DAY = 24 * 60 * MINUTE

describe('an age', () => {
  const begun = (oldest: number | undefined, log = recordedLog()) =>
    new BelievableAge({ now: NOW, oldest, keptMs: 7 * DAY, log })
  /** Looks every five minutes from one moment to another; what it was told. */
  const evenly = (age: BelievableAge, from: number, to: number): boolean[] => {
    const told = new Set<boolean>()
    for (let now = from; now <= to; now += 5 * MINUTE) told.add(age.look(now))
    return [...told]
  }

  it('counts from the start where nothing, or hardly anything, is overdue', () => {
    for (const oldest of [undefined, NOW + DAY, NOW, NOW - 7 * DAY, NOW - 8 * DAY])
      assert.deepEqual(evenly(begun(oldest), NOW, NOW + 3 * DAY), [true])
  })

  it('does not count for a day where the oldest record is overdue for longer', () => {
    for (const oldest of [0, NOW - 40 * DAY, NOW - 8 * DAY - 1]) {
      const age = begun(oldest)
      assert.deepEqual(evenly(age, NOW, NOW + EVEN_MS - 5 * MINUTE), [false])
      assert.equal(age.look(NOW + EVEN_MS), true)
    }
  })

  it('counts on while the clock is corrected by seconds', () => {
    const age = begun(NOW)
    for (const now of [NOW + MINUTE, NOW + MINUTE - 1, NOW + 2 * MINUTE, NOW + MINUTE])
      assert.equal(age.look(now), true)
  })

  it('does not count for a day once the clock has leapt, ahead or back', () => {
    for (const leap of [40 * DAY, 11 * MINUTE, -2 * MINUTE, -40 * DAY]) {
      const age = begun(NOW)
      assert.equal(age.look(NOW), true)
      assert.deepEqual(evenly(age, NOW + leap, NOW + leap + EVEN_MS - 5 * MINUTE), [false])
      assert.equal(age.look(NOW + leap + EVEN_MS), true)
    }
  })

  it('is said to be doubted, once for each leap', () => {
    const log = recordedLog()
    const age = begun(NOW, log)
    evenly(age, NOW, NOW + 60 * MINUTE)
    assert.deepEqual(log.lines, [])
    evenly(age, NOW + 40 * DAY, NOW + 40 * DAY + 60 * MINUTE)
    assert.deepEqual(
      log.lines.map(({ level, fields }) => [level, fields['leapSeconds']]),
      [['warn', (40 * DAY - 60 * MINUTE) / 1000]],
    )
  })
})
