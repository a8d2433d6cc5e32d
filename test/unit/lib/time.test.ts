import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import { formatAge, parseDuration } from '../../../src/core/lib/time.ts'

const SECOND = 1000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

describe('formatAge', () => {
  // Each right side was printed by k8s.io/apimachinery v0.35.4, duration.HumanDuration.
  const cases: readonly (readonly [number, string])[] = [
    [-2 * SECOND, '<invalid>'],
    [-1999, '0s'],
    [0, '0s'],
    [5 * SECOND + 999, '5s'],
    [119 * SECOND, '119s'],
    [2 * MINUTE, '2m'],
    [121 * SECOND, '2m1s'],
    [192 * SECOND, '3m12s'],
    [599 * SECOND, '9m59s'],
    [10 * MINUTE, '10m'],
    [45 * MINUTE, '45m'],
    [179 * MINUTE + 59 * SECOND, '179m'],
    [3 * HOUR, '3h'],
    [3 * HOUR + 4 * MINUTE, '3h4m'],
    [7 * HOUR + 59 * MINUTE, '7h59m'],
    [8 * HOUR, '8h'],
    [47 * HOUR + 59 * MINUTE, '47h'],
    [2 * DAY, '2d'],
    [51 * HOUR, '2d3h'],
    [8 * DAY, '8d'],
    [400 * DAY, '400d'],
    [729 * DAY, '729d'],
    [730 * DAY, '2y'],
    [735 * DAY, '2y5d'],
    [2919 * DAY, '7y364d'],
    [2920 * DAY, '8y'],
    [4000 * DAY, '10y'],
  ]
  for (const [ms, text] of cases) {
    it(`writes ${ms} ms as ${text}`, () => assert.equal(formatAge(ms), text))
  }
})

describe('parseDuration', () => {
  const cases: readonly (readonly [string, number])[] = [
    ['5m', 5 * MINUTE],
    ['1h30m', 90 * MINUTE],
    ['300ms', 300],
    ['1.5h', 90 * MINUTE],
    ['.5s', 500],
    ['1m0.5s', 60_500],
    ['+5s', 5000],
    ['250us', 0.25],
    ['250µs', 0.25],
    ['0', 0],
    ['0s', 0],
    ['30', 30 * SECOND],
  ]
  for (const [text, ms] of cases) {
    it(`reads ${text} as ${ms} ms`, () => assert.equal(parseDuration(text), ms))
  }

  for (const text of ['', 's', '5d', '-5s', '-5', '1h 30m', '5 m', '1e3s', '3.', '5M', '.s', '1h30']) {
    it(`refuses "${text}" and says how to write one`, () => {
      assert.throws(() => parseDuration(text), {
        name: 'DeckError',
        code: 'USAGE',
        message: new RegExp(`^"${text.replaceAll(/[.+]/g, '\\$&')}" is not a duration: `),
        hint: /1h30m/,
      })
    })
  }

  it('adds up hours, minutes, seconds and milliseconds', () => {
    fc.assert(
      fc.property(fc.nat(99), fc.nat(99), fc.nat(99), fc.nat(999), (h, m, s, ms) => {
        assert.equal(parseDuration(`${h}h${m}m${s}s${ms}ms`), h * HOUR + m * MINUTE + s * SECOND + ms)
      }),
    )
  })
})
