import type { StoreDeps } from '../../kit/store/open-store.ts'
import type { AuditStore } from './audit-store.ts'
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
