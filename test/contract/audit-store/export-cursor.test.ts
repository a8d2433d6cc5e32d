import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ExportCursor } from '../../../server/audit-log/export/export-cursor.ts'
import { type AuditStore, StoreTaken } from '../../../server/audit-log/store/audit-store.ts'
import { openAuditStore } from '../../../server/audit-log/store/open-audit-store.ts'
import { systemClock } from '../../../src/core/lib/time.ts'
import { type PostgresServer, requirePostgres } from '../../kit/postgres.ts'
import { recordedLog } from '../../kit/recorded-log.ts'

const COLLECTOR = 'https://collector.example.org/v1/logs'

describe('where an export goes on', () => {
  const open = (folder: string, url: string): Promise<AuditStore> =>
    openAuditStore({ folder, url }, { clock: systemClock, log: recordedLog() })

  /** What holds in any store; gives the number that it remembers at last. */
  async function remembers(store: AuditStore, reopen: () => Promise<AuditStore>): Promise<void> {
    const { number } = await store.claim()
    const cursor = new ExportCursor(store, COLLECTOR)
    assert.equal(await cursor.read(), undefined)
    await cursor.write(number)
    await cursor.write(number + 7)
    const again = await reopen()
    assert.equal(await new ExportCursor(again, COLLECTOR).read(), number + 7)
    assert.equal(await new ExportCursor(again, `${COLLECTOR}?tenant=b`).read(), undefined)
    assert.equal((await again.state()).number, number)
    await again.close()
  }

  it('is known after a restart, by SQLite', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'deckwatch-cursor-'))
    try {
      const store = await open(folder, '')
      await remembers(store, async () => {
        await store.close()
        return open(folder, '')
      })
    } finally {
      rmSync(folder, { recursive: true })
    }
  })

  describe('in a database', () => {
    let server: PostgresServer
    before(async function () {
      this.timeout(300_000)
      server = await requirePostgres(this)
    })
    after(() => server?.stop())

    it('is known to whoever records next, and kept by that one alone', async () => {
      const url = await server.createDatabase()
      const [first, second] = [await open('', url), await open('', url)]
      try {
        await remembers(first, async () => second)
        const third = await open('', url)
        await assert.rejects(new ExportCursor(third, COLLECTOR).write(1), StoreTaken)
        await third.close()
      } finally {
        await first.close()
      }
    })
  })
})
