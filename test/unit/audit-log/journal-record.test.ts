import assert from 'node:assert/strict'
import { crc32, zstdCompressSync } from 'node:zlib'
import { decodeRecord, numberRecord, RecordEncoder } from '../../../server/audit-log/journal/record.ts'
import type { AdmissionRequest } from '../../../src/core/wire/admission-review.ts'

const entryOf = (text: string): { readonly received: number; readonly request: AdmissionRequest } => ({
  received: 1_700_000_000_000,
  request: {
    uid: 'a',
    kind: { group: '', version: 'v1', kind: 'ConfigMap' },
    resource: { group: '', version: 'v1', resource: 'configmaps' },
    operation: 'CREATE',
    userInfo: { username: 'a user' },
    object: { apiVersion: 'v1', kind: 'ConfigMap', data: { text } },
  },
})

describe('a record of the journal', () => {
  it('gives its entry back, short, long and longer than what is kept ready for it', () => {
    const encoder = new RecordEncoder()
    for (const text of ['short', 'é and 𝄞, '.repeat(200), 'longer '.repeat(60_000)]) {
      const record = encoder.encode(entryOf(text))
      numberRecord(record, 7)
      const found = decodeRecord(record, 0)
      assert.ok(typeof found !== 'string')
      assert.deepEqual(found.entry(), { seq: 7, ...entryOf(text) })
    }
  })

  it('is read as it was written before: compressed by Zstandard', () => {
    const text = 'what waits over an upgrade '.repeat(100)
    const payload = zstdCompressSync(JSON.stringify(entryOf(text)))
    const record = Buffer.alloc(20 + payload.length)
    record.writeUInt32BE(payload.length, 0)
    record.writeUInt32BE(1, 8)
    record.writeBigUInt64BE(9n, 12)
    payload.copy(record, 20)
    record.writeUInt32BE(crc32(record.subarray(8)), 4)
    const found = decodeRecord(record, 0)
    assert.ok(typeof found !== 'string')
    assert.deepEqual(found.entry(), { seq: 9, ...entryOf(text) })
  })
})
