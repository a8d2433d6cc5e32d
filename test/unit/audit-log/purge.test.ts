import assert from 'node:assert/strict'
import { setImmediate as turn } from 'node:timers/promises'
import { readPurgeRequest } from '../../../server/audit-log/purge/purge-request.ts'
import { purgeHistory } from '../../../server/audit-log/purge/purge-history.ts'
import type { JournalPosition } from '../../../server/audit-log/journal/journal.ts'
import type { PurgeFilter } from '../../../server/audit-log/store/audit-store.ts'
import type { PurgeTarget } from '../../../src/core/wire/purge.ts'
import { ManualClock } from '../../kit/manual-clock.ts'

/** Lets seconds pass, and what waits go on in between. */
async function pass(clock: ManualClock, seconds: number): Promise<void> {
  for (let second = 0; second < seconds; second++) {
    await turn()
    await clock.advance(1000)
    await turn()
  }
}

const TARGET: PurgeTarget = {
  group: '',
  resource: 'configmaps',
  namespace: 'shop',
  name: 'settings',
  path: 'data.motto',
}

describe('a request to purge', () => {
  const request = (more: object): Record<string, string> => ({
    request: JSON.stringify({ id: 'one', time: '2026-11-21T02:14:07Z', target: TARGET, ...more }),
  })

  it('is read where it has no answer yet', () => {
    const answered = { ...request({}), answer: JSON.stringify({ id: 'earlier', done: true, changes: 1 }) }
    for (const data of [request({}), answered]) {
      const asked = readPurgeRequest(data)
      assert.ok(asked.type === 'request')
      assert.equal(asked.request.id, 'one')
      assert.deepEqual(asked.request.target, TARGET)
    }
  })

  it('is none where it was answered, or is none', () => {
    const answered = { ...request({}), answer: JSON.stringify({ id: 'one', done: false, reason: 'no' }) }
    for (const data of [answered, {}, { request: 'no JSON' }, { request: '[]' }, request({ id: 7 })])
      assert.equal(readPurgeRequest(data).type, 'none')
  })

  it('is answered with what is wrong with it', () => {
    const reasonOf = (target: unknown): string => {
      const asked = readPurgeRequest(request({ target }))
      assert.ok(asked.type === 'unreadable')
      assert.equal(asked.id, 'one')
      return asked.reason
    }
    assert.match(reasonOf(undefined), /no target/)
    assert.match(reasonOf({ ...TARGET, name: undefined }), /no name/)
    // An empty path would be the whole object.
    assert.match(reasonOf({ ...TARGET, path: '' }), /path/)
    assert.notEqual(reasonOf({ ...TARGET, path: 'data[' }), '')
  })
})

describe('purging the history', () => {
  const filter: PurgeFilter = { ...TARGET, path: undefined }
  const call = { filter, sealed: { seq: 5, segment: 3 } }

  function history(taken: () => number | undefined) {
    const clock = new ManualClock()
    const done: (string | JournalPosition)[] = []
    const deps = {
      store: {
        async position() {
          const seq = taken()
          return seq === undefined ? undefined : { position: { segment: 2, offset: 100 }, seq }
        },
        async purge(given: PurgeFilter) {
          assert.equal(given, filter)
          done.push('purge')
          return 2
        },
      },
      journal: { release: (before: JournalPosition) => void done.push(before) },
      writer: 4711,
      waiting: () => 0,
      clock,
    }
    return { deps, clock, done }
  }

  it('waits until the store has what the journal held, and lets the journal go last', async () => {
    let seq = 4
    const { deps, clock, done } = history(() => seq)
    const purged = purgeHistory(deps, call, new AbortController().signal)
    await pass(clock, 1)
    assert.deepEqual(done, [])
    seq = 5
    await pass(clock, 1)
    assert.equal(await purged, 2)
    assert.deepEqual(done, ['purge', { segment: 3, offset: 0 }])
  })

  it('touches nothing where that takes too long', async () => {
    const { deps, clock, done } = history(() => undefined)
    const purged = assert.rejects(
      purgeHistory(deps, call, new AbortController().signal),
      /not in the store within 60 s/,
    )
    await pass(clock, 61)
    await purged
    assert.deepEqual(done, [])
  })
})
