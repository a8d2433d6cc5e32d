import assert from 'node:assert/strict'
import { setTimeout as delay } from 'node:timers/promises'
import type { JournalEntry } from '../../../server/audit-log/journal/journal.ts'
import type { AuditStore } from '../../../server/audit-log/store/audit-store.ts'
import { openAuditStore } from '../../../server/audit-log/store/open-audit-store.ts'
import { PostgresInbox } from '../../../server/audit-log/store/postgres-inbox.ts'
import { PurgeUnknown, type ReviewInbox } from '../../../server/audit-log/store/review-inbox.ts'
import { systemClock } from '../../../src/core/lib/time.ts'
import { type PgBouncer, requirePgBouncer } from '../../kit/pgbouncer.ts'
import { type PostgresServer, requirePostgres } from '../../kit/postgres.ts'
import { recordedLog } from '../../kit/recorded-log.ts'
import { everything } from '../../kit/sample-change.ts'
import { batch, change, NOON } from './sample-changes.ts'

describe('the inbox of reviews in PostgreSQL', () => {
  let server: PostgresServer
  before(async function () {
    this.timeout(300_000)
    server = await requirePostgres(this)
  })
  after(() => server?.stop())

  describe('itself', () => inboxSuite(() => server, false))

  describe('behind PgBouncer in transaction mode', () => inboxSuite(() => server, true))
})

