import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { DeckError, EXIT_CODES, type ErrorCode } from '../../../src/core/lib/errors.ts'

describe('error codes', () => {
  it('are all explained in docs/errors.md, with their exit codes', async () => {
    const text = await readFile(new URL('../../../docs/errors.md', import.meta.url), 'utf8')
    const rows = [...text.matchAll(/^\| `([A-Z_]+)` \| (\d+) \|/gm)].map(([, code, exit]) => [
      code,
      Number(exit),
    ])
    assert.deepEqual(Object.fromEntries(rows), EXIT_CODES)
    assert.equal(rows.length, Object.keys(EXIT_CODES).length)
  })

  it('lead to the exit code of the design', () => {
    for (const [code, exitCode] of Object.entries(EXIT_CODES)) {
      assert.equal(new DeckError(code as ErrorCode, 'x').exitCode, exitCode)
    }
  })

  it('keep the cause, and leave out what is not given', () => {
    const cause = new Error('below')
    assert.equal(new DeckError('INTERNAL', 'x', { cause }).cause, cause)
    assert.equal(Object.hasOwn(new DeckError('INTERNAL', 'x'), 'cause'), false)
  })
})
