import assert from 'node:assert/strict'
import { formatBytes, formatCount } from '../../../src/core/lib/bytes.ts'

describe('formatBytes', () => {
  // Each right side was printed by go-humanize v1.0.1, IBytes.
  const cases: readonly (readonly [number, string])[] = [
    [0, '0 B'],
    [9, '9 B'],
    [10, '10 B'],
    [1023, '1023 B'],
    [1024, '1.0 KiB'],
    [1075, '1.0 KiB'],
    [1076, '1.1 KiB'],
    [10_188, '9.9 KiB'],
    [10_189, '10 KiB'],
    [1_048_575, '1024 KiB'],
    [1_048_576, '1.0 MiB'],
    [6_815_744, '6.5 MiB'],
    [68_943_872, '66 MiB'],
    [69_730_304, '66 MiB'],
    [1_073_741_824, '1.0 GiB'],
    [732_340_766_578_255, '666 TiB'],
    [1_125_899_906_842_624, '1.0 PiB'],
  ]
  for (const [bytes, text] of cases) {
    it(`writes ${bytes} as ${text}`, () => assert.equal(formatBytes(bytes), text))
  }
})

describe('formatCount', () => {
  it('puts commas between thousands', () => {
    assert.deepEqual([0, 999, 1000, 10_000, 1_234_567].map(formatCount), [
      '0',
      '999',
      '1,000',
      '10,000',
      '1,234,567',
    ])
  })
})
