import assert from 'node:assert/strict'
import {
  changeSelector,
  checkFields,
  isNoise,
  parseInclude,
  withFields,
  type Selection,
} from '../../../src/cli/features/blame/select.ts'
import { DeckError } from '../../../src/core/lib/errors.ts'
import { userNamed } from '../../kit/sample-change.ts'
import { change, NOW, replaced, type ChangeSeed } from './changes.ts'

function isMeant(selection: Partial<Selection>, seed: ChangeSeed): boolean {
  const nothing: Selection = {
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
  return changeSelector({ ...nothing, ...selection })(change(seed))
}

const inGroups = (username: string, ...groups: string[]) => ({ username, groups, extra: {} })

describe('which changes are meant', () => {
  it('are all where nothing is said', () => {
    assert.ok(isMeant({}, {}))
    assert.ok(isMeant({}, { user: null, state: 'unattributed', changes: [] }))
  })

  it('are those by any of several names, with every condition', () => {
    assert.ok(isMeant({ users: ['a', 'b'] }, { user: 'b' }))
    assert.ok(!isMeant({ users: ['a', 'b'] }, { user: 'c' }))
    assert.ok(!isMeant({ users: ['a'] }, { user: null }))
    assert.ok(!isMeant({ users: ['b'], operations: ['DELETE'] }, { user: 'b' }))
    assert.ok(isMeant({ managers: ['kubectl-edit'], tools: ['kubectl'], states: ['confirmed'] }, {}))
    assert.ok(!isMeant({ managers: ['helm'] }, {}))
    assert.ok(!isMeant({ tools: ['helm'] }, {}))
    assert.ok(!isMeant({ states: ['admitted'] }, {}))
  })

  it('are those of a group, of the same one of several who may have made it', () => {
    assert.ok(isMeant({ groups: ['ops', 'dev'] }, { user: inGroups('a', 'dev') }))
    assert.ok(!isMeant({ groups: ['ops'] }, { user: inGroups('a', 'dev') }))
    const ambiguous: ChangeSeed = {
      user: null,
      state: 'ambiguous',
      candidates: [inGroups('a', 'dev'), userNamed('b')],
    }
    assert.ok(isMeant({ users: ['b'] }, ambiguous))
    assert.ok(isMeant({ users: ['a'], groups: ['dev'] }, ambiguous))
    assert.ok(!isMeant({ users: ['b'], groups: ['dev'] }, ambiguous))
  })

  it('are those that a hand made, by the account that wrote them', () => {
    const byArgo: ChangeSeed = { user: 'argo', via: { initiatedBy: 'dev-2', manual: false } }
    assert.ok(isMeant({ users: ['argo'] }, byArgo))
    // The companion, which looks first, knows only who wrote.
    assert.ok(!isMeant({ users: ['dev-2'] }, byArgo))
    assert.ok(!isMeant({ manual: true }, byArgo))
    assert.ok(isMeant({ manual: true }, {}))
  })

  it('are those in a time, its ends included', () => {
    const time = NOW - 4 * 60_000
    assert.ok(isMeant({ since: time, until: time }, {}))
    assert.ok(!isMeant({ since: time + 1 }, {}))
    assert.ok(!isMeant({ until: time - 1 }, {}))
  })

  it('are those of a field, by its path or as screens show it, and of what it lies in', () => {
    const image: ChangeSeed = {
      changes: [replaced('spec.template.spec.containers[name=app].image', 'a', 'b')],
    }
    assert.ok(isMeant({ fields: ['containers[app].image'] }, image))
    assert.ok(isMeant({ fields: ['spec.template'] }, image))
    assert.ok(isMeant({ fields: ['replicas', 'containers[*].image'] }, image))
    assert.ok(!isMeant({ fields: ['containers[side].image'] }, image))
    assert.ok(!isMeant({ fields: ['replicas'] }, image))
    assert.ok(
      isMeant({ fields: ['replicas'] }, { operation: 'DELETE', changes: [{ path: '', op: 'remove' }] }),
    )
  })

  it('are those of a field that came with the entry that it is in', () => {
    const sidecar = { name: 'side', image: 'envoy:1' }
    const added = { path: 'spec.template.spec.containers[name=side]', op: 'add', to: sidecar } as const
    assert.ok(isMeant({ fields: ['containers[side].image'] }, { changes: [added] }))
    assert.ok(!isMeant({ fields: ['containers[side].args'] }, { changes: [added] }))
    assert.deepEqual(withFields(change({ changes: [added] }), ['containers[side].image']).changes, [added])
  })
})

describe('the fields of a change', () => {
  it('are only those that were asked for', () => {
    const both = change({ changes: [replaced('spec.replicas', 1, 2), replaced('spec.paused', false, true)] })
    assert.equal(withFields(both, []), both)
    assert.deepEqual(
      withFields(both, ['replicas']).changes.map(({ path }) => path),
      ['spec.replicas'],
    )
  })

  it('have paths that can be read', () => {
    checkFields(['containers[app].image', '*.replicas'])
    assert.throws(
      () => checkFields(['containers[app']),
      (error) =>
        error instanceof DeckError &&
        error.code === 'USAGE' &&
        /--field: "containers\[app" is no path/.test(error.message),
    )
  })
})

describe('noise', () => {
  it('is status and what changes with every write, unless it is asked for', () => {
    const managed = [
      'metadata.managedFields',
      'metadata.resourceVersion',
      'metadata.annotations["kubectl.kubernetes.io/last-applied-configuration"]',
    ]
    for (const path of managed) {
      assert.ok(isNoise(path, new Set()))
      assert.ok(!isNoise(path, parseInclude('managed')))
    }
    assert.ok(isNoise('status.conditions[type=Ready].status', parseInclude('managed')))
    assert.ok(!isNoise('status.replicas', parseInclude('status,managed')))
    for (const path of ['spec.replicas', 'metadata.labels.app', 'spec.status', 'metadata.annotations.x']) {
      assert.ok(!isNoise(path, new Set()), path)
    }
  })

  it('has two names', () => {
    assert.deepEqual([...parseInclude(undefined)], [])
    assert.throws(() => parseInclude('status,all'), /--include "all": there is no such part/)
  })
})
