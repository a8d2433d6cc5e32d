import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type EventQuery, ImageJournal } from '../../../server/image-graph/image-journal.ts'
import { MIGRATIONS } from '../../../server/image-graph/journal-migrations.ts'
import type { JournalEvent, KeptImage, KnownPod } from '../../../server/image-graph/journal-records.ts'
import { journalUsage } from '../../../server/image-graph/store-usage.ts'
import { openStore } from '../../../server/kit/store/open-store.ts'
import { ManualClock } from '../../kit/manual-clock.ts'
import { recordedLog } from '../../kit/recorded-log.ts'

const NOW = Date.UTC(2026, 10, 21, 2, 0, 0)
const START = (NOW / 1000) * 1_000_000
const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR
const UNLIMITED = { historyMs: Infinity, historyEvents: Infinity, historyBytes: Infinity }

const event = (offset: number, over: Partial<JournalEvent> = {}): JournalEvent => ({
  number: START + offset,
  op: '+',
  image: 'nginx:1.25',
  namespace: 'shop',
  namespaceUid: 'shop-uid',
  pod: 'web-7d9c5b-x2x4q',
  podUid: `pod-${offset}`,
  time: NOW + offset * MINUTE,
  late: false,
  cluster: false,
  ...over,
})

const nothing = { events: [], pods: [], gonePods: [], images: [], goneImages: [] }

