import assert from 'node:assert/strict'
import { array, assert as check, constantFrom, integer, nat, oneof, property, uint8Array } from 'fast-check'
import { decompressLz4, Lz4Compressor } from '../../../server/audit-log/journal/lz4-block.ts'

const text = (times: number): Buffer =>
  Buffer.from(`${'{"name":"SETTING","value":"x"},'.repeat(times)}the end`)

describe('blocks of LZ4', () => {
  it('give back what was compressed, whatever it was', () => {
    const compressor = new Lz4Compressor()
    const words = array(constantFrom('a', 'bc', '{"name":', 'value', '\0'.repeat(40), 'é', '𝄞'), {
      maxLength: 400,
    })
    const bytes = oneof(
      uint8Array({ maxLength: 2000 }).map((some) => Buffer.from(some)),
      words.map((some) => Buffer.from(some.join(''))),
    )
    check(
      property(bytes, (given) => {
        assert.deepEqual(decompressLz4(compressor.compress(given), given.length), given)
      }),
    )
  })

  it('give back what repeats over more than 64 KiB, and lengths of many bytes', () => {
    const compressor = new Lz4Compressor()
    const noise = Buffer.from(Array.from({ length: 70_000 }, (_, i) => (i * i * 31 + (i >> 3)) & 0xff))
    for (const given of [text(5000), Buffer.alloc(200_000, 'x'), noise, Buffer.concat([noise, noise])]) {
      assert.deepEqual(decompressLz4(compressor.compress(given), given.length), given)
    }
  })

  it('are much smaller where much repeats', () => {
    assert.ok(new Lz4Compressor().compress(text(500)).length < text(500).length / 20)
  })

  it('are read as the format says, also where a match goes on into itself', () => {
    // Token: 3 literals and a match of 4 + 5; then `abc`, three back; then five literals, the last.
    const block = Buffer.from([0x35, 0x61, 0x62, 0x63, 3, 0, 0x50, 0x2e, 0x2e, 0x65, 0x6e, 0x64])
    assert.equal(decompressLz4(block, 17).toString(), 'abcabcabcabc..end')
  })

  it('are refused where they are damaged, and never read or written beyond their end', () => {
    const given = text(40)
    const block = new Lz4Compressor().compress(given)
    assert.throws(() => decompressLz4(block, given.length - 1), RangeError)
    assert.throws(() => decompressLz4(block, given.length + 1), RangeError)
    check(
      property(nat(block.length - 1), integer({ min: 1, max: 255 }), nat(block.length), (at, by, cut) => {
        const bad = Buffer.from(block.subarray(0, cut))
        if (at < cut) bad[at] = (bad[at] ?? 0) ^ by
        try {
          assert.equal(decompressLz4(bad, given.length).length, given.length)
        } catch (error) {
          assert.ok(error instanceof RangeError)
        }
      }),
    )
  })
})
