import { displayWidth, visible } from '../../core/lib/text.ts'
import type { BlameLine, BlameScreen } from './blame-screen.ts'
import { shrinkColumns, widthUpTo } from './fit.ts'

/** Blanks between columns. */
export const GAP = 2
/** Between an old and a new value. */
export const ARROW = ' → '
/** So much the last column gets, where its lines are so long, before the others keep what they want. */
const CHANGE_WIDTH = 44
/** No other column gets narrower. */
export const NARROWEST = 12
/** What is not known beforehand of a stream: a time of the day, or with its date; names as they mostly are. */
const STREAM_WIDTHS: Readonly<Record<string, number>> = { TIME: 8, OBJECT: 26, WHO: 28, VIA: 14, ID: 8 }
/** With less for the last column rows are written below one another. */
export const BESIDE_WIDTH = 24

/** Which cells of a line belong to what. */
export interface BlameLayout {
  readonly width: number
  /** Cells of each column but the last. */
  readonly columns: readonly number[]
  /** Cells of the last column. */
  readonly change: number
  /** Blanks before each row: under a heading. */
  readonly indent: number
  /** The column that is indented by depth. */
  readonly nested: number
}

/** Columns as wide as what stands in them, as far as the last one, which says what changed, has room. */
export function layoutOf({ titles, items }: BlameScreen, width: number): BlameLayout {
  const indent = items.some(({ type }) => type === 'group') ? 2 : 0
  const nested = nestedColumn(titles)
  const columns = titles.slice(0, -1).map((title) => displayWidth(title))
  let wanted = displayWidth(titles.at(-1) ?? '')
  for (const item of items) {
    if (item.type !== 'row') continue
    for (const [x, cell] of item.cells.entries()) {
      const depth = x === nested ? 2 * item.depth : 0
      columns[x] = Math.max(columns[x] ?? 0, displayWidth(visible(cell)) + depth)
    }
    for (const line of item.lines) wanted = Math.max(wanted, naturalWidth(line, width))
  }
  const forAll = width - indent - GAP * columns.length
  const forOthers = forAll - Math.min(wanted, CHANGE_WIDTH)
  const shrunk = shrinkColumns(columns, forOthers, NARROWEST)
  return { width, columns: shrunk, change: forAll - sum(shrunk), indent, nested }
}

/** Columns for rows that are not known yet. */
export function streamLayout(titles: readonly string[], width: number): BlameLayout {
  const columns = titles.slice(0, -1).map((title) => STREAM_WIDTHS[title] ?? NARROWEST)
  const forAll = width - GAP * columns.length
  const shrunk = shrinkColumns(columns, forAll - CHANGE_WIDTH, NARROWEST)
  return { width, columns: shrunk, change: forAll - sum(shrunk), indent: 0, nested: nestedColumn(titles) }
}

function nestedColumn([first = '']: readonly string[]): number {
  return first === 'AGE' || first === 'TIME' ? 1 : 0
}

/** The cells that a line takes where nothing is left out; of a long one, more than fit. */
export function naturalWidth({ label, lead, values, tail }: BlameLine, width: number): number {
  const cells = (text: string): number => widthUpTo(visible(text), width)
  const beside = label === '' ? 0 : cells(label) + GAP
  const arrows = Math.max(0, values.length - 1) * ARROW.length
  return beside + cells(lead) + sum(values.map(cells)) + arrows + cells(tail)
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0)
}
