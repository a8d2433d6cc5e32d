import assert from 'node:assert/strict'
import type { ChangesPage, ChangesQuery } from '../../../src/cli/features/blame/ports.ts'
import { recordedConsequences } from '../../../src/cli/features/blame/recorded-consequences.ts'
import type { Change } from '../../../src/core/wire/change.ts'
import { change, NOW, type ChangeSeed } from './changes.ts'

const caused = (by: string, seed: ChangeSeed): Change =>
  change({
    ...seed,
    actor: 'control-plane',
    cause: { type: 'owner', change: by, object: 'Deployment web', username: 'dev-1' },
  })

/** A companion that has these changes, and what it was asked. */
function recorded(changes: readonly Change[]) {
  const asked: ChangesQuery[] = []
  const page = (found: readonly Change[]): ChangesPage => ({
    changes: found,
    recordingSince: '',
    gaps: [],
    resourceVersion: '1',
    warnings: [],
  })
  return {
    asked,
    async *listChanges(query: ChangesQuery) {
      asked.push(query)
      const { since = 0, until = Number.POSITIVE_INFINITY } = query
      const found = changes.filter(({ time, object }) => {
        const at = Date.parse(time)
        return at >= since && at <= until && (query.namespace ?? object.namespace) === object.namespace
      })
      yield page(found.slice(0, 1))
      yield page(found.slice(1))
    },
  }
}

describe('what followed from changes', () => {
  const { signal } = new AbortController()

  it('is found in the time after them, through one another, and told once', async () => {
    const shown = [
      change({ id: 'b', ago: 100 }),
      change({ id: 'a', ago: 105 }),
      change({ id: 'old', ago: 900 }),
    ]
    const ports = recorded([
      caused('rs', { id: 'pod', ago: 98 }),
      caused('b', { id: 'rs', ago: 99 }),
      caused('elsewhere', { id: 'other', ago: 99 }),
      change({ id: 'b', ago: 100 }),
      caused('old', { id: 'late', ago: 800 }),
    ])
    const found = await recordedConsequences(ports, shown, signal)
    assert.deepEqual(
      found.map(({ metadata }) => metadata?.name),
      ['pod', 'rs'],
    )
    const minutes = (epochMs: number | undefined) => (NOW - (epochMs ?? 0)) / 60_000
    assert.deepEqual(
      ports.asked.map(({ namespace, since, until }) => [namespace, minutes(since), minutes(until)]),
      [
        ['shop', 900, 885],
        ['shop', 105, 85],
      ],
    )
  })

  it('lies in the namespace that was deleted, and anywhere for other cluster-scoped objects', async () => {
    const of = (kind: string, name: string) => change({ id: name, object: { kind, name, namespace: '' } })
    const ports = recorded([])
    await recordedConsequences(ports, [of('Namespace', 'shop'), of('ClusterRole', 'admin')], signal)
    assert.deepEqual(
      ports.asked.map(({ namespace }) => namespace),
      ['shop', undefined],
    )
  })

  it('is nothing where there are no changes', async () => {
    assert.deepEqual(await recordedConsequences(recorded([]), [], signal), [])
  })
})
