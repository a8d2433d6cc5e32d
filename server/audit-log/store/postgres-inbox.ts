import { zstdCompressSync, zstdDecompressSync } from 'node:zlib'
import type { Log } from '../../kit/log.ts'
import { openPostgres, type Postgres } from '../../kit/store/postgres.ts'
import { migratePostgres } from '../../kit/store/postgres-migrate.ts'
import type { JournalEntry } from '../journal/journal.ts'
import { POSTGRES_MIGRATIONS } from './postgres-migrations.ts'
import type { InboxWriter, ReviewInbox } from './review-inbox.ts'

const ROWS = 200

/** The inbox beside the tables of the store, in the same database. */
export class PostgresInbox implements ReviewInbox {
  readonly #database: Postgres
  #putting: Promise<unknown> = Promise.resolve()

  private constructor(database: Postgres) {
    this.#database = database
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

  async claim(writer: number, owner: string): Promise<boolean> {
    await this.#database.run(
      `INSERT INTO replica (writer, owner, seq, heartbeat) VALUES ($1, $2, 0, 0) ON CONFLICT DO NOTHING`,
      [writer, owner],
    )
    const { rows } = await this.#database.run('SELECT owner FROM replica WHERE writer = $1', [writer])
    return rows[0]?.['owner'] === owner
  }

  put(writer: number, entries: readonly JournalEntry[], now: number): Promise<void> {
    // One after the other, so that no entry is there before an earlier one.
    const done = this.#putting.then(() => this.#put(writer, entries, now))
    this.#putting = done.catch(() => {})
    return done
  }

  async #put(writer: number, entries: readonly JournalEntry[], now: number): Promise<void> {
    await this.#database.transaction(async (session) => {
      const { rows } = await session.run('SELECT seq FROM replica WHERE writer = $1 FOR UPDATE', [writer])
      if (!rows[0]) throw new Error(`writer ${writer} was not claimed`)
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
      await session.run('UPDATE replica SET seq = $2, heartbeat = $3 WHERE writer = $1', [
        writer,
        fresh.at(-1)?.seq ?? before,
        now,
      ])
    })
  }

  async writers(): Promise<readonly InboxWriter[]> {
    const { rows } = await this.#database.run('SELECT writer, seq, heartbeat FROM replica ORDER BY writer')
    return rows.map(({ writer, seq, heartbeat }) => ({
      writer: Number(writer),
      seq: Number(seq),
      heartbeat: Number(heartbeat),
    }))
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

  async close(): Promise<void> {
    await this.#putting
    await this.#database.close()
  }
}
