import { displayWidth, isPlain, visible } from '../../core/lib/text.ts'
import type { Style } from './palette.ts'

/** One value of a row: text or a number as it is, or text with a meaning that the palette colours. */
export type Cell = string | number | { readonly text: string; readonly style: Style }

/** One column of a view; the title's case is the one of bordered tables, plain columns show it in capitals. */
export interface Column {
  readonly title: string
  /** `right` for numbers; `left` where left out. */
  readonly align?: 'left' | 'right'
}

/** A cell's text, safe for a terminal, without colour. */
export function cellText(cell: Cell): string {
  return visible(rawText(cell))
}

/** A cell's text as it came, for those who know that it is safe. */
export function rawText(cell: Cell): string {
  if (typeof cell === 'string') return cell
  return typeof cell === 'number' ? String(cell) : cell.text
}

/** The cells of a terminal that text already made visible takes. */
export function cellWidth(text: string): number {
  return isPlain(text) ? text.length : displayWidth(text)
}
