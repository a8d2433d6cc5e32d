import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import { parseDuration } from '../../../src/core/lib/time.ts'

const SECOND = 1000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE

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
