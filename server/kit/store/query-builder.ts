import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite'
import { Kysely, SqliteDialect } from 'kysely'

/** The query builder, by which one query reads from either engine. */
export { sql, type Kysely, type RawBuilder, type Selectable } from 'kysely'

/** So many statements are kept prepared; a query whose lists have other lengths is another statement. */
const PREPARED = 200

/**
 * Queries over an open SQLite database. They run on its one connection, so that none may be under way where a
 * transaction of somebody else is; who opened the database closes it.
 */
export function queriesOver<Tables>(database: DatabaseSync): Kysely<Tables> {
  const prepared = new Map<string, StatementSync>()
  const prepare = (text: string): StatementSync => {
    const known = prepared.get(text)
    if (known) return known
    const statement = database.prepare(text)
    if (prepared.size >= PREPARED) prepared.delete(prepared.keys().next().value ?? '')
    prepared.set(text, statement)
    return statement
  }
  const values = (parameters: readonly unknown[]): SQLInputValue[] => parameters as SQLInputValue[]
  return new Kysely<Tables>({
    dialect: new SqliteDialect({
      database: {
        close() {},
        prepare(text) {
          const statement = prepare(text)
          return {
            reader: statement.columns().length > 0,
            all: (parameters) => statement.all(...values(parameters)),
            run: (parameters) => statement.run(...values(parameters)),
            iterate: (parameters) => statement.iterate(...values(parameters)),
          }
        },
      },
    }),
  })
}
