import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import { quantity } from '../../../server/deploy/quantity.ts'
import { readBytes } from '../../../server/kit/config/setting-schemas.ts'

describe('a size in the values of an installation', () => {
  const units = fc.constantFrom('', 'k', 'M', 'G', 'T', 'Ki', 'Mi', 'Gi', 'Ti')

  it('is as many bytes as the companion takes it for', () => {
    fc.assert(
      fc.property(fc.nat({ max: 999_999_999 }), units, (number, unit) => {
        assert.equal(quantity(`${number}${unit}`), readBytes(`${number}${unit}`))
      }),
    )
  })

  it('may be a part, which Kubernetes alone is given: of a core, or of a unit', () => {
    for (const [text, number] of [
      ['100m', 0.1],
      ['1.5Gi', 1.5 * 2 ** 30],
    ] as const) {
      assert.equal(quantity(text), number)
      assert.equal(readBytes(text), undefined)
    }
  })

  for (const text of ['', 'Mi', '-1Gi', '1 Gi', '1gi', '1e3', '1Mib']) {
    it(`is refused by both: ${JSON.stringify(text)}`, () => {
      assert.deepEqual([quantity(text), readBytes(text)], [undefined, undefined])
    })
  }
})
