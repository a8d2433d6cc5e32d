import assert from 'node:assert/strict'
import { namesValues, nearHint, withoutValues } from '../../../src/cli/features/blame/near-values.ts'
import type { Selection } from '../../../src/cli/features/blame/select.ts'
import { change } from './changes.ts'

const NONE: Selection = {
  users: [],
  groups: [],
  managers: [],
  tools: [],
  operations: [],
  states: [],
  fields: [],
  manual: false,
  since: undefined,
  until: undefined,
}

const by = (username: string, groups: readonly string[] = []) => ({ username, groups, extra: {} })
const IMAGE = 'spec.template.spec.containers[name=app].image'
const CHANGES = [
  change({ user: by('dev-1@example.org', ['shop-dev']), via: { manager: 'kubectl-edit', tool: 'kubectl' } }),
  change({ user: by('dev-2@example.org'), changes: [{ path: IMAGE, op: 'replace', from: 'a', to: 'b' }] }),
  change({ user: by('system:serviceaccount:shop:ci'), via: { manager: 'helm', tool: 'helm' } }),
  change({ user: by("o'hara"), changes: [{ path: '', op: 'remove' }] }),
]

describe('names that are like those that were asked for', () => {
  const hint = (filters: Partial<Selection>) => nearHint({ ...NONE, ...filters }, CHANGES)

  for (const [filters, said] of [
    [{ users: ['dev-1'] }, '--user dev-1@example.org'],
    [{ users: ['ci'] }, '--user system:serviceaccount:shop:ci'],
    [{ users: ['shop/ci'] }, '--user system:serviceaccount:shop:ci'],
    [{ users: ['DEV-1@example.org'] }, '--user dev-1@example.org'],
    [{ users: ['dev1@example.org'] }, '--user dev-1@example.org or --user dev-2@example.org'],
    [{ users: ['ohara'] }, `--user 'o'\\''hara'`],
    [{ groups: ['shop'] }, '--group shop-dev'],
    [{ managers: ['edit'] }, '--manager kubectl-edit'],
    [{ tools: ['kubctl'], users: ['dev-2'] }, '--user dev-2@example.org or --tool kubectl'],
    [{ fields: ['image'] }, `--field 'containers[app].image'`],
    [{ fields: ['containers[web].image'] }, `--field 'containers[app].image'`],
  ] as const) {
    it(`are found for ${JSON.stringify(filters)}`, () => {
      assert.equal(hint(filters), `Did you mean ${said}?`)
    })
  }

  it('are none where nothing is like them, or the names are there', () => {
    for (const filters of [
      { users: ['somebody'] },
      { users: ['dev-1@example.org'], tools: ['helm'] },
      { fields: ['replicasx.y'] },
      { users: ['x'] },
      {},
    ])
      assert.equal(hint(filters), undefined, JSON.stringify(filters))
  })

  it('are looked for without the filters that name something, and with the others', () => {
    const filters = { ...NONE, users: ['a'], fields: ['b'], manual: true, since: 7 }
    assert.deepEqual(withoutValues(filters), { ...NONE, manual: true, since: 7 })
    assert.deepEqual([namesValues(filters), namesValues(withoutValues(filters))], [true, false])
  })
})
