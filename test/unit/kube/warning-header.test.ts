import assert from 'node:assert/strict'
import { parseWarnings } from '../../../src/core/kube/warning-header.ts'

describe('Warning headers', () => {
  const cases: [what: string, header: string | undefined, texts: string[]][] = [
    ['none', undefined, []],
    ['one', '299 - "history begins at 2026-11-14T00:00:00Z"', ['history begins at 2026-11-14T00:00:00Z']],
    ['several that were joined', '299 - "a, b", 299 - "c"', ['a, b', 'c']],
    ['quotes and backslashes', String.raw`299 - "say \"no\" to C:\\"`, ['say "no" to C:\\']],
    ['a date after the text', '299 host:443 "old" "Wed, 21 Oct 2015 07:28:00 GMT"', ['old']],
    ['UTF-8 read as Latin-1', Buffer.from('299 - "Größe"').toString('latin1'), ['Größe']],
    ['Latin-1 that is no UTF-8', '299 - "Gr\u00f6\u00dfe"', ['Größe']],
    ['what was decoded already', '299 - "→"', ['→']],
    ['what is no warning', 'nothing here', []],
  ]
  for (const [what, header, texts] of cases) {
    it(`are read: ${what}`, () => assert.deepEqual(parseWarnings(header), texts))
  }
})
