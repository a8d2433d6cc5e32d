import assert from 'node:assert/strict'
import { setImmediate as turn } from 'node:timers/promises'
import {
  checkField,
  heldLine,
  isRedactedBy,
  purgedLines,
  readForRequest,
  redactEntry,
  requestPurge,
  stillHolds,
  type PurgePorts,
} from '../../../src/cli/features/deckwatch/purge.ts'
import { DeckError } from '../../../src/core/lib/errors.ts'
import type { Change, FieldChange } from '../../../src/core/wire/change.ts'
import type { PurgeRequest, PurgeTarget } from '../../../src/core/wire/purge.ts'
import { ManualClock } from '../../kit/manual-clock.ts'

/** Lets seconds pass, and what waits go on in between. */
async function pass(clock: ManualClock, seconds: number): Promise<void> {
  for (let second = 0; second < seconds; second++) {
    await turn()
    await clock.advance(1000)
    await turn()
  }
}

const TARGET: PurgeTarget = { group: 'apps', resource: 'deployments', namespace: 'shop', name: 'web' }
const NOW = Date.UTC(2026, 10, 21, 2, 14, 7)

describe('what a purge is about', () => {
  const signal = new AbortController().signal

  it('is one field, by a path in full', () => {
    for (const path of ['data.motto', 'spec.containers[name=app].env[name=TOKEN].value', 'data["a.b"]'])
      assert.equal(checkField(path), path)
    for (const path of ['', 'data[', 'data.*'])
      assert.throws(
        () => checkField(path),
        (error) => error instanceof DeckError && error.code === 'USAGE',
      )
  })

  it('is counted in what is above the field and below it too', () => {
    const change = (...changes: FieldChange[]): Change =>
      ({ state: 'confirmed', changes }) as unknown as Change
    const changes = [
      change({ path: '', op: 'add', to: { data: { motto: 'a', colour: 'b' } } }),
      change({ path: '', op: 'add', to: { data: { colour: 'b' } } }),
      change({ path: 'data.motto', op: 'replace', from: 'a', to: 'b' }),
      change({ path: 'data.colour', op: 'replace', from: 'a', to: 'b' }),
      change({ path: 'data.motto', op: 'replace', lines: [{ line: 1, from: ['a'], to: ['b'] }] }),
    ]
    assert.equal(
      heldLine('configmap/a', changes, 'data.motto'),
      'configmap/a: 5 recorded changes, 3 with a value at data.motto',
    )
    assert.equal(
      heldLine('configmap/a', changes, undefined),
      'configmap/a: 5 recorded changes, all of which would go',
    )
  })

  it('is what had no effect too: a write that the API server repeated holds the value as well', () => {
    const write = (state: Change['state']): Change =>
      ({ state, changes: [{ path: 'data.motto', op: 'add', to: 'a' }] }) as unknown as Change
    assert.equal(
      heldLine('configmap/a', [write('confirmed'), write('superseded'), write('not-landed')], 'data.motto'),
      'configmap/a: 1 recorded change and 2 writes without effect, 3 with a value at data.motto',
    )
  })

  it('comes back where the object has the field, and nothing redacts it', () => {
    const object = { apiVersion: 'v1', kind: 'ConfigMap', metadata: {}, data: { motto: 'a' } }
    assert.equal(stillHolds(object, 'data.motto'), true)
    assert.equal(stillHolds(object, 'data.other'), false)
    assert.equal(stillHolds(undefined, 'data.motto'), false)
    assert.equal(redactEntry(TARGET, 'spec.replicas'), 'deployments.apps:spec.replicas')
    assert.equal(redactEntry({ ...TARGET, group: '', resource: 'configmaps' }, 'data.a'), 'configmaps:data.a')
    const config = (entries: unknown): string =>
      `log-level: "info"\naudit-redact: ${JSON.stringify(JSON.stringify(entries))}\n`
    assert.equal(isRedactedBy(config(['deployments.apps:spec.template']), TARGET, 'spec.template.spec'), true)
    for (const entries of [[], ['deployments.apps:spec.other'], ['configmaps:spec.template'], 'x', [7]])
      assert.equal(isRedactedBy(config(entries), TARGET, 'spec.template.spec'), false)
    assert.equal(isRedactedBy('', TARGET, 'spec'), false)
  })

  it('is asked for only where a companion can answer, and nobody else waits', async () => {
    const portsOf = (data: Record<string, string> | undefined): PurgePorts => ({
      read: async () => (data ? { resourceVersion: '7', data } : undefined),
      ask: () => assert.fail('nothing is asked yet'),
    })
    const code = async (data: Record<string, string> | undefined): Promise<string> => {
      try {
        await readForRequest(portsOf(data), { namespace: 'deckwatch', now: NOW }, signal)
        return ''
      } catch (error) {
        assert.ok(error instanceof DeckError)
        return error.code
      }
    }
    const asked = (ageMs: number): string =>
      JSON.stringify({ id: 'one', time: new Date(NOW - ageMs).toISOString(), target: TARGET })
    assert.equal(await code(undefined), 'COMPANION_ABSENT')
    assert.equal(await code({}), '')
    assert.equal(await code({ request: asked(1000) }), 'KUBE_CONFLICT')
    assert.equal(
      await code({ request: asked(1000), answer: JSON.stringify({ id: 'other' }) }),
      'KUBE_CONFLICT',
    )
    assert.equal(await code({ request: asked(1000), answer: JSON.stringify({ id: 'one' }) }), '')
    assert.equal(await code({ request: asked(3_600_000) }), '')
    assert.equal(await code({ request: 'by hand' }), '')
  })
})

