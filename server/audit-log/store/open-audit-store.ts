import type { StoreDeps } from '../../kit/store/open-store.ts'
import type { AuditEngine } from './audit-engine.ts'
import type { AuditStore } from './audit-store.ts'
import { PostgresEngine } from './postgres-engine.ts'
import { SqlAuditStore } from './sql-audit-store.ts'
import { SqliteEngine } from './sqlite-engine.ts'

/** Where changes are kept. */
export interface AuditStorePlace {
  /** The folder of the volume, for SQLite. */
  readonly folder: string
  /** `postgres://…`; empty: SQLite in the folder. */
  readonly url: string
}

/**
 * Opens the store, or begins one; brings its schema up to date. Rejects as openStore throws for SQLite, and with
 * StoreGone while a database cannot be reached; with another Error where it refuses us, which does not pass by itself.
 */
export async function openAuditStore({ folder, url }: AuditStorePlace, deps: StoreDeps): Promise<AuditStore> {
  const engine: AuditEngine =
    url === '' ? new SqliteEngine(folder, deps) : await PostgresEngine.open(url, deps)
  try {
    return await SqlAuditStore.open(engine, deps.clock)
  } catch (error) {
    await engine.close()
    throw error
  }
}