function inboxSuite(running: () => PostgresServer, isPooled: boolean): void {
  let server: PostgresServer
  let pooler: PgBouncer | undefined
  let url: string
  let place: string
  let inbox: ReviewInbox
  before(async function () {
    this.timeout(300_000)
    server = running()
    if (isPooled) pooler = await requirePgBouncer(this, server)
    url = await server.createDatabase()
    place = pooler?.through(url) ?? url
  })
  beforeEach(async () => {
    if (inbox) await server.emptyTables(url)
    inbox = await open()
  })
  afterEach(() => inbox.close())
  after(() => pooler?.stop())

  const open = (): Promise<ReviewInbox> => PostgresInbox.open(place, recordedLog())
  const entry = (seq: number): JournalEntry => ({
    seq,
    received: NOON + seq,
    request: {
      uid: `review-${seq}`,
      kind: { group: 'apps', version: 'v1', kind: 'Deployment' },
      resource: { group: 'apps', version: 'v1', resource: 'deployments' },
      operation: 'UPDATE',
      userInfo: { username: 'alice' },
      object: { metadata: { name: 'ünï' } },
    },
  })
  const entries = (from: number, to: number) =>
    Array.from({ length: to - from + 1 }, (_, i) => entry(from + i))

  it('gives back what was put, behind a cursor for each writer, and says who is there', async () => {
    await inbox.claim(1, 'one', NOON)
    await inbox.claim(2, 'two', NOON)
    await inbox.put(1, entries(1, 450), 5, 0)
    await inbox.put(2, entries(1, 2), 6, 0)
    await inbox.put(2, [], 7, 0)
    assert.deepEqual(await inbox.writers(), [
      { writer: 1, seq: 450, heartbeat: 5, purged: 0 },
      { writer: 2, seq: 2, heartbeat: 7, purged: 0 },
    ])
    const read = await inbox.read(
      new Map([
        [1, 440],
        [2, 0],
        [3, 0],
      ]),
      4,
    )
    assert.deepEqual(
      [...read],
      [
        [1, entries(441, 444)],
        [2, entries(1, 2)],
      ],
    )
    assert.deepEqual(await inbox.read(new Map([[1, 450]]), 4), new Map())
  })

  it('keeps once what is put twice, also what was released', async () => {
    await inbox.claim(1, 'one', NOON)
    await inbox.put(1, entries(1, 5), 1, 0)
    await inbox.release(1, 3)
    await inbox.put(1, entries(1, 7), 2, 0)
    assert.deepEqual((await inbox.read(new Map([[1, 0]]), 99)).get(1), entries(4, 7))
    await inbox.release(1, 7)
    assert.equal((await inbox.read(new Map([[1, 0]]), 99)).size, 0)
  })

  it('gives a writer to one owner', async () => {
    assert.equal(await inbox.claim(1, 'one', NOON), true)
    assert.equal(await inbox.claim(1, 'one', NOON), true)
    assert.equal(await inbox.claim(1, 'two', NOON), false)
    await assert.rejects(inbox.put(9, [], 1, 0), /was not claimed/)
  })

  describe('a purge', () => {
    const filter = { group: 'apps', resource: 'deployments', namespace: 'shop', name: 'web', path: 'spec.x' }
    const unknown = (error: unknown): boolean => error instanceof PurgeUnknown

    it('is booked once, and from then on nobody hands anything over who does not know of it', async () => {
      await inbox.claim(1, 'one', NOON)
      await inbox.claim(2, 'two', NOON)
      await inbox.put(1, entries(1, 3), 1, 0)
      const booked = await inbox.purges.book({ id: 'a', filter }, NOON)
      assert.deepEqual(
        booked.writers.map(({ writer, seq }) => [writer, seq]),
        [
          [1, 3],
          [2, 0],
        ],
      )
      const { number } = booked
      assert.equal((await inbox.purges.book({ id: 'a', filter }, NOON + 9)).number, number)
      await assert.rejects(inbox.put(1, entries(4, 4), 2, 0), unknown)
      await assert.rejects(inbox.put(2, [], 2, 0), unknown)
      assert.deepEqual((await inbox.read(new Map([[1, 0]]), 9)).get(1), entries(1, 3), 'nothing was kept')
      assert.deepEqual(await inbox.purges.due(1), {
        known: number,
        purges: [{ number, filter, asked: NOON }],
      })
      await inbox.put(1, entries(4, 4), 2, number)
      await inbox.purges.acknowledge(1, number)
      assert.deepEqual(await inbox.purges.due(1), { known: number, purges: [] })
      assert.equal((await inbox.purges.due(2)).purges.length, 1)
      const whole = { ...filter, path: undefined }
      await inbox.purges.book({ id: 'b', filter: whole }, NOON)
      const { purges } = await inbox.purges.due(1)
      assert.deepEqual(
        purges.map((each) => [each.number, each.filter]),
        [[number + 1, whole]],
      )
    })

    it('counts what all attempts took', async () => {
      await inbox.claim(1, 'one', NOON)
      const { number } = await inbox.purges.book({ id: 'a', filter }, NOON)
      assert.equal(await inbox.purges.count(number, 3), 3)
      assert.equal(await inbox.purges.count(number, 0), 3)
    })

    it('waits for what is just being handed over, so that it is there to be seen', async () => {
      await inbox.claim(1, 'one', NOON)
      const other = await open()
      const held = server.ask(url, 'SELECT pg_sleep(0.5) FROM replica WHERE writer = 1 FOR UPDATE')
      await delay(100)
      const putting = other.put(1, entries(1, 2), 1, 0)
      await delay(100)
      const { writers, number } = await inbox.purges.book({ id: 'a', filter }, NOON)
      await held
      const kept = await putting.then(
        () => 2,
        (error: unknown) => assert.ok(unknown(error), String(error)) ?? 0,
      )
      assert.equal(writers[0]?.seq, kept)
      assert.ok(number > 0)
      await other.close()
    })
  })

  it('forgets replicas of which nothing was heard for long, and purges that all others have seen to', async () => {
    const filter = { group: '', resource: 'configmaps', namespace: 'shop', name: 'x', path: undefined }
    for (const writer of [1, 2, 3]) await inbox.claim(writer, `owner of ${writer}`, NOON)
    const { number } = await inbox.purges.book({ id: 'a', filter }, NOON)
    await inbox.put(1, entries(1, 2), NOON + 1, number)
    await inbox.put(2, entries(1, 2), NOON + 1, number)
    await inbox.put(3, [], NOON + 9000, number)
    // It ended in peace, and was heard of late.
    await inbox.put(3, [], 0, number)
    await inbox.release(1, 2)
    for (const writer of [2, 3]) await inbox.purges.acknowledge(writer, number)
    assert.deepEqual(await inbox.forget(NOON), [])
    assert.deepEqual(await inbox.forget(NOON + 5000), [1], 'of the second something is not recorded yet')
    assert.equal((await inbox.purges.due(9)).known, 0, 'the one that had not seen to it is forgotten')
    await inbox.release(2, 2)
    assert.deepEqual(await inbox.forget(NOON + 5000), [2])
    assert.deepEqual(
      (await inbox.writers()).map(({ writer }) => writer),
      [3],
    )
    // Numbers go on: the third says that it has come so far.
    assert.ok((await inbox.purges.book({ id: 'b', filter }, NOON)).number > number)
    assert.equal(await inbox.claim(1, 'another owner', NOON), true)
  })

  it('loses nothing of four writers whose transactions take as long as they like', async function () {
    this.timeout(300_000)
    const EACH = 300
    const writers = [11, 12, 13, 14]
    const write = async (writer: number): Promise<void> => {
      const own = await open()
      await own.claim(writer, `owner of ${writer}`, NOON)
      for (let seq = 1; seq <= EACH;) {
        const last = Math.min(EACH, seq + Math.floor(Math.random() * 12))
        const some = entries(seq, last)
        // A transaction of another that holds the row lets this one commit late.
        const late =
          Math.random() < 0.2
            ? server.ask(url, `SELECT pg_sleep(0.05) FROM replica WHERE writer = ${writer} FOR UPDATE`)
            : undefined
        await own.put(writer, some, NOON, 0)
        await late
        seq = last + 1
        await delay(Math.random() * 4)
      }
      await own.close()
    }
    let store: AuditStore | undefined
    const recorded = async (): Promise<void> => {
      store = await openAuditStore({ folder: '', url: place }, { clock: systemClock, log: recordedLog() })
      await store.claim()
      for (let done = 0; done < writers.length * EACH;) {
        const cursors = new Map<number, number>()
        for (const { writer } of await inbox.writers())
          cursors.set(writer, (await store.position(writer))?.seq ?? 0)
        for (const [writer, some] of await inbox.read(cursors, 50)) {
          const seq = some.at(-1)?.seq ?? 0
          await store.commit(
            batch({
              added: some.map((one) => change(one.seq, { id: { writer, seq: one.seq } })),
              position: { writer, position: { segment: 0, offset: 0 }, seq },
            }),
          )
          await inbox.release(writer, seq)
          done += some.length
        }
      }
    }
    await Promise.all([...writers.map(write), recorded()])
    assert.equal(await store?.count(everything()), writers.length * EACH)
    assert.equal((await inbox.read(new Map(writers.map((writer) => [writer, 0])), 9)).size, 0)
    await store?.close()
  })
}
