import { displayWidth, visible } from '../../core/lib/text.ts'
import { gatherChunks, type Chunks } from './chunks.ts'
import { fitValues, wrapHanging, wrapText } from './fit.ts'
import { plainPalette, type Palette, type Style } from './palette.ts'

/** One line in the last column: a field with its values, or a sentence where there is no label. */
export interface BlameLine {
  readonly label: string
  readonly lead: string
  /** None, one, or an old and a new one. */
  readonly values: readonly string[]
  readonly tail: string
  readonly style?: Style
}

/** A row of several lines, a line over the whole width, or a heading of the rows that follow. */
export type BlameItem =
  | {
      readonly type: 'row'
      readonly cells: readonly string[]
      readonly lines: readonly BlameLine[]
      readonly depth: number
      readonly style?: Style
    }
  | { readonly type: 'note'; readonly text: string; readonly style: Style; readonly within: boolean }
  | { readonly type: 'group'; readonly title: string; readonly aside: string }

/** A screen of changes as the features of blame make it. */
export interface BlameScreen {
  readonly header: readonly string[]
  readonly titles: readonly string[]
  readonly items: readonly BlameItem[]
  readonly footer: readonly string[]
  readonly shortened: string
}

/** How a screen is written. */
export interface BlameListOptions {
  readonly palette?: Palette
  /** Columns of the terminal, or 100; no line is longer. */
  readonly width: number
  readonly noHeaders?: boolean
}

/** A screen's text for stdout, and lines of advice for stderr, without line feeds. */
export interface RenderedBlame {
  readonly chunks: Chunks
  readonly footer: readonly string[]
}

const GAP = 2
const ARROW = ' → '
/** So much the last column gets, where its lines are so long, before the others keep what they want. */
const CHANGE_WIDTH = 44
/** No other column gets narrower. */
const NARROWEST = 12
/** What is not known beforehand of a stream: a time of the day, or with its date; names as they mostly are. */
const STREAM_WIDTHS: Readonly<Record<string, number>> = { TIME: 8, OBJECT: 26, WHO: 28, VIA: 14, ID: 8 }
/** With less for the last column rows are written below one another. */
const BESIDE_WIDTH = 24

/**
 * A screen of changes: names wrapped and never cut, values shortened to the width with an ellipsis, which the footer
 * then explains, everything made visible.
 */
export function renderBlameList(screen: BlameScreen, options: BlameListOptions): RenderedBlame {
  const { palette = plainPalette, width, noHeaders = false } = options
  const layout = layoutOf(screen, width)
  const writer = new Writer(layout, palette)
  const lines = noHeaders ? [] : screen.header.flatMap((text) => wrapText(visible(text), width))
  if (!noHeaders && screen.titles.length > 0) lines.push(...writer.titles(screen.titles))
  for (const item of screen.items) lines.push(...writer.item(item))
  const footer = [
    ...(noHeaders ? [] : screen.footer),
    ...(writer.shortened ? [`… = ${screen.shortened}`] : []),
  ]
  return {
    chunks: gatherChunks(lines.map((line) => `${line}\n`)),
    footer: footer.flatMap((text) => wrapText(visible(text), width)),
  }
}

/** Writes rows as they come, in columns that stay as they are. */
export interface BlameStream {
  /** Lines with their line feeds. */
  write(items: readonly BlameItem[]): string
  /** The advice that is due from now on, once. */
  footer(): readonly string[]
}

/** A stream of rows under these titles, of which none is written. */
export function createBlameStream(
  { titles, shortened }: Pick<BlameScreen, 'titles' | 'shortened'>,
  { palette = plainPalette, width }: BlameListOptions,
): BlameStream {
  const columns = titles.slice(0, -1).map((title) => STREAM_WIDTHS[title] ?? NARROWEST)
  const forAll = width - GAP * columns.length
  shrink(columns, forAll - CHANGE_WIDTH)
  const layout = { width, columns, change: forAll - sum(columns), indent: 0, nested: nestedColumn(titles) }
  const writer = new Writer(layout, palette)
  let told = false
  return {
    write: (items) => items.flatMap((item) => writer.item(item).map((line) => `${line}\n`)).join(''),
    footer() {
      if (told || !writer.shortened) return []
      told = true
      return wrapText(`… = ${shortened}`, width)
    },
  }
}

interface Layout {
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

function layoutOf({ titles, items }: BlameScreen, width: number): Layout {
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
    for (const line of item.lines) wanted = Math.max(wanted, naturalWidth(line))
  }
  const forAll = width - indent - GAP * columns.length
  const forOthers = forAll - Math.min(wanted, CHANGE_WIDTH)
  shrink(columns, forOthers)
  return { width, columns, change: forAll - sum(columns), indent, nested }
}

function nestedColumn([first = '']: readonly string[]): number {
  return first === 'AGE' || first === 'TIME' ? 1 : 0
}

/** Takes from the widest until they fit together or none can be taken from. */
function shrink(columns: number[], limit: number): void {
  for (let excess = sum(columns) - limit; excess > 0; excess--) {
    const widest = columns.indexOf(Math.max(...columns))
    const cells = columns[widest] ?? 0
    if (cells <= NARROWEST) return
    columns[widest] = cells - 1
  }
}

function naturalWidth({ label, lead, values, tail }: BlameLine): number {
  const text = `${label === '' ? '' : `${label}  `}${lead}${values.join(ARROW)}${tail}`
  return displayWidth(visible(text))
}

class Writer {
  readonly #layout: Layout
  readonly #palette: Palette
  /** Under a heading by now. */
  #grouped = false
  shortened = false

