import { displayWidth, visible } from '../../core/lib/text.ts'
import { gatherChunks, type Chunks } from './chunks.ts'
import { shrinkColumns, widthUpTo, wrapHanging, wrapText } from './fit.ts'
import { plainPalette, type Palette } from './palette.ts'

/** A row: the lines of each cell, or one text over the whole width. */
export type BorderedRow = { readonly cells: readonly (readonly string[])[] } | { readonly note: string }

/** How a bordered table is written. */
export interface BorderedOptions {
  readonly palette?: Palette
  readonly noHeaders?: boolean
  /** Columns of the terminal, or 100. */
  readonly width: number
}

/** So much the last column gets before the others keep what they want. */
const LAST_WIDTH = 36
/** What a column needs at least for its words, except the last. */
const NARROWEST = 11
const LAST_NARROWEST = 16

/**
 * A table with borders and a line after each row, in time linear in its rows: cells of several lines, wrapped to the
 * width and never cut, made visible. Only on a screen too narrow for its narrowest columns it is wider than that.
 */
export function renderBorderedTable(
  titles: readonly string[],
  rows: readonly BorderedRow[],
  options: BorderedOptions,
): Chunks {
  return gatherChunks(tableLines(titles, rows, options))
}

function* tableLines(
  titles: readonly string[],
  rows: readonly BorderedRow[],
  { palette = plainPalette, noHeaders = false, width }: BorderedOptions,
): Generator<string> {
  const shown = rows.map((row) =>
    'note' in row ? { note: visible(row.note) } : { cells: row.cells.map((cell) => cell.map(visible)) },
  )
  const widths = columnWidths(titles, shown, width)
  const border = `+${widths.map((cells) => '-'.repeat(cells + 2)).join('+')}+\n`
  yield border
  if (!noHeaders) {
    yield line(titles.map((title, x) => pad(palette.heading(title), displayWidth(title), widths[x] ?? 0)))
    yield border
  }
  const across = widths.reduce((total, cells) => total + cells + 3, -3)
  for (const row of shown) {
    if ('note' in row) {
      for (const text of wrapText(row.note, across)) {
        yield line([pad(palette.warn(text), displayWidth(text), across)])
      }
    } else {
      const cells = row.cells.map((cell, x) => wrapCell(cell, widths[x] ?? 0, x === row.cells.length - 1))
      const height = Math.max(1, ...cells.map((cell) => cell.length))
      for (let y = 0; y < height; y++) {
        yield line(cells.map((cell, x) => pad(cell[y] ?? '', displayWidth(cell[y] ?? ''), widths[x] ?? 0)))
      }
    }
    yield border
  }
}

function line(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |\n`
}

/** Lines that go on stand further to the right in the last column, where one line says one thing. */
function wrapCell(lines: readonly string[], width: number, last: boolean): string[] {
  return lines.flatMap((text) => (last ? wrapHanging(text, width, 2) : wrapText(text, width)))
}

function columnWidths(titles: readonly string[], rows: readonly BorderedRow[], width: number): number[] {
  const natural = titles.map((title) => displayWidth(title))
  for (const row of rows) {
    if ('note' in row) continue
    for (const [x, cell] of row.cells.entries()) {
      for (const text of cell) natural[x] = Math.max(natural[x] ?? 0, widthUpTo(text, width))
    }
  }
  const room = width - 3 * titles.length - 1
  const wanted = natural.pop() ?? 0
  const limit = room - Math.min(wanted, LAST_WIDTH)
  // Broken at their words, cells may need less than they were given: the others may have it.
  const given = shrinkColumns(natural, limit, NARROWEST)
  const used = usedWidths(titles, rows, given)
  const again = natural.map((cells, x) => ((used[x] ?? 0) < (given[x] ?? 0) ? (used[x] ?? 0) : cells))
  const columns = usedWidths(titles, rows, shrinkColumns(again, limit, NARROWEST))
  const rest = room - columns.reduce((total, cells) => total + cells, 0)
  return [...columns, Math.min(wanted, Math.max(rest, LAST_NARROWEST))]
}

function usedWidths(
  titles: readonly string[],
  rows: readonly BorderedRow[],
  widths: readonly number[],
): number[] {
  const used = widths.map((_, x) => displayWidth(titles[x] ?? ''))
  for (const row of rows) {
    if ('note' in row) continue
    for (const [x, cells] of widths.entries()) {
      for (const text of wrapCell(row.cells[x] ?? [], cells, false)) {
        used[x] = Math.max(used[x] ?? 0, displayWidth(text))
      }
    }
  }
  return used
}

function pad(text: string, cells: number, width: number): string {
  return text + ' '.repeat(Math.max(0, width - cells))
}
