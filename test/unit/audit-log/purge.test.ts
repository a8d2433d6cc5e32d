import assert from 'node:assert/strict'
import { setImmediate as turn } from 'node:timers/promises'
import { readPurgeRequest } from '../../../server/audit-log/purge/purge-request.ts'
import { journalReviews } from '../../../server/audit-log/purge/own-journal.ts'
import { type PurgeHistoryDeps, purgeHistory } from '../../../server/audit-log/purge/purge-history.ts'
import { withoutPurged } from '../../../server/audit-log/purge/without-purged.ts'
import { BetweenRounds } from '../../../server/audit-log/recorder/between-rounds.ts'
import { noCounts } from '../../../server/audit-log/recorder/recorder-counts.ts'
import { JournalPurges } from '../../../server/audit-log/replica/journal-purges.ts'
import type { JournalEntry, JournalPosition } from '../../../server/audit-log/journal/journal.ts'
import { type PurgeFilter, StoreGone } from '../../../server/audit-log/store/audit-store.ts'
import type { PurgeTarget } from '../../../src/core/wire/purge.ts'
import { ManualClock } from '../../kit/manual-clock.ts'
import { recordedLog } from '../../kit/recorded-log.ts'

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
  const sealed = { seq: 5, segment: 3 }

  function history(taken: () => number | undefined, remains?: string) {
    const clock = new ManualClock()
    const done: (string | JournalPosition)[] = []
    const store = {
      async position() {
        const seq = taken()
        return seq === undefined ? undefined : { position: { segment: 2, offset: 100 }, seq }
      },
      async purge(given: PurgeFilter) {
        assert.equal(given, filter)
        done.push('purge')
        return 2
      },
      async scrub() {
        done.push('scrub')
        return remains
      },
    }
    const recorder = {
      counts: { ...noCounts(), held: 0, waiting: 0, oldestPending: undefined, gap: false },
      between<T>(work: () => Promise<T>) {
        done.push('between')
        return work()
      },
    }
    const journal = { release: (before: JournalPosition) => void done.push(before) }
    const reviews = journalReviews({ store, journal, writer: 4711 }, sealed)
    const deps = { store, recorder, clock } as unknown as PurgeHistoryDeps
    const signal = new AbortController().signal
    return { purge: () => purgeHistory(deps, filter, reviews, signal), clock, done }
  }

  it('waits until the store has what the journal held, and lets the journal go after that', async () => {
    let seq = 4
    const { purge, clock, done } = history(() => seq)
    const purged = purge()
    await pass(clock, 1)
    assert.deepEqual(done, [])
    seq = 5
    await pass(clock, 1)
    assert.deepEqual(await purged, { changes: 2 })
    assert.deepEqual(done, ['between', 'purge', { segment: 3, offset: 0 }, 'scrub'])
  })

  it('tells what could not be overwritten', async () => {
    const { purge } = history(() => 5, 'the database has a copy')
    assert.deepEqual(await purge(), { changes: 2, remains: 'the database has a copy' })
  })

  it('touches nothing where that takes too long', async () => {
    const { purge, clock, done } = history(() => undefined)
    const purged = assert.rejects(purge(), /not in the store within 60 s/)
    await pass(clock, 61)
    await purged
    assert.deepEqual(done, [])
  })
})

describe('work between two rounds of recording', () => {
  it('is done in its turn, and tells how it went', async () => {
    const between = new BetweenRounds()
    const order: number[] = []
    const first = between.run(async () => order.push(1))
    const second = assert.rejects(
      between.run(() => Promise.reject(new Error('no'))),
      /no/,
    )
    await turn()
    assert.deepEqual(order, [])
    await between.turn()
    assert.equal(await first, 1)
    await second
  })

  it('is refused where there are no more rounds', async () => {
    const between = new BetweenRounds()
    const waiting = assert.rejects(
      between.run(() => assert.fail('it is not done')),
      /ended/,
    )
    between.end()
    await waiting
    await assert.rejects(
      between.run(() => assert.fail('it is not done')),
      /ended/,
    )
  })
})

