import type { Kysely } from '../../kit/store/query-builder.ts'
import type { AuditTables, MetaRow } from './audit-tables.ts'
import type { TableWrite } from './table-write.ts'

/** A database with the tables of the audit log. Calls reject with StoreFull, StoreGone or StoreTaken where that is why. */
export interface AuditEngine {
  readonly db: Kysely<AuditTables>
  /** Other processes have it too: who writes must have claimed it. */
  readonly shared: boolean
  /** The reason where what was found at the start was damaged and set aside. */
  readonly setAside: string | undefined
  /** Writes the one row of `meta` where there is none yet. */
  begin(meta: MetaRow): Promise<void>
  /**
   * Writes all steps or none, and raises the revision where others have the tables too; StoreTaken where the epoch is
   * another one by now, StoreGone where only the revision is: an earlier write, of which no answer came, was kept after all.
   */
  write(
    steps: readonly TableWrite[],
    after: { readonly epoch: number; readonly revision: number },
  ): Promise<void>
  /** Raises the epoch, so that all who have an earlier one can write no more; resolves with it. */
  claim(): Promise<number>
  usedBytes(): Promise<number>
  /** Gives some of the free space back to the file system. */
  reclaim(): Promise<void>
  /** Overwrites what was deleted, wherever the engine still has it; one clause of what it could not, undefined where all is. */
  scrub(): Promise<string | undefined>
  close(): Promise<void>
}
