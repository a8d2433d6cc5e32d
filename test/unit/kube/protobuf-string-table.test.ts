import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import { StringTable } from '../../../src/core/kube/protobuf-string-table.ts'

describe('the table of shared strings', () => {
  it('gives what the bytes say, whatever it has seen before', () => {
    const table = new StringTable()
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'grapheme' }), { maxLength: 20 }), (texts) => {
        for (const text of texts) {
          const bytes = Buffer.from(`<${text}>`)
          assert.equal(table.fromBytes(bytes, 1, bytes.length - 1), text)
          assert.equal(table.fromText(text), text)
        }
      }),
    )
  })

  it('does not keep the bytes it was shown', () => {
    const table = new StringTable()
    const bytes = Buffer.from('nginx:1.25')
    table.fromBytes(bytes, 0, bytes.length)
    bytes.write('redis')
    assert.equal(table.fromBytes(bytes, 0, bytes.length), 'redis:1.25')
    assert.equal(table.fromBytes(Buffer.from('nginx:1.25'), 0, 10), 'nginx:1.25')
  })

  it('goes on being right after it has been filled and emptied', () => {
    const table = new StringTable()
    for (let index = 0; index < 40_000; index++) {
      const bytes = Buffer.from(`job-${index}`)
      assert.equal(table.fromBytes(bytes, 0, bytes.length), `job-${index}`)
      assert.equal(table.fromText(`job-${index}`), `job-${index}`)
    }
    assert.equal(table.fromBytes(Buffer.from('job-1'), 0, 5), 'job-1')
  })
})
