import assert from 'node:assert/strict'
import { asPostgresError } from '../../../server/kit/store/postgres-error.ts'
import { StoreFull, StoreGone } from '../../../server/kit/store/store.ts'

describe('an error of the database', () => {
  const told = (message: string, code?: string): unknown =>
    asPostgresError(Object.assign(new Error(message), code === undefined ? {} : { code }))

  it('that passes by itself is told as such', () => {
    for (const code of [
      '08006',
      '57P01',
      '57P03',
      '53300',
      '25006',
      'ECONNREFUSED',
      'ECONNRESET',
      'EPIPE',
      'ENOTFOUND',
    ])
      assert.ok(told('x', code) instanceof StoreGone, code)
    for (const message of [
      'Connection terminated unexpectedly',
      'Connection terminated due to connection timeout',
      'timeout exceeded when trying to connect',
      'Query read timeout',
    ])
      assert.ok(told(message) instanceof StoreGone, message)
  })

  it('that only wants space is told as such', () => {
    assert.ok(told('could not extend file', '53100') instanceof StoreFull)
  })

  it('that is a refusal or a mistake stays what it is', () => {
    for (const code of [
      '28P01',
      '3D000',
      '42501',
      '42601',
      '23505',
      '40001',
      'ERR_INVALID_ARG_TYPE',
      'EINVAL_OF_OURS',
    ])
      assert.equal((told('x', code) as Error).name, 'Error', code)
    assert.equal((told('something else') as Error).name, 'Error')
    assert.equal(asPostgresError('text'), 'text')
  })
})
