import assert from 'node:assert/strict'
import { setTimeout as delay } from 'node:timers/promises'
import { inspect } from 'node:util'
import { Client } from 'pg'
import { type AuditStore, StoreGone, StoreTaken } from '../../../server/audit-log/store/audit-store.ts'
import { openAuditStore } from '../../../server/audit-log/store/open-audit-store.ts'
import { systemClock } from '../../../src/core/lib/time.ts'
import { type PgBouncer, requirePgBouncer } from '../../kit/pgbouncer.ts'
import { type PostgresServer, requirePostgres } from '../../kit/postgres.ts'
import { recordedLog } from '../../kit/recorded-log.ts'
import { auditStoreSuite, type StoreFixture } from './audit-store-suite.ts'
import { everything } from '../../kit/sample-change.ts'
import { batch, change, knownAs, limits } from './sample-changes.ts'

describe('the audit log in PostgreSQL', () => {
  let server: PostgresServer
  before(async function () {
    this.timeout(300_000)
    server = await requirePostgres(this)
  })
  after(() => server?.stop())

  describe('itself', () => postgresSuite(() => server, false))

  describe('behind PgBouncer in transaction mode', () => postgresSuite(() => server, true))
})

function postgresSuite(running: () => PostgresServer, isPooled: boolean): void {
  let server: PostgresServer
  let pooler: PgBouncer | undefined
  before(async function () {
    this.timeout(300_000)
    server = running()
    if (isPooled) pooler = await requirePgBouncer(this, server)
  })
  after(() => pooler?.stop())

  const openAt = (url: string): Promise<AuditStore> =>
    openAuditStore(
      { folder: '', url: pooler?.through(url) ?? url },
      { clock: systemClock, log: recordedLog() },
    )

  describe('as any store', () => {
    let url: string | undefined
    auditStoreSuite(async (): Promise<StoreFixture> => {
      const place = (url ??= await server.createDatabase())
      await server.emptyTables(place)
      let store = await openAt(place)
      return {
        store,
        async reopen() {
          await store.close()
          store = await openAt(place)
          return store
        },
        bytes: () => server.bytes(place),
        remove: () => store.close(),
      }
    })
  })

  describe('shared by several processes', () => {
    let url: string
    let first: AuditStore
    let second: AuditStore
    beforeEach(async () => {
      url = await server.createDatabase()
      // At once, so that both find no tables.
      ;[first, second] = await Promise.all([openAt(url), openAt(url)])
    })
    afterEach(async () => {
      await first.close()
      await second.close()
      await server.dropDatabase(url)
    })

    it('is begun once, however many begin it at the same moment', async () => {
      for (let round = 0; round < 4; round++) {
        const empty = await server.createDatabase()
        const stores = await Promise.all(Array.from({ length: 4 }, () => openAt(empty)))
        const states = await Promise.all(stores.map((store) => store.state()))
        assert.equal(new Set(states.map(({ number }) => number)).size, 1)
        await Promise.all(stores.map((store) => store.close()))
        await server.dropDatabase(empty)
      }
    })

    it('is read by all and written by the one that claimed it last', async () => {
      await assert.rejects(first.commit(batch({ added: [change(1)] })), StoreTaken)
      await first.claim()
      await first.commit(batch({ added: [change(1)], known: [knownAs(change(1).object)] }))
      assert.equal(await second.count(everything()), 1)
      assert.deepEqual(await second.get({ writer: 7, seq: 1 }), await first.get({ writer: 7, seq: 1 }))
      await second.claim()
      // The former one was asleep and knows of nothing.
      // Sizes are estimated, and looked up now and then only.
      assert.deepEqual(
        { ...(await first.state()), usedBytes: 0 },
        { ...(await second.state()), usedBytes: 0 },
      )
      await assert.rejects(first.commit(batch({ added: [change(2)] })), StoreTaken)
      await assert.rejects(first.trim(limits(), 0), StoreTaken)
      const { object } = change(1)
      await assert.rejects(first.purge({ ...object, path: undefined }), StoreTaken)
      const { number } = await second.commit(batch({ added: [change(3)] }))
      assert.equal((await first.state()).number, number)
      await assert.rejects(first.commit(batch({ added: [change(4)] })), StoreTaken)
      assert.equal((await first.state()).number, number)
      assert.equal(await first.count(everything()), 2)
      await first.claim()
      assert.equal((await first.commit(batch({ added: [change(4)] }))).number, number + 1)
    })

    // These wait for long, and whatever they are about is the same behind a pooler: see 'whose sessions are shared'.
    if (!isPooled) {
      describe('that purges', () => {
        const value = 'hunter2-hunter2'
        const filter = { ...change(1).object, path: undefined }
        const holds = async (): Promise<boolean> => (await server.bytes(url)).includes(value)
        beforeEach(async () => {
          await first.claim()
          await first.commit(
            batch({ added: [change(1, { changes: [{ path: 'spec.x', op: 'add', to: value }] })] }),
          )
          assert.equal(await holds(), true, 'the test would see it')
          assert.equal(await first.purge(filter), 1)
        })

        it('says which row versions a transaction that began before may still see', async () => {
          const open = server.ask(url, 'BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1; SELECT pg_sleep(3)')
          await delay(500)
          const [scrubbed] = await Promise.all([first.scrub(), open])
          assert.match(scrubbed ?? '', /a transaction that began earlier is still open \(process \d+/)
          assert.equal(await first.scrub(), undefined)
          assert.equal(await holds(), false)
        })

        it('says which tables another session keeps it from writing anew', async function () {
          this.timeout(60_000)
          const open = server.ask(url, 'BEGIN; LOCK TABLE object IN ACCESS SHARE MODE; SELECT pg_sleep(13)')
          await delay(500)
          const left = await first.scrub()
          assert.match(left ?? '', /could not write anew table object \(.*lock timeout\)$/)
          await open
          assert.equal(await first.scrub(), undefined)
          assert.equal(await holds(), false)
        })

        it("says that it may not where the tables are another role's", async () => {
          const role = `lesser${Date.now()}`
          await server.ask(
            url,
            `CREATE ROLE ${role} LOGIN PASSWORD '${server.password}'; GRANT ALL ON ALL TABLES IN SCHEMA public TO ${role}; GRANT ALL ON SCHEMA public TO ${role}`,
          )
          const lesser = await openAt(url.replace('//deckwatch:', `//${role}:`))
          await lesser.claim()
          assert.match(
            (await lesser.scrub()) ?? '',
            /could not write anew table change \(must be owner of table change\)/,
          )
          await lesser.close()
          await server.ask(url, `DROP OWNED BY ${role}; DROP ROLE ${role}`)
        })
      })
    }

    it('gives each number once, however two fight for it', async () => {
      let fights = 0
      const write = async (store: AuditStore, writer: number): Promise<void> => {
        for (let seq = 1; seq <= 10;) {
          try {
            await store.commit(batch({ added: [change(seq, { id: { writer, seq } })] }))
            seq += 1
          } catch (error) {
            if (!(error instanceof StoreTaken)) throw error
            fights += 1
            await delay(Math.random() * 30)
            await store.claim().catch((reason: unknown) => assert.ok(reason instanceof StoreTaken))
          }
        }
      }
      await Promise.all([write(first, 1), write(second, 2)])
      assert.ok(fights > 2)
      const told = await first.after(0, 1000)
      assert.equal(told.length, 20)
      const numbers = told.map(({ number }) => number)
      assert.deepEqual(
        numbers.map((number) => number - (numbers[0] ?? 0)),
        numbers.map((_, i) => i),
      )
    })

    it('plans anew what follows a write of which no answer came and that was kept after all', async () => {
      await first.claim()
      await first.commit(batch({ added: [change(1)] }))
      // As a transaction does that the server goes on with once it is awake again.
      await server.ask(url, 'UPDATE meta SET revision = revision + 1, number = number + 7')
      const { number } = await second.state()
      await assert.rejects(first.commit(batch({ added: [change(2)] })), StoreGone)
      assert.equal(await first.count(everything()), 1)
      assert.equal((await first.commit(batch({ added: [change(2)] }))).number, number + 1)
    })

    it('reads what another has compressed with dictionaries that it made later', async () => {
      await first.claim()
      const text = (i: number) => ({ path: `spec.a${i}`, op: 'add' as const, to: `value ${i} `.repeat(30) })
      for (let i = 1; i <= 60; i++) await first.commit(batch({ added: [change(i, { changes: [text(i)] })] }))
      const { items } = await second.page(everything(), 100, undefined)
      assert.deepEqual(
        items.map(({ changes }) => changes),
        Array.from({ length: 60 }, (_, i) => [text(60 - i)]),
      )
    })
  })

  describe('that is not there', () => {
    const parts = isPooled ? (['the database', 'the pooler'] as const) : (['the database'] as const)
    for (const part of parts) {
      it(`says so while ${part} is down, keeps nothing by halves, and goes on afterwards`, () =>
        goesDown(() => (part === 'the pooler' && pooler ? pooler : server)))
    }

    async function goesDown(which: () => Pick<PostgresServer, 'kill' | 'start'>): Promise<void> {
      const url = await server.createDatabase()
      const store = await openAt(url)
      await store.claim()
      const { number } = await store.commit(batch({ added: [change(1), change(2)] }))
      let seq = 2
      const stop = new AbortController()
      const failures: unknown[] = []
      const writing = (async () => {
        while (!stop.signal.aborted) {
          const added = [change(seq + 1), change(seq + 2)]
          const position = { writer: 7, position: { segment: 1, offset: seq }, seq: seq + 2 }
          try {
            await store.commit(batch({ added, position }))
            seq += 2
          } catch (error) {
            failures.push(error)
            await delay(20)
          }
        }
      })()
      await until(() => seq > 10)
      await which().kill()
      await until(() => failures.length > 2)
      await assert.rejects(store.page(everything(), 10, undefined), StoreGone)
      await assert.rejects(store.state(), StoreGone)
      await assert.rejects(openAt(url), StoreGone)
      await which().start()
      const back = seq
      await until(() => seq > back + 4)
      stop.abort()
      await writing
      for (const error of failures) assert.ok(error instanceof StoreGone, inspect(error))
      assert.equal(await store.count(everything()), seq)
      assert.equal((await store.position(7))?.seq, seq)
      const state = await store.state()
      assert.equal(state.number, number + seq - 2)
      await store.close()
    }
  })

  if (isPooled) {
    describe('whose sessions are shared', () => {
      const SETTINGS = ['statement_timeout', 'lock_timeout', 'idle_in_transaction_session_timeout']
      const look = `SELECT pg_backend_pid() AS pid, ${SETTINGS.map((name) => `current_setting('${name}') AS ${name}`).join(', ')},
        (SELECT count(*) FROM pg_prepared_statements) AS prepared, pg_my_temp_schema()::bigint AS temporary`
      let url: string
      let store: AuditStore
      beforeEach(async () => {
        url = await server.createDatabase()
        store = await openAt(url)
        await store.claim()
      })
      afterEach(async () => {
        await store.close()
        await server.dropDatabase(url)
      })

      it('leaves nothing in them, which may be those of others next', async () => {
        const [{ pid: _, ...fresh } = {}] = await server.ask(url, look)
        const value = 'hunter2-hunter2'
        const changes = [{ path: 'spec.x', op: 'add' as const, to: value }]
        await store.commit(batch({ added: [change(1, { changes }), change(2)] }))
        await Promise.all(Array.from({ length: 40 }, () => store.page(everything(), 10, undefined)))
        await store.purge({ ...change(1).object, path: undefined })
        assert.equal((await server.bytes(url)).includes(value), true, 'the test would see it')
        assert.equal(await store.scrub(), undefined)
        assert.equal((await server.bytes(url)).includes(value), false)
        const client = new Client({ connectionString: pooler?.through(url) })
        await client.connect()
        const seen = new Set<unknown>()
        for (let i = 0; i < 4 * (pooler?.sessions ?? 0); i++) {
          const { rows } = await client.query<Record<string, unknown>>(look)
          const { pid, ...found } = rows[0] ?? {}
          seen.add(pid)
          assert.deepEqual(found, fresh)
        }
        await client.end()
        assert.ok(seen.size > 1, 'there were several')
      })

      it('keeps all or nothing of each batch where they are ended in the middle', async () => {
        let kept = 0
        let refused = 0
        let isLastKept = false
        const stop = new AbortController()
        const ending = (async () => {
          for (let i = 0; i < 10; i++) {
            await delay(60)
            await server.ask(
              url,
              `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                WHERE datname = current_database() AND pid <> pg_backend_pid()`,
            )
          }
          stop.abort()
        })()
        // What was refused last may have been kept all the same: it is tried again until that is known.
        for (let seq = 1; !stop.signal.aborted || !isLastKept;) {
          const position = { writer: 7, position: { segment: 1, offset: seq }, seq: seq + 1 }
          try {
            await store.commit(batch({ added: [change(seq), change(seq + 1)], position }))
            kept += 2
            seq += 2
            isLastKept = true
          } catch (error) {
            assert.ok(error instanceof StoreGone, inspect(error))
            refused += 1
            isLastKept = false
          }
        }
        await ending
        assert.ok(refused > 0)
        assert.equal(await store.count(everything()), kept)
        assert.equal((await store.position(7))?.seq, kept)
      })

      it('lets others read while writers wait for one another', async () => {
        const held = server.ask(url, 'BEGIN; SELECT * FROM meta FOR UPDATE; SELECT pg_sleep(1)')
        await delay(200)
        const late = store.commit(batch({ added: [change(1)] }))
        const second = await openAt(url)
        const claimed = second.claim()
        assert.equal(await second.count(everything()), 0, 'reads go on meanwhile')
        await held
        // Either came first.
        const kept = await late.then(
          () => 1,
          (error: unknown) => assert.ok(error instanceof StoreTaken, inspect(error)) ?? 0,
        )
        await claimed
        assert.equal(await second.count(everything()), kept)
        await second.close()
      })
    })
    return
  }

  describe('its address', () => {
    const why = async (url: string): Promise<string> => {
      const error: unknown = await openAt(url).then(
        (store) => store.close().then(() => 'opened'),
        (reason: unknown) => reason,
      )
      assert.equal(
        inspect(error, { depth: 9 }).includes(server.password),
        false,
        'the password is in the error',
      )
      return error instanceof Error ? error.message : String(error)
    }

    it('says how far the server is to be trusted', async () => {
      const url = await server.createDatabase()
      const plain = url.slice(0, url.indexOf('?'))
      const byName = plain.replace('127.0.0.1', 'localhost')
      assert.equal(await why(url), 'opened')
      assert.equal(await why(`${plain}?sslmode=disable`), 'opened')
      assert.equal(await why(`${plain}?sslmode=require`), 'opened')
      assert.equal(await why(plain), 'opened')
      assert.equal(await why(`${byName}?sslmode=verify-ca&sslrootcert=${server.caFile}`), 'opened')
      assert.equal(await why(`${byName}?sslmode=require`), 'opened')
      assert.match(
        await why(`${byName}?sslmode=verify-full&sslrootcert=${server.caFile}`),
        /does not match certificate/,
      )
      // Its certificate is of an authority that nobody knows.
      assert.match(await why(`${plain}?sslmode=verify-full`), /certificate/)
      assert.match(await why(`${plain}?sslmode=verify-ca`), /certificate/)
      assert.match(await why(`${plain}?sslmode=prefer`), /none of disable, require/)
    })

    it('with a wrong password is refused, and neither password is told', async () => {
      const url = await server.createDatabase()
      const wrong = url.replace(`:${server.password}@`, ':wr0ng-passw0rd@')
      const message = await why(wrong)
      assert.match(message, /password authentication failed/)
      assert.doesNotMatch(message, /wr0ng/)
      await assert.rejects(openAt(wrong), (error) => !(error instanceof StoreGone))
    })

    it('of a database that is not there, or of nothing that listens, is told without the password', async () => {
      const url = await server.createDatabase()
      assert.match(await why(url.replace(/\/d[0-9a-f]+\?/, '/nowhere?')), /"nowhere" does not exist/)
      await assert.rejects(openAt(url.replace(`:${server.port}/`, ':1/')), StoreGone)
      assert.match(await why(url.replace(`:${server.port}/`, ':1/')), /ECONNREFUSED/)
    })
  })
}

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await delay(10)
}
