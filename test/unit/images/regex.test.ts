import assert from 'node:assert/strict'
import { parseRegex } from '../../../src/cli/features/images/regex.ts'

describe('REGEX', () => {
  const same: [regex: string, matches: string, not: string][] = [
    ['nginx', 'my-nginx:1', 'nginy'],
    ['(?i)NGINX', 'nginx', 'nginy'],
    ['\\Aweb', 'web-1', 'my-web'],
    ['1\\.2\\z', 'a:1.2', 'a:1.23'],
    ['service-00[[:digit:]]', 'service-007', 'service-00x'],
    ['[[:alpha:][:digit:]_]+$', 'a_1', '-'],
    ['\\Qa.b\\E', 'a.b', 'axb'],
    ['\\Qa.b', 'xa.by', 'axb'],
    ['(?P<name>web)-\\d+', 'web-12', 'web-x'],
    ['a\\-b', 'a-b', 'ab'],
    ['^docker\\.io/', 'docker.io/x', 'dockerxio/x'],
  ]
  for (const [regex, matches, not] of same) {
    it(`reads ${regex} as RE2 does`, () => {
      assert.match(matches, parseRegex(regex))
      assert.doesNotMatch(not, parseRegex(regex))
    })
  }

  for (const regex of ['(', '[', '*', '(?z)x', '\\Cx', '\\pL', '[[:nope:]]', '[[:^digit:]]', 'a\\']) {
    it(`refuses ${regex} and says so`, () => {
      assert.throws(() => parseRegex(regex), {
        name: 'DeckError',
        code: 'USAGE',
        message: /no regular expression: ./,
      })
    })
  }
})
