import { zstdCompressSync, zstdDecompressSync } from 'node:zlib'
import type { Log } from '../../kit/log.ts'
import { openPostgres, type Postgres } from '../../kit/store/postgres.ts'
import { migratePostgres } from '../../kit/store/postgres-migrate.ts'
import type { JournalEntry } from '../journal/journal.ts'
import { POSTGRES_MIGRATIONS } from './postgres-migrations.ts'
import { PostgresPurges, WRITERS, writersOf } from './postgres-purges.ts'
import type { InboxWriter } from './inbox-writer.ts'
import { PurgeUnknown, type ReviewInbox } from './review-inbox.ts'

const ROWS = 200

/** The inbox beside the tables of the store, in the same database. */
export class PostgresInbox implements ReviewInbox {
  readonly purges: PostgresPurges
  readonly #database: Postgres
  #putting: Promise<unknown> = Promise.resolve()

  private constructor(database: Postgres) {
    this.#database = database
    this.purges = new PostgresPurges(database)
  }

  /** Connects and brings the schema up to date; StoreGone while the database cannot be reached. */
  static async open(url: string, log: Log): Promise<ReviewInbox> {
    const database = await openPostgres(url)
    try {
      await migratePostgres(database, POSTGRES_MIGRATIONS, log)
      return new PostgresInbox(database)
    } catch (error) {
      await database.close()
      throw error
    }
  }

  async claim(writer: number, owner: string, now: number): Promise<boolean> {
    await this.#database.run(
      `INSERT INTO replica (writer, owner, seq, heartbeat, heard) VALUES ($1, $2, 0, 0, $3) ON CONFLICT DO NOTHING`,
      [writer, owner, now],
    )
    const { count } = await this.#database.run(
      'UPDATE replica SET heard = $3 WHERE writer = $1 AND owner = $2',
      [writer, owner, now],
    )
    return count > 0
  }

  put(writer: number, entries: readonly JournalEntry[], now: number, purge: number): Promise<void> {
    // One after the other, so that no entry is there before an earlier one.
    const done = this.#putting.then(() => this.#put(writer, entries, now, purge))
    this.#putting = done.catch(() => {})
    return done
  }

  async #put(writer: number, entries: readonly JournalEntry[], now: number, purge: number): Promise<void> {
    await this.#database.transaction(async (session) => {
      const { rows } = await session.run('SELECT seq FROM replica WHERE writer = $1 FOR UPDATE', [writer])
      if (!rows[0]) throw new Error(`writer ${writer} was not claimed`)
      // A statement of its own, after the lock: who asks for a purge locks this row too, and is seen here from then on.
      const { rows: asked } = await session.run('SELECT max(number) AS last FROM purge')
      if (Number(asked[0]?.['last'] ?? 0) > purge) throw new PurgeUnknown('another purge was asked for')
      const before = Number(rows[0]['seq'])
      const fresh = entries.filter(({ seq }) => seq > before)
      for (let from = 0; from < fresh.length; from += ROWS) {
        const some = fresh.slice(from, from + ROWS)
        const tuples = some.map((_, i) => `($${3 * i + 1}, $${3 * i + 2}, $${3 * i + 3})`).join(', ')
        await session.run(
          `INSERT INTO inbox (writer, seq, entry) VALUES ${tuples} ON CONFLICT DO NOTHING`,
          some.flatMap((entry) => [writer, entry.seq, zstdCompressSync(JSON.stringify(entry))]),
        )
      }
      await session.run(
        'UPDATE replica SET seq = $2, heartbeat = $3, heard = greatest(heard, $3) WHERE writer = $1',
        [writer, fresh.at(-1)?.seq ?? before, now],
      )
    })
  }

  async writers(): Promise<readonly InboxWriter[]> {
    return writersOf(await this.#database.run(WRITERS))
  }

  async read(
    cursors: ReadonlyMap<number, number>,
    limit: number,
  ): Promise<ReadonlyMap<number, readonly JournalEntry[]>> {
    const found = new Map<number, readonly JournalEntry[]>()
    for (const [writer, seq] of cursors) {
      const { rows } = await this.#database.run(
        'SELECT entry FROM inbox WHERE writer = $1 AND seq > $2 ORDER BY seq LIMIT $3',
        [writer, seq, limit],
      )
      if (rows.length > 0)
        found.set(
          writer,
          rows.map(({ entry }) => JSON.parse(zstdDecompressSync(entry as Buffer).toString()) as JournalEntry),
        )
    }
    return found
  }

  async release(writer: number, upTo: number): Promise<void> {
    for (;;) {
      const { rows } = await this.#database.run(
        'SELECT seq FROM inbox WHERE writer = $1 AND seq <= $2 ORDER BY seq LIMIT $3',
        [writer, upTo, ROWS],
      )
      const last = rows.at(-1)
      if (!last) return
      await this.#database.run('DELETE FROM inbox WHERE writer = $1 AND seq <= $2', [
        writer,
        Number(last['seq']),
      ])
    }
  }

  async forget(before: number): Promise<readonly number[]> {
    const { rows } = await this.#database.run(
      `DELETE FROM replica WHERE heard < $1 AND NOT EXISTS (SELECT 1 FROM inbox WHERE inbox.writer = replica.writer)
        RETURNING writer`,
      [before],
    )
    await this.#database.run(
      'DELETE FROM purge WHERE asked < $1 AND number <= (SELECT min(purged) FROM replica)',
      [before],
    )
    return rows.map(({ writer }) => Number(writer))
  }

  async close(): Promise<void> {
    await this.#putting
    await this.#database.close()
  }
}