  constructor(layout: Layout, palette: Palette) {
    this.#layout = layout
    this.#palette = palette
  }

  titles(titles: readonly string[]): string[] {
    const { columns, indent } = this.#layout
    if (this.#stacked()) return []
    const cells = titles.map((title, x) =>
      pad(this.#palette.heading(title), displayWidth(title), columns[x] ?? 0),
    )
    return [`${' '.repeat(indent)}${cells.join(' '.repeat(GAP))}`.trimEnd()]
  }

  item(item: BlameItem): string[] {
    const { width } = this.#layout
    switch (item.type) {
      case 'note': {
        const left = ' '.repeat(item.within && this.#grouped ? this.#layout.indent : 0)
        return wrapHanging(visible(item.text), width - left.length, 3).map(
          (line) => left + this.#palette[item.style](line),
        )
      }
      case 'group': {
        this.#grouped = true
        const aside = item.aside === '' ? '' : `  ${visible(item.aside)}`
        return wrapText(visible(item.title), width - displayWidth(aside)).map((line, index, all) =>
          index < all.length - 1
            ? this.#palette.heading(line)
            : this.#palette.heading(line) + (aside === '' ? '' : this.#palette.faint(aside)),
        )
      }
      case 'row':
        return this.#stacked() ? this.#stackedRow(item) : this.#row(item)
    }
  }

  #stacked(): boolean {
    return this.#layout.change < BESIDE_WIDTH
  }

  #row({ cells, lines, depth, style }: Extract<BlameItem, { type: 'row' }>): string[] {
    const { columns, change, indent, nested } = this.#layout
    const wrapped = cells.map((cell, x) => {
      const left = x === nested ? ' '.repeat(Math.min(2 * depth, NARROWEST / 2)) : ''
      return wrapText(visible(cell), (columns[x] ?? 1) - left.length).map((line) => left + line)
    })
    const last = this.#changeLines(lines, change)
    const height = Math.max(last.length, ...wrapped.map((cell) => cell.length))
    const colour = style === undefined ? undefined : this.#palette[style]
    return Array.from({ length: height }, (_, y) => {
      const left = wrapped.map((cell, x) => {
        const text = cell[y] ?? ''
        return pad(colour && x === nested ? colour(text) : text, displayWidth(text), columns[x] ?? 0)
      })
      return `${' '.repeat(indent)}${[...left, last[y] ?? ''].join(' '.repeat(GAP))}`.trimEnd()
    })
  }

  /** On a narrow terminal: who and when, and below it what. */
  #stackedRow({ cells, lines, depth, style }: Extract<BlameItem, { type: 'row' }>): string[] {
    const { width, indent } = this.#layout
    const left = ' '.repeat(indent + Math.min(2 * depth, NARROWEST / 2))
    const head = cells.filter((cell) => cell !== '').map(visible)
    const heads = wrapText(head.join('  '), Math.max(1, width - left.length)).map((line) => left + line)
    const colour = style === undefined ? undefined : this.#palette[style]
    const below = this.#changeLines(lines, Math.max(4, width - left.length - 2))
    return [...heads.map((line) => colour?.(line) ?? line), ...below.map((line) => `${left}  ${line}`)]
  }

  #changeLines(lines: readonly BlameLine[], width: number): string[] {
    const shown = lines.map((line) => ({
      ...line,
      label: visible(line.label),
      lead: visible(line.lead),
      values: line.values.map(visible),
      tail: visible(line.tail),
    }))
    const labels = Math.max(0, ...shown.map(({ label }) => displayWidth(label)))
    const aligned = shown.every(
      (line) => line.label === '' || labels + naturalWidth(line) - displayWidth(line.label) <= width,
    )
    return shown.flatMap((line) => this.#changeLine(line, width, aligned ? labels : 0))
  }

  #changeLine(line: BlameLine, width: number, labels: number): string[] {
    const { label, lead, values, tail } = line
    if (naturalWidth(line) <= width) {
      return [
        pad(label, displayWidth(label), label === '' ? 0 : labels) +
          (label === '' ? '' : '  ') +
          this.#body(line),
      ]
    }
    if (label === '') {
      if (values.length === 0) return wrapText(lead + tail, width).map((part) => this.#styled(part, line))
      return [this.#fitted(line, width)]
    }
    const beside = width - displayWidth(label) - 2
    const body = { ...line, label: '' }
    // Beside the field only where nothing is lost by it, or little.
    const fits = naturalWidth(body) <= width - 2
    if (!fits && beside >= 30) return [`${label}  ${this.#fitted(body, beside)}`]
    const below = values.length === 0 ? wrapText(lead + tail, width - 2) : [this.#fitted(body, width - 2)]
    return [...wrapText(label, width), ...below.map((part) => `  ${part}`)]
  }

  #fitted(line: BlameLine, width: number): string {
    const { lead, values, tail } = line
    const space = width - displayWidth(lead) - displayWidth(tail)
    const { texts, shortened } = fitValues(values, space, displayWidth(ARROW))
    this.shortened ||= shortened
    return this.#body({ ...line, values: texts })
  }

  #body({ lead, values, tail, style }: BlameLine): string {
    const { bad, good } = this.#palette
    const [first = '', second] = values
    const shown = second === undefined ? first : `${bad(first)}${ARROW}${good(second)}`
    return style === undefined ? lead + shown + tail : this.#palette[style](lead + values.join(ARROW) + tail)
  }

  #styled(text: string, { style }: BlameLine): string {
    return style === undefined ? text : this.#palette[style](text)
  }
}

function pad(text: string, cells: number, width: number): string {
  return text + ' '.repeat(Math.max(0, width - cells))
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0)
}
