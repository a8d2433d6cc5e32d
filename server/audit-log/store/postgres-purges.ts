import type { Postgres, PostgresResult } from '../../kit/store/postgres.ts'
import type { PurgeFilter } from './audit-store.ts'
import type { PurgeBook } from './purge-book.ts'
import type { InboxWriter } from './inbox-writer.ts'

/** Reads the writers. */
export const WRITERS = 'SELECT writer, seq, heartbeat, purged FROM replica ORDER BY writer'

/** What `WRITERS` found. */
export function writersOf({ rows }: PostgresResult): readonly InboxWriter[] {
  return rows.map(({ writer, seq, heartbeat, purged }) => ({
    writer: Number(writer),
    seq: Number(seq),
    heartbeat: Number(heartbeat),
    purged: Number(purged),
  }))
}

/** The book of purges beside the inbox, in the same database. */
export class PostgresPurges implements PurgeBook {
  readonly #database: Postgres

  constructor(database: Postgres) {
    this.#database = database
  }

  book(
    { id, filter }: { readonly id: string; readonly filter: PurgeFilter },
    now: number,
  ): ReturnType<PurgeBook['book']> {
    return this.#database.transaction(async (session) => {
      // Whoever puts has its row locked: what it puts is there to be seen afterwards, or it comes later and knows of this.
      const writers = writersOf(await session.run(`${WRITERS} FOR UPDATE`))
      const { rows } = await session.run('SELECT number FROM purge WHERE request = $1', [id])
      if (rows[0]) return { number: Number(rows[0]['number']), writers }
      const { rows: latest } = await session.run('SELECT max(number) AS last FROM purge')
      // Purges that are long over are forgotten, their numbers are not: replicas say up to which they have come.
      const number = Math.max(Number(latest[0]?.['last'] ?? 0), ...writers.map(({ purged }) => purged)) + 1
      await session.run(
        'INSERT INTO purge (number, request, filter, asked, changes) VALUES ($1, $2, $3, $4, 0)',
        [number, id, JSON.stringify(filter), now],
      )
      return { number, writers }
    })
  }

  async due(writer: number): ReturnType<PurgeBook['due']> {
    const { rows } = await this.#database.run(
      `SELECT number, filter, asked, number <= (SELECT purged FROM replica WHERE writer = $1) AS done
        FROM purge ORDER BY number`,
      [writer],
    )
    const purges = rows
      .filter(({ done }) => done !== true)
      .map(({ number, filter, asked }) => ({
        number: Number(number),
        filter: filterOf(String(filter)),
        asked: Number(asked),
      }))
    return { known: Number(rows.at(-1)?.['number'] ?? 0), purges }
  }

  async acknowledge(writer: number, number: number): Promise<void> {
    await this.#database.run('UPDATE replica SET purged = greatest(purged, $2) WHERE writer = $1', [
      writer,
      number,
    ])
  }

  async count(number: number, changes: number): Promise<number> {
    const { rows } = await this.#database.run(
      'UPDATE purge SET changes = changes + $2 WHERE number = $1 RETURNING changes',
      [number, changes],
    )
    return Number(rows[0]?.['changes'] ?? changes)
  }
}

/** JSON has no undefined. */
function filterOf(text: string): PurgeFilter {
  const filter = JSON.parse(text) as Omit<PurgeFilter, 'path'> & { readonly path?: string }
  return { ...filter, path: filter.path }
}