describe('an entry of a journal after a purge', () => {
  const filter: PurgeFilter = { ...TARGET, path: TARGET.path }
  const entry = (data: object, more: Partial<JournalEntry['request']> = {}): JournalEntry => ({
    seq: 1,
    received: 1000,
    request: {
      uid: 'u',
      kind: { group: '', version: 'v1', kind: 'ConfigMap' },
      resource: { group: '', version: 'v1', resource: 'configmaps' },
      name: 'settings',
      namespace: 'shop',
      operation: 'UPDATE',
      userInfo: { username: 'alice' },
      object: { metadata: { name: 'settings' }, data },
      ...more,
    },
  })
  const old = { metadata: { name: 'settings' }, data: { motto: 'x' } }

  it('keeps who wrote and when, and no object that had the value', () => {
    for (const held of [
      entry({ motto: 'x' }),
      entry({ colour: 'blue' }, { oldObject: old }),
      entry(
        {},
        {
          object: {
            metadata: {
              name: 'settings',
              annotations: { 'kubectl.kubernetes.io/last-applied-configuration': JSON.stringify(old) },
            },
          },
        },
      ),
    ]) {
      const left = withoutPurged(held, filter)
      assert.equal(left?.truncated, true)
      assert.equal(left?.request.userInfo.username, 'alice')
      assert.equal(left?.request.name, 'settings')
      assert.ok(!JSON.stringify(left).includes('"x"'), JSON.stringify(left))
    }
  })

  it('stays as it is where it has nothing of it', () => {
    const others = [
      entry({ colour: 'blue' }),
      entry({ motto: 'x' }, { namespace: 'other' }),
      entry({ motto: 'x' }, { resource: { group: '', version: 'v1', resource: 'secrets' } }),
      entry({}, { object: { metadata: { name: 'others' }, data: { motto: 'x' } } }),
    ]
    for (const one of others) {
      assert.equal(withoutPurged(one, filter), one)
      assert.equal(withoutPurged(one, { ...filter, path: undefined }) === one, one !== others[0])
    }
  })

  it('goes with the whole history of its object, also where the server gave the name', () => {
    const whole = { ...filter, path: undefined }
    assert.equal(withoutPurged(entry({ motto: 'x' }), whole), undefined)
    const { name: _name, ...request } = entry({ motto: 'x' }).request
    assert.equal(withoutPurged({ ...entry({}), request }, whole), undefined)
  })
})

describe("a replica's part in purges", () => {
  const filter: PurgeFilter = { ...TARGET, path: undefined }
  const ASKED = 1_795_000_000_000
  const entry = (seq: number, received = ASKED - 1, name = 'settings'): JournalEntry => ({
    seq,
    received,
    request: {
      uid: 'u',
      kind: { group: '', version: 'v1', kind: 'ConfigMap' },
      resource: { group: '', version: 'v1', resource: 'configmaps' },
      name,
      namespace: 'shop',
      operation: 'UPDATE',
      userInfo: {},
    },
  })

  function replica(...numbers: number[]) {
    const booked = numbers.map((number) => ({ number, filter, asked: ASKED }))
    const done: unknown[] = []
    let gone = false
    const purges = new JournalPurges({
      book: {
        due: async () => ({ known: booked.at(-1)?.number ?? 0, purges: booked }),
        async acknowledge(_writer, number) {
          if (gone) throw new StoreGone('away')
          done.push(number)
        },
      },
      journal: { release: ({ segment }) => void done.push(`files before ${segment}`) },
      writer: 7,
      log: recordedLog(),
    })
    const away = (is: boolean): void => {
      gone = is
    }
    return { purges, booked, done, away }
  }

  it('holds back what was there before, until all that is handed over', async () => {
    const { purges, booked, done } = replica(4)
    assert.equal(purges.rid([entry(1)]).length, 1, 'it knows of nothing yet')
    await purges.refresh()
    assert.equal(purges.known, 4)
    assert.deepEqual(purges.rid([entry(1), entry(2, ASKED, 'other'), entry(3, ASKED + 60_001)]), [
      entry(2, ASKED, 'other'),
      entry(3, ASKED + 60_001),
    ])
    const signal = new AbortController().signal
    assert.equal(await purges.toCut(signal), 4)
    const cut = { number: 4, sealed: { seq: 5, segment: 2 } }
    purges.wasCut(cut)
    assert.deepEqual(
      purges.rid([entry(5), entry(6)]).map(({ seq }) => seq),
      [6],
      'what came after the cut is not part of it',
    )
    await purges.handedOver(cut)
    assert.deepEqual(done, ['files before 2', 4])
    assert.equal(purges.cut, undefined)
    assert.equal(purges.rid([entry(6)]).length, 1)
    booked.push({ number: 5, filter, asked: ASKED })
    const next = purges.toCut(signal)
    booked.shift()
    await purges.refresh()
    assert.equal(await next, 5)
  })

  it('cuts again for a purge that came meanwhile, whose entries reach further', async () => {
    const { purges, booked } = replica(1)
    await purges.refresh()
    const cut = { number: 1, sealed: { seq: 5, segment: 2 } }
    purges.wasCut(cut)
    booked.push({ number: 2, filter: { ...filter, name: 'other' }, asked: ASKED })
    await purges.refresh()
    assert.deepEqual(
      purges.rid([entry(6), entry(7, ASKED, 'other')]).map(({ seq }) => seq),
      [6],
    )
    assert.equal(await purges.toCut(new AbortController().signal), 2)
    await purges.handedOver(cut)
    assert.deepEqual(purges.rid([entry(7, ASKED, 'other')]), [])
  })

  it('is done again where nobody could be told', async () => {
    const { purges, done, away } = replica(1)
    await purges.refresh()
    const cut = { number: 1, sealed: { seq: 5, segment: 2 } }
    purges.wasCut(cut)
    away(true)
    await assert.rejects(purges.handedOver(cut), StoreGone)
    assert.equal(purges.cut, cut)
    assert.deepEqual(purges.rid([entry(5)]), [])
    away(false)
    await purges.handedOver(cut)
    assert.equal(done.at(-1), 1)
  })

  it('asks for no cut where there is none, until it ends', async () => {
    const { purges } = replica()
    const end = new AbortController()
    const asked = assert.rejects(purges.toCut(end.signal))
    await purges.refresh()
    end.abort()
    await asked
  })
})