describe('the answer to a purge', () => {
  const signal = new AbortController().signal

  function asking(answer: (request: PurgeRequest) => object | undefined) {
    const clock = new ManualClock(NOW)
    let written: PurgeRequest | undefined
    const ports: PurgePorts = {
      async read() {
        const made = written && answer(written)
        return { resourceVersion: '8', data: made ? { answer: JSON.stringify(made) } : {} }
      },
      async ask(request, state) {
        assert.equal(state.resourceVersion, '7')
        written = request
      },
    }
    const state = { resourceVersion: '7', data: {} }
    return { clock, purged: requestPurge({ ports, clock }, { id: 'one', state, target: TARGET }, signal) }
  }

  it('is waited for by its id, and tells how many changes', async () => {
    let isDone = false
    const { clock, purged } = asking(({ id }) =>
      isDone ? { id, done: true, changes: 3, away: 1 } : { id: 'earlier' },
    )
    await pass(clock, 2)
    isDone = true
    await pass(clock, 2)
    assert.deepEqual(await purged, { changes: 3, away: 1 })
  })

  it('may be why not', async () => {
    const { clock, purged } = asking(({ id }) => ({ id, done: false, reason: 'no space is left' }))
    const refused = assert.rejects(purged, { code: 'PURGE_REFUSED', message: /no space is left/ })
    await pass(clock, 2)
    await refused
  })

  it('is none where another came first', async () => {
    const conflict = new DeckError('KUBE_CONFLICT', 'the object has been modified', { status: 409 })
    const ports: PurgePorts = { read: async () => undefined, ask: () => Promise.reject(conflict) }
    const clock = new ManualClock()
    const given = { id: 'two', state: { resourceVersion: '7', data: {} }, target: TARGET }
    await assert.rejects(requestPurge({ ports, clock }, given, new AbortController().signal), {
      code: 'KUBE_CONFLICT',
      message: /another purge was asked for meanwhile/,
    })
  })

  it('says what still has the values', () => {
    const text = (purged: Parameters<typeof purgedLines>[0]): string => purgedLines(purged).join('\n')
    assert.match(text({ changes: 1 }), /purged from 1 change,/)
    assert.doesNotMatch(text({ changes: 1 }), /away|files of the database/)
    assert.match(text({ changes: 2, away: 1 }), /1 replica was away/)
    assert.match(
      text({ changes: 2, remains: 'a lock timeout\u001b' }),
      /files of the database: a lock timeout[^\u001b]/,
    )
  })

  it('is not waited for for ever', async () => {
    const { clock, purged } = asking(() => undefined)
    const ended = assert.rejects(purged, { code: 'KUBE_TIMEOUT' })
    await pass(clock, 152)
    await ended
  })
})
