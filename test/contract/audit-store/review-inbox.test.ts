import assert from 'node:assert/strict'
import { setTimeout as delay } from 'node:timers/promises'
import type { JournalEntry } from '../../../server/audit-log/journal/journal.ts'
import type { AuditStore } from '../../../server/audit-log/store/audit-store.ts'
import { openAuditStore } from '../../../server/audit-log/store/open-audit-store.ts'
import { PostgresInbox } from '../../../server/audit-log/store/postgres-inbox.ts'
import type { ReviewInbox } from '../../../server/audit-log/store/review-inbox.ts'
import { systemClock } from '../../../src/core/lib/time.ts'
import { type PostgresServer, requirePostgres } from '../../kit/postgres.ts'
import { recordedLog } from '../../kit/recorded-log.ts'
import { everything } from '../../kit/sample-change.ts'
import { batch, change, NOON } from './sample-changes.ts'

describe('the inbox of reviews in PostgreSQL', () => {
  let server: PostgresServer
  let url: string
  let inbox: ReviewInbox
  before(async function () {
    this.timeout(300_000)
    server = await requirePostgres(this)
    url = await server.createDatabase()
  })
  beforeEach(async () => {
    if (inbox) await server.emptyTables(url)
    inbox = await open()
  })
  afterEach(() => inbox.close())
  after(() => server?.stop())

  const open = (): Promise<ReviewInbox> => PostgresInbox.open(url, recordedLog())
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
    await inbox.put(1, entries(1, 450, 0), 5)
    await inbox.put(2, entries(1, 2, 0), 6)
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
    await inbox.put(1, entries(1, 5, 0), 1)
    await inbox.release(1, 3)
    await inbox.put(1, entries(1, 7, 0), 2)
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
      store = await openAuditStore({ folder: '', url }, { clock: systemClock, log: recordedLog() })
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
})
