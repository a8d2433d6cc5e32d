import type { Kysely } from 'kysely'
import type { Pool, PoolClient, QueryResult } from 'pg'
import { asPostgresError } from './postgres-error.ts'
import { parsePostgresUrl } from './postgres-url.ts'
import { StoreGone } from './store.ts'

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
 * with StoreGone where it cannot be reached or ends a connection, and with StoreFull where it has no space. Nothing is
 * kept in a session, only in a transaction: a pooler in between may give each transaction another session, and a session
 * of ours to others (https://www.pgbouncer.org/features.html).
 */
export interface Postgres extends PostgresSession {
  /** Runs the work in one transaction, again where it collided with another (40001, 40P01). */
  transaction<T>(work: (session: PostgresSession) => Promise<T>): Promise<T>
  /**
   * Runs a statement that may take an hour; gives up where another session holds the table for longer than 10 s, since
   * whoever comes next would wait behind us.
   */
  maintain(text: string): Promise<void>
  /** Each query is a transaction of its own. */
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

const BEGIN = begin({ statement_timeout: STATEMENT_MS })
const BEGIN_MAINTENANCE = begin({ statement_timeout: MAINTENANCE_MS, lock_timeout: MAINTENANCE_LOCK_MS })

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
    query_timeout: STATEMENT_MS + CONNECT_MS,
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
            connect: async () => ({
              query: ((text: string, values: readonly unknown[]) =>
                transaction(pool, BEGIN, (client) => query(client, { text, values }))) as PoolClient['query'],
              release: () => {},
            }),
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

  run(text: string, values: readonly PostgresValue[] = []): Promise<PostgresResult> {
    return this.transaction((session) => session.run(text, values))
  }

  transaction<T>(work: (session: PostgresSession) => Promise<T>): Promise<T> {
    return transaction(this.#pool, BEGIN, (client) =>
      work({
        async run(text, values = []) {
          const { rows, rowCount } = await query(client, { text, values })
          return { rows, count: rowCount ?? 0 }
        },
      }),
    )
  }

  async maintain(text: string): Promise<void> {
    await transaction(this.#pool, BEGIN_MAINTENANCE, (client) =>
      query(client, { text, query_timeout: MAINTENANCE_MS + CONNECT_MS }),
    )
  }

  async close(): Promise<void> {
    await this.#pool.end()
  }
}

/** Limits for the transaction alone: as parameters of a new session PgBouncer refuses them, or is told to ignore them. */
function begin(limits: Readonly<Record<string, number>>): string {
  // Whoever sleeps in the middle of a transaction must not keep others from writing.
  const all = { ...limits, idle_in_transaction_session_timeout: STATEMENT_MS }
  return ['BEGIN', ...Object.entries(all).map(([name, ms]) => `SET LOCAL ${name} = ${ms}`)].join('; ')
}

async function transaction<T>(
  pool: Pool,
  beginning: string,
  work: (client: PoolClient) => Promise<T>,
): Promise<T> {
  for (let collisions = 0; ; collisions++) {
    const client = await mapped(() => pool.connect())
    let broken = false
    try {
      await query(client, { text: beginning })
      const result = await work(client)
      await query(client, { text: 'COMMIT' })
      return result
    } catch (error) {
      // What got no answer may still wait for one, and whoever came next would wait behind it.
      broken = error instanceof StoreGone || (await isStuck(client))
      if (!isCollision(error) || collisions >= COLLISIONS) throw error
    } finally {
      client.release(broken)
    }
  }
}

async function isStuck(client: PoolClient): Promise<boolean> {
  return client.query('ROLLBACK').then(
    () => false,
    () => true,
  )
}

/** Without a name: a prepared statement would be kept in the session. */
interface Query {
  readonly text: string
  readonly values?: readonly unknown[]
  /** What the driver's own type leaves out: the time for this query alone, in milliseconds. */
  readonly query_timeout?: number
}

function query(
  client: PoolClient,
  { values = [], ...rest }: Query,
): Promise<QueryResult<Record<string, unknown>>> {
  return mapped(() => client.query<Record<string, unknown>>({ ...rest, values: [...values] }))
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
