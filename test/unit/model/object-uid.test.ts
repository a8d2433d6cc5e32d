import assert from 'node:assert/strict'
import { objectUid } from '../../../src/core/model/object-uid.ts'

describe('the uid of a served object', () => {
  it('is a UUID of version 5 and the same for ever', () => {
    const uid = objectUid('images', 'c0ffee', 'nginx:1.25')
    assert.match(uid, /^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
    assert.equal(uid, objectUid('images', 'c0ffee', 'nginx:1.25'))
    assert.equal(uid, '468c1759-f408-546f-967b-75d0f38ee528')
  })

  it('differs where any part differs, also where the parts only meet elsewhere', () => {
    const uids = [
      ['images', 'ab', 'c'],
      ['images', 'a', 'bc'],
      ['images', 'abc'],
      ['images', 'ab', 'c', ''],
    ]
    assert.equal(new Set(uids.map((parts) => objectUid(...parts))).size, uids.length)
  })
})
