import type { AuditTables, SqlValue } from './audit-tables.ts'

/** A row, or the columns of one that are meant. */
export type WriteRow = Readonly<Record<string, SqlValue>>

/** One step of a transaction; all rows of a step have the same columns. */
export interface TableWrite {
  /**
   * `insert` leaves rows whose key is there as they are, `put` replaces them, `update` sets the columns that are given,
   * `delete` needs the key only.
   */
  readonly step: 'insert' | 'put' | 'update' | 'delete'
  readonly table: keyof AuditTables
  readonly rows: readonly WriteRow[]
}

/** A step over rows of a table's own type. */
export function write<Table extends keyof AuditTables>(
  step: TableWrite['step'],
  table: Table,
  rows: readonly Partial<AuditTables[Table]>[],
): TableWrite {
  return { step, table, rows: rows as readonly WriteRow[] }
}
