import type { Postgres } from '../../kit/store/postgres.ts'
import { StoreGone } from './audit-store.ts'

/**
 * Writes tables anew, so that what was deleted lies in none of their files; one clause of what could not be, and why,
 * undefined where all of it was. StoreGone where the database went away meanwhile.
 */
export async function rewriteTables(
  database: Pick<Postgres, 'run' | 'maintain'>,
  tables: readonly string[],
): Promise<string | undefined> {
  const left: string[] = []
  try {
    const [began] = (await database.run('SELECT now()::text AS at')).rows
    for (const table of tables) {
      const why = await whyNotRewritten(database, table)
      if (why !== undefined) left.push(`table ${table} (${why})`)
    }
    if (left.length > 0) return `the database could not write anew ${left.join(', ')}`
    // CLUSTER copies row versions that an older snapshot may still read.
    const { rows } = await database.run(
      `SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()
        AND backend_xmin IS NOT NULL AND xact_start < $1::timestamptz`,
      [String(began?.['at'])],
    )
    if (rows.length === 0) return undefined
    return `a transaction that began earlier is still open (process ${rows.map(({ pid }) => String(pid)).join(', ')} of the database), and what it may see was kept for it`
  } catch (error) {
    if (error instanceof StoreGone) throw error
    return `the database cannot tell whether all is written anew: ${messageOf(error)}`
  }
}

async function whyNotRewritten(
  database: Pick<Postgres, 'run' | 'maintain'>,
  table: string,
): Promise<string | undefined> {
  const fileOf = async (): Promise<unknown> =>
    (await database.run('SELECT pg_relation_filenode($1::regclass) AS file', [table])).rows[0]?.['file']
  const before = await fileOf()
  try {
    // As VACUUM FULL, which no transaction may hold: its limits would be left to the session, which may be anyone's behind
    // a pooler. https://www.postgresql.org/docs/current/sql-cluster.html
    await database.maintain(`CLUSTER ${table} USING ${table}_pkey`)
  } catch (error) {
    if (error instanceof StoreGone) throw error
    return messageOf(error)
  }
  return (await fileOf()) === before ? 'its file is the one of before' : undefined
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
