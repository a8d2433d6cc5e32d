import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../../..', import.meta.url))

describe('the page of metrics', () => {
  it('names each metric of the companion, and no other', () => {
    const sources = globSync('server/**/*.ts', { cwd: root }).map((path) =>
      readFileSync(`${root}/${path}`, 'utf8'),
    )
    const made = sources.flatMap((text) =>
      [...text.matchAll(/'(deckwatch_[a-z_]*[a-z])'/g)].map(([, name = '']) => name),
    )
    const page = readFileSync(`${root}/docs/metrics.md`, 'utf8')
    const named = [...page.matchAll(/^\| `(deckwatch_\w+)` /gm)].map(([, name = '']) => name)
    assert.ok(made.length > 10, 'no metrics were found')
    assert.deepEqual(named.toSorted(), [...new Set(made)].toSorted())
  })
})
