import { DeckError } from '../../../src/core/lib/errors.ts'
import type { Log } from '../log.ts'
import type { Postgres } from './postgres.ts'
import type { Migration } from './store.ts'

/** unique_violation, duplicate_table and duplicate_object: another replica did the same at the same moment. */
const DONE_BY_ANOTHER = new Set(['23505', '42P07', '42710'])

/**
 * Brings a database's schema up to date. Several replicas may do so at once: who writes a step's row first does it, and
 * the others wait for that row. No advisory locks, which not every engine has. Throws STORE_NEWER where a later version of
 * deckwatch has been here.
 */
export async function migratePostgres(
  database: Postgres,
  migrations: readonly Migration[],
  log: Log,
): Promise<void> {
  await byOne(() =>
    database.run('CREATE TABLE IF NOT EXISTS migration (step INTEGER PRIMARY KEY, name TEXT NOT NULL)'),
  )
  const { rows } = await database.run('SELECT step FROM migration ORDER BY step')
  const steps = rows.map(({ step }) => Number(step))
  const latest = steps.at(-1) ?? 0
  if (latest > migrations.length) {
    throw new DeckError(
      'STORE_NEWER',
      `the database was written by a later version: its schema is ${latest}, this version knows ${migrations.length}`,
      {
        hint: 'Run that version again, or one after it; or name another database to begin without its data.',
      },
    )
  }
  for (const [index, { name, sql }] of migrations.entries()) {
    const step = index + 1
    if (steps.includes(step)) continue
    await byOne(() =>
      database.transaction(async (session) => {
        await session.run('INSERT INTO migration (step, name) VALUES ($1, $2)', [step, name])
        for (const statement of statementsOf(sql)) await session.run(statement)
      }),
    )
    log.info({ step: name, schema: step }, 'migrated the database')
  }
}

function statementsOf(sql: string): string[] {
  return sql
    .split(';')
    .map((statement) => statement.trim())
    .filter((statement) => statement !== '')
}

async function byOne(work: () => Promise<unknown>): Promise<void> {
  try {
    await work()
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined
    if (typeof code !== 'string' || !DONE_BY_ANOTHER.has(code)) throw error
  }
}
