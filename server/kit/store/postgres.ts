import type { Kysely } from 'kysely'
import type { Pool, PoolClient } from 'pg'
import { asPostgresError } from './postgres-error.ts'
import { parsePostgresUrl } from './postgres-url.ts'

/** A value as parameter of a statement. */
export type PostgresValue = number | string | Uint8Array | null

/** What a statement came to. */
export interface PostgresResult {
  readonly rows: readonly Readonly<Record<string, unknown>>[]
  /** Rows that were written, or read. */
  readonly count: number
}

/** One connection, for the time of a transaction. */
export interface PostgresSession {
  run(text: string, values?: readonly PostgresValue[]): Promise<PostgresResult>
}

/**
 * A PostgreSQL database, or what speaks its protocol, over a few connections that come and go as needed. Calls reject
 * with StoreGone where it cannot be reached or ends a connection, and with StoreFull where it has no space.
 */
export interface Postgres extends PostgresSession {
  /** Runs the work in one transaction, again where it collided with another (40001, 40P01). */
  transaction<T>(work: (session: PostgresSession) => Promise<T>): Promise<T>
  /**
   * Runs a statement that may take an hour and is none of a transaction (VACUUM), on a connection of its own; gives up
   * where another session holds the table for longer than 10 s, since whoever comes next would wait behind us.
   */
  maintain(text: string): Promise<void>
  queries<Tables>(): Kysely<Tables>
  close(): Promise<void>
}

const CONNECTIONS = 5
const CONNECT_MS = 5000
/** A statement that takes longer is given up: by the server, or where that is silent, by us. */
const STATEMENT_MS = 30_000
const COLLISIONS = 8
const MAINTENANCE_MS = 60 * 60_000
const MAINTENANCE_LOCK_MS = 10_000

/** Opens a pool; nothing is connected yet. DeckError USAGE where the URL cannot be used. Loads the driver. */
export async function openPostgres(url: string): Promise<Postgres> {
  const address = parsePostgresUrl(url)
  const [{ default: pg }, { Kysely: Queries, PostgresDialect }] = await Promise.all([
    import('pg'),
    import('kysely'),
  ])
  const pool = new pg.Pool({
    ...address,
    application_name: 'deckwatch',
    max: CONNECTIONS,
    idleTimeoutMillis: 30_000,
    connectionTimeoutMillis: CONNECT_MS,
    keepAlive: true,
    statement_timeout: STATEMENT_MS,
    query_timeout: STATEMENT_MS + CONNECT_MS,
    // Whoever sleeps in the middle of a transaction must not keep others from writing.
    idle_in_transaction_session_timeout: STATEMENT_MS,
    // All numbers of ours fit into a number of JavaScript.
    types: {
      getTypeParser: ((oid, format) =>
        oid === pg.types.builtins.INT8
          ? Number
          : pg.types.getTypeParser(oid, format)) as typeof pg.types.getTypeParser,
    },
  })
  // A connection that breaks while nobody uses it is replaced by another; one in use tells its user.
  pool.on('error', () => {})
  pool.on('connect', (client) => client.on('error', () => {}))
  return new PostgresPool(
    pool,
    <Tables>() =>
      new Queries<Tables>({
        dialect: new PostgresDialect({
          pool: {
            options: {},
            connect: async () => {
              const client = await connect(pool)
              return {
                query: ((text: string, values: readonly unknown[]) =>
                  mapped(() => client.query(text, [...values]))) as PoolClient['query'],
                release: () => client.release(),
              }
            },
            end: async () => {},
          },
        }),
      }),
  )
}

class PostgresPool implements Postgres {
  readonly #pool: Pool
  readonly queries: Postgres['queries']

  constructor(pool: Pool, queries: Postgres['queries']) {
    this.#pool = pool
    this.queries = queries
  }

  async run(text: string, values: readonly PostgresValue[] = []): Promise<PostgresResult> {
    const client = await connect(this.#pool)
    try {
      return await runOn(client, text, values)
    } finally {
      client.release()
    }
  }

  async transaction<T>(work: (session: PostgresSession) => Promise<T>): Promise<T> {
    for (let collisions = 0; ; collisions++) {
      const client = await connect(this.#pool)
      let broken = false
      try {
        await runOn(client, 'BEGIN', [])
        const result = await work({ run: (text, values = []) => runOn(client, text, values) })
        await runOn(client, 'COMMIT', [])
        return result
      } catch (error) {
        await client.query('ROLLBACK').catch(() => {
          broken = true
        })
        if (!isCollision(error) || collisions >= COLLISIONS) throw error
      } finally {
        client.release(broken)
      }
    }
  }

  async maintain(text: string): Promise<void> {
    const client = await connect(this.#pool)
    try {
      await runOn(client, `SET statement_timeout = ${MAINTENANCE_MS}`, [])
      await runOn(client, `SET lock_timeout = ${MAINTENANCE_LOCK_MS}`, [])
      // Its driver's type leaves out what the driver takes: the time for one query.
      const query = { text, query_timeout: MAINTENANCE_MS } as { text: string }
      await mapped(() => client.query(query))
    } finally {
      // What was set goes with the connection.
      client.release(true)
    }
  }

  async close(): Promise<void> {
    await this.#pool.end()
  }
}

async function connect(pool: Pool): Promise<PoolClient> {
  return mapped(() => pool.connect())
}

async function runOn(
  client: PoolClient,
  text: string,
  values: readonly PostgresValue[],
): Promise<PostgresResult> {
  const { rows, rowCount } = await mapped(() => client.query<Record<string, unknown>>(text, [...values]))
  return { rows, count: rowCount ?? 0 }
}

async function mapped<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw asPostgresError(error)
  }
}

/** SQLSTATE of serialization_failure and deadlock_detected: to be tried again. */
function isCollision(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === '40001' || error.code === '40P01')
}
