import type { Kysely } from '../../kit/store/query-builder.ts'
import type { AuditTables, SqlValue } from './audit-tables.ts'
import type { TableWrite } from './table-write.ts'

/** A database with the tables of the audit log. Calls reject with StoreFull, StoreGone or StoreTaken where that is why. */
export interface AuditEngine {
  readonly db: Kysely<AuditTables>
  /** The reason where what was found at the start was damaged and set aside. */
  readonly setAside: string | undefined
  /** Writes all steps or none; StoreTaken where the epoch is another one by now. */
  write(steps: readonly TableWrite[], epoch: number): Promise<void>
  /** Raises the epoch, so that all who have an earlier one can write no more; resolves with it. */
  claim(): Promise<number>
  /** Waits for a write that is under way, so that what is read holds together where reads share its connection. */
  usedBytes(): Promise<number>
  /** Gives some of the free space back to the file system. */
  reclaim(): Promise<void>
  /** Overwrites what was deleted, wherever it still lies; `values` are looked for nowhere else. */
  scrub(): Promise<void>
  close(): Promise<void>
}

/** A value as parameter of a statement. */
export type Parameter = SqlValue
