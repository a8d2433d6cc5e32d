import type { StoreDeps } from '../../kit/store/open-store.ts'
import type { AuditStore } from './audit-store.ts'
import type { Log } from '../../kit/log.ts'
import { PostgresEngine } from './postgres-engine.ts'
import { SqlAuditStore } from './sql-audit-store.ts'
import { SqliteEngine } from './sqlite-engine.ts'

/** Opens the store in a folder of the volume, or begins one there; rejects as openStore throws. */
export async function openSqliteAuditStore(folder: string, deps: StoreDeps): Promise<AuditStore> {
  const engine = new SqliteEngine(folder, deps)
  try {
    return await SqlAuditStore.open(engine, deps.clock)
  } catch (error) {
    await engine.close()
    throw error
  }
}

/**
 * Opens the store in a database that several replicas may share (`postgres://…`); rejects with StoreGone while it cannot
 * be reached. Nothing but the driver is loaded before that, and that only here.
 */
export async function openPostgresAuditStore(
  url: string,
  deps: { readonly clock: StoreDeps['clock']; readonly log: Log },
): Promise<AuditStore> {
  const engine = await PostgresEngine.open(url, deps.log)
  try {
    return await SqlAuditStore.open(engine, deps.clock)
  } catch (error) {
    await engine.close()
    throw error
  }
}

/** Opens the store that the options name: the database of the URL, or where that is empty the volume's folder. */
export function openAuditStore(
  { folder, url }: { readonly folder: string; readonly url: string },
  deps: StoreDeps,
): Promise<AuditStore> {
  return url === '' ? openSqliteAuditStore(folder, deps) : openPostgresAuditStore(url, deps)
}
