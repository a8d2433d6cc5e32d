import type CliTable3 from 'cli-table3'
import { formatCount } from '../../core/lib/bytes.ts'
import { cellText } from './cell.ts'
import type { Cell, Column } from './cell.ts'
import type { Chunks } from './chunks.ts'
import { renderColumns } from './columns.ts'
import { plainPalette } from './palette.ts'
import type { Palette } from './palette.ts'

/** How a bordered table is written. */
export interface TableOptions {
  readonly palette?: Palette
  readonly noHeaders?: boolean
}

/** A table's text, and a sentence for stderr where it could not be drawn as asked. */
export interface RenderedTable {
  readonly chunks: Chunks
  readonly note: string | undefined
}

/** The most rows that get borders; cli-table3 needs time in the square of them (10,000 rows: 7.8 s). */
export const BORDERED_ROWS = 300

const ASCII_BORDERS: Record<CliTable3.CharName, string> = {
  top: '-',
  'top-mid': '+',
  'top-left': '+',
  'top-right': '+',
  bottom: '-',
  'bottom-mid': '+',
  'bottom-left': '+',
  'bottom-right': '+',
  left: '|',
  'left-mid': '+',
  mid: '-',
  'mid-mid': '+',
  right: '|',
  'right-mid': '+',
  middle: '|',
}

/**
 * Rows as a bordered table in which a cell that equals the one above merges with it, but only under cells that merge
 * themselves: equal names in two namespaces stay apart. Sort the rows first. Past BORDERED_ROWS they come as plain
 * columns, with a note.
 */
export async function renderTable(
  columns: readonly Column[],
  rows: readonly (readonly Cell[])[],
  { palette = plainPalette, noHeaders = false }: TableOptions = {},
): Promise<RenderedTable> {
  if (rows.length > BORDERED_ROWS) {
    return {
      chunks: renderColumns(columns, rows, { palette, noHeaders }),
      note: `${formatCount(rows.length)} rows are shown as plain columns: tables have borders up to ${BORDERED_ROWS} rows`,
    }
  }
  const { default: Table } = await import('cli-table3')
  const table = new Table({
    chars: ASCII_BORDERS,
    colAligns: columns.map(({ align }) => align ?? 'left'),
    // cli-table3 colours heads and borders by itself, into pipes too.
    style: { head: [], border: [] },
  })
  if (!noHeaders) {
    table.push(
      columns.map(({ title }) => ({ content: palette.heading(cellText(title)), hAlign: 'center' as const })),
    )
  }
  const texts = rows.map((row) => row.map(cellText))
  const spans = mergeSpans(texts)
  for (const [y, row] of rows.entries()) {
    const cells: CliTable3.Cell[] = []
    for (const [x, cell] of row.entries()) {
      const rowSpan = spans[y]?.[x] ?? 1
      if (rowSpan === 0) continue
      const text = texts[y]?.[x] ?? ''
      cells.push({ content: typeof cell === 'object' ? palette[cell.style](text) : text, rowSpan })
    }
    table.push(cells)
  }
  return { chunks: [`${table.toString()}\n`], note: undefined }
}

/**
 * How many rows each cell covers, 0 for one that is covered. The last column never merges, so that two equal rows are
 * still two rows.
 */
export function mergeSpans(rows: readonly (readonly string[])[]): number[][] {
  const spans = rows.map((row) => row.map(() => 1))
  /** For each column the row whose cell is still open for merging. */
  let owners: number[] = []
  for (const [y, row] of rows.entries()) {
    const above = rows[y - 1]
    let merging = above !== undefined
    owners = row.map((text, x) => {
      merging &&= text === above?.[x] && x < row.length - 1
      const owner = merging ? (owners[x] ?? y) : y
      if (owner === y) return y
      const [ownSpans, ownerSpans] = [spans[y], spans[owner]]
      if (ownSpans && ownerSpans) {
        ownSpans[x] = 0
        ownerSpans[x] = (ownerSpans[x] ?? 1) + 1
      }
      return owner
    })
  }
  return spans
}
