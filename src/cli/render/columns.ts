import { cellText, cellWidth } from './cell.ts'
import type { Cell, Column } from './cell.ts'
import { gatherChunks } from './chunks.ts'
import type { Chunks } from './chunks.ts'
import { plainPalette } from './palette.ts'
import type { Palette } from './palette.ts'

/** How plain columns are written. */
export interface ColumnsOptions {
  readonly palette?: Palette
  readonly noHeaders?: boolean
  /** Titles as they are given, in place of capitals. */
  readonly keepCase?: boolean
  /** Blanks between columns; kubectl has three. */
  readonly gap?: number
}

/**
 * Rows as plain columns in kubectl's manner: `gap` blanks between, no borders, no trailing blanks, every cell made
 * visible, nothing cut. A row has one cell for each column.
 */
export function renderColumns(
  columns: readonly Column[],
  rows: readonly (readonly Cell[])[],
  options: ColumnsOptions = {},
): Chunks {
  return gatherChunks(columnLines(columns, rows, options))
}

function* columnLines(
  columns: readonly Column[],
  rows: readonly (readonly Cell[])[],
  { palette = plainPalette, noHeaders = false, keepCase = false, gap = 3 }: ColumnsOptions,
): Generator<string> {
  const titles = columns.map(({ title }) => cellText(keepCase ? title : title.toUpperCase()))
  const widths = titles.map((title) => (noHeaders ? 0 : cellWidth(title)))
  // Indices in place of iterators: twice as fast over 70,000 cells.
  for (let y = 0; y < rows.length; y++) {
    const row = rows[y] ?? []
    for (let x = 0; x < row.length; x++) {
      const width = cellWidth(cellText(row[x] ?? ''))
      if (width > (widths[x] ?? 0)) widths[x] = width
    }
  }
  const rights = columns.map(({ align }) => align === 'right')

  if (!noHeaders)
    yield columnLine(
      titles.map((text) => ({ text, style: 'heading' })),
      widths,
      rights,
      palette,
      gap,
    )
  for (const row of rows) yield columnLine(row, widths, rights, palette, gap)
}

/** Blanks wait until something follows them, so that no line ends in one. */
function columnLine(
  row: readonly Cell[],
  widths: readonly number[],
  rights: readonly boolean[],
  palette: Palette,
  gap: number,
): string {
  let line = ''
  let blanks = 0
  for (let x = 0; x < row.length; x++) {
    const cell = row[x] ?? ''
    const text = cellText(cell)
    const missing = (widths[x] ?? 0) - cellWidth(text)
    if (x > 0) blanks += gap
    if (rights[x]) blanks += missing
    if (text !== '') {
      line += ' '.repeat(blanks)
      line += typeof cell === 'object' ? palette[cell.style](text) : text
      blanks = 0
    }
    if (!rights[x]) blanks += missing
  }
  return `${line}\n`
}