describe('the journal of images in a store', () => {
  let folder: string
  let journal: ImageJournal

  const open = (now = NOW): ImageJournal => {
    const deps = { clock: new ManualClock(now), log: recordedLog() }
    return new ImageJournal(openStore({ folder, name: 'image-graph', migrations: MIGRATIONS }, deps), now)
  }
  const reopen = (): void => {
    journal.close()
    journal = open(NOW + DAY)
  }
  const commit = (...events: readonly JournalEvent[]): void =>
    journal.commit({ ...nothing, events, number: events.at(-1)?.number ?? journal.state.number })
  const read = (query: Partial<EventQuery> = {}): JournalEvent[] =>
    journal.events({
      after: journal.state.trimmed,
      upTo: journal.state.number,
      cluster: false,
      namespace: undefined,
      namespaceUid: undefined,
      image: undefined,
      limit: 1000,
      ...query,
    })
  const numbers = (query: Partial<EventQuery> = {}): number[] =>
    read(query).map(({ number }) => number - START)
  const trimAll = (limits: Partial<typeof UNLIMITED>, now: number): void => {
    while (journal.trim({ ...UNLIMITED, ...limits }, now));
  }

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'deckwatch-journal-'))
    journal = open()
  })

  afterEach(() => {
    journal.close()
    rmSync(folder, { recursive: true, force: true })
  })

  it('begins at the second of its beginning, with nothing to tell from before', () => {
    assert.deepEqual(journal.state, { number: START, trimmed: START, begins: NOW, events: 0 })
    reopen()
    assert.deepEqual(journal.state, { number: START, trimmed: START, begins: NOW, events: 0 })
  })

  it('gives back over a restart what it was given', () => {
    const events = [event(1, { cluster: true }), event(2, { op: '-', late: true, namespaceUid: '' })]
    const pods: KnownPod[] = [
      {
        uid: 'pod-1',
        namespace: 'shop',
        namespaceUid: 'shop-uid',
        name: 'web',
        edges: [{ type: 'sidecar', name: 'log "1"', image: 'flüentd:1' }],
      },
      { uid: 'pod-2', namespace: 'pay', namespaceUid: '', name: 'empty', edges: [] },
    ]
    const images: KeptImage[] = ['shop', ''].map((namespace) => ({
      namespace,
      namespaceUid: namespace && 'shop-uid',
      reference: 'nginx:1.25',
      added: START + 1,
      number: START + 2,
      content: 'abc=',
      change: { time: NOW, namespace: 'shop', pod: 'web', podUid: 'pod-1', late: true },
    }))
    journal.commit({ ...nothing, events, pods, images, number: START + 7 })
    reopen()
    assert.deepEqual(read(), events)
    assert.deepEqual(
      journal.pods().toSorted((a, b) => (a.uid < b.uid ? -1 : 1)),
      pods,
    )
    assert.deepEqual(journal.images().toReversed(), images)
    assert.equal(journal.state.number, START + 7)
    journal.commit({ ...nothing, gonePods: ['pod-1'], goneImages: images, number: START + 8 })
    reopen()
    assert.deepEqual(journal.pods(), [pods[1]])
    assert.deepEqual(journal.images(), [])
  })

  it('writes all of a step or nothing', () => {
    commit(event(1))
    const broken = event(1, { image: 'a number that is taken' })
    assert.throws(() =>
      journal.commit({ ...nothing, events: [event(2), broken], gonePods: [], number: START + 2 }),
    )
    assert.deepEqual(numbers(), [1])
    assert.equal(journal.state.number, START + 1)
  })

  it('finds events by place, namespace, life of a namespace, image, and those of the cluster', () => {
    commit(
      event(1, { cluster: true }),
      event(2, { namespace: 'pay', namespaceUid: 'pay-uid' }),
      event(3, { image: 'redis', cluster: true }),
      event(4, { namespaceUid: 'another life' }),
      event(5, { op: '-', cluster: true }),
    )
    assert.deepEqual(numbers({ after: START + 2, upTo: START + 4 }), [3, 4])
    assert.deepEqual(numbers({ limit: 2 }), [1, 2])
    assert.deepEqual(numbers({ namespace: 'shop' }), [1, 3, 4, 5])
    assert.deepEqual(numbers({ namespace: 'shop', namespaceUid: 'shop-uid' }), [1, 3, 5])
    assert.deepEqual(numbers({ image: 'nginx:1.25' }), [1, 2, 4, 5])
    assert.deepEqual(numbers({ image: 'nginx:1.25', namespace: 'pay' }), [2])
    assert.deepEqual(numbers({ cluster: true }), [1, 3, 5])
    assert.deepEqual(numbers({ cluster: true, image: 'redis' }), [3])
    assert.deepEqual(journal.event(START + 2)?.namespace, 'pay')
    assert.equal(journal.event(START + 6), undefined)
  })

  it('finds the place of a moment', () => {
    commit(event(1), event(2), event(3))
    const before = (time: number): number => journal.before(time) - START
    assert.equal(before(NOW), 0)
    assert.equal(before(NOW + 2 * MINUTE), 1)
    assert.equal(before(NOW + 2 * MINUTE + 1), 2)
    assert.equal(before(NOW + HOUR), 3)
    assert.equal(journal.countSince(NOW + 2 * MINUTE), 2)
  })

  it('keeps no more events than it may, and says from where on it is whole', () => {
    commit(...Array.from({ length: 1700 }, (_, i) => event(i + 1)))
    trimAll({ historyEvents: 1000 }, NOW)
    assert.deepEqual(journal.state, {
      number: START + 1700,
      trimmed: START + 700,
      begins: NOW + 700 * MINUTE,
      events: 1000,
    })
    assert.equal(numbers({ after: START, limit: 2000 })[0], 701)
    reopen()
    assert.equal(journal.state.trimmed, START + 700)
    assert.equal(journal.state.events, 1000)
  })

  it('keeps no event longer than it may', () => {
    commit(...Array.from({ length: 1200 }, (_, i) => event(i + 1)))
    trimAll({ historyMs: 100 * MINUTE }, NOW + 1200 * MINUTE)
    assert.equal(numbers()[0], 1100)
    assert.equal(journal.trim({ ...UNLIMITED, historyMs: 100 * MINUTE }, NOW + 1200 * MINUTE), false)
  })

  it('removes none for its age while nobody knows the time, but those beyond its other limits', () => {
    commit(...Array.from({ length: 1200 }, (_, i) => event(i + 1)))
    assert.equal(journal.trim({ ...UNLIMITED, historyMs: 0 }, undefined), false)
    while (journal.trim({ ...UNLIMITED, historyMs: 0, historyEvents: 1000 }, undefined));
    assert.deepEqual([journal.state.events, numbers()[0]], [1000, 201])
  })

  it('tells the time of the oldest event that it keeps', () => {
    assert.equal(journal.oldest, undefined)
    commit(event(1, { time: NOW + HOUR }), event(2, { time: NOW + DAY }), event(3))
    assert.equal(journal.oldest, NOW + HOUR)
    trimAll({ historyEvents: 2 }, NOW)
    assert.equal(journal.oldest, NOW + DAY)
  })

  it('removes old events by age also behind one that a clock set ahead has dated', () => {
    commit(event(1), event(2, { time: NOW + 30 * DAY }), event(3), event(4, { time: NOW + 10 * DAY }))
    trimAll({ historyMs: 7 * DAY }, NOW + 10 * DAY)
    assert.deepEqual(numbers(), [4])
  })

  it('takes no more of the volume than it may, and gives it back', () => {
    commit(...Array.from({ length: 6000 }, (_, i) => event(i + 1)))
    const { usedBytes } = journal
    trimAll({ historyBytes: usedBytes / 2 }, NOW)
    assert.ok(journal.usedBytes <= usedBytes / 2)
    const left = journal.state.events
    assert.ok(left > 1500 && left < 4500, `${left} events are left`)
    assert.equal(read({ limit: 10_000 }).length, left)
  })

  it('says how much it takes and how fast it grows', () => {
    commit(...Array.from({ length: 1000 }, (_, i) => event(i + 1, { time: NOW + i })))
    const usage = (now: number) => journalUsage(journal, { ...UNLIMITED, historyBytes: 1e9 }, now)
    assert.equal(usage(NOW + 59 * MINUTE).bytesPerDay, undefined)
    assert.equal(usage(NOW + 12 * HOUR).bytesPerDay, 600_000)
    assert.equal(usage(NOW + 24 * HOUR - 1).bytesPerDay, 300_000)
    assert.equal(usage(NOW + 3 * DAY).bytesPerDay, 0)
    assert.deepEqual(
      { ...usage(NOW), usedBytes: 0 },
      { usedBytes: 0, limitBytes: 1e9, oldest: NOW, bytesPerDay: undefined },
    )
    assert.ok(usage(NOW).usedBytes > 100_000)
  })
})
