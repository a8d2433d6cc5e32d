import { cellText } from './cell.ts'
import type { Cell, Column } from './cell.ts'
import { gatherChunks } from './chunks.ts'
import type { Chunks } from './chunks.ts'

/** How CSV is written. */
export interface CsvOptions {
  readonly noHeaders?: boolean
}

/**
 * Rows as CSV (RFC 4180) in UTF-8: quotes only where needed, titles as the first record. Against the RFC a record ends
 * in a bare line feed, which spreadsheets read as well and which leaves no carriage return in the last field of cut and
 * awk. Text is made visible, so that one record is one line; JSON has the exact value.
 */
export function renderCsv(
  columns: readonly Column[],
  rows: readonly (readonly Cell[])[],
  { noHeaders = false }: CsvOptions = {},
): Chunks {
  return gatherChunks(records(columns, rows, noHeaders))
}

function* records(
  columns: readonly Column[],
  rows: readonly (readonly Cell[])[],
  noHeaders: boolean,
): Generator<string> {
  if (!noHeaders) yield `${columns.map(({ title }) => field(title)).join(',')}\n`
  for (const row of rows) yield `${row.map(field).join(',')}\n`
}

function field(cell: Cell): string {
  const text = typeof cell === 'number' ? cellText(cell) : withoutFormula(cellText(cell))
  return /[",]|^ | $/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}

/**
 * A spreadsheet runs text that begins with one of = + - @ as a formula (OWASP, CSV injection); an apostrophe before it
 * prevents that. Names of Kubernetes never begin so, but an image string may. Numbers and a lone - are harmless.
 */
function withoutFormula(text: string): string {
  return /^[=+\-@]/.test(text) && !/^[+-]?[\d.]*$/.test(text) ? `'${text}` : text
}
