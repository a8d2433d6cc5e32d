import assert from 'node:assert/strict'
import { ageOf } from '../../../src/core/lib/age.ts'

const SECOND = 1000
const HOUR = 3600 * SECOND
const DAY = 24 * HOUR

describe('an age', () => {
  const cases: [ms: number, text: string][] = [
    [-5 * SECOND, '0s'],
    [0, '0s'],
    [119 * SECOND, '119s'],
    [120 * SECOND, '2m'],
    [599 * SECOND, '9m59s'],
    [600 * SECOND, '10m'],
    [3 * HOUR - 1, '179m'],
    [3 * HOUR, '3h'],
    [7 * HOUR + 59 * 60 * SECOND, '7h59m'],
    [8 * HOUR, '8h'],
    [2 * DAY - 1, '47h'],
    [2 * DAY, '2d'],
    [7 * DAY + 23 * HOUR, '7d23h'],
    [8 * DAY, '8d'],
    [730 * DAY - 1, '729d'],
    [730 * DAY, '2y'],
    [731 * DAY, '2y1d'],
    [8 * 365 * DAY, '8y'],
  ]
  for (const [ms, text] of cases) {
    it(`of ${ms} ms is ${text}`, () => assert.equal(ageOf(1_000_000_000_000, 1_000_000_000_000 + ms), text))
  }
})
