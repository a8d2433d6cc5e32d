import { displayWidth, visible } from '../../core/lib/text.ts'
import { ARROW, BESIDE_WIDTH, GAP, NARROWEST, naturalWidth, type BlameLayout } from './blame-layout.ts'
import type { BlameItem, BlameLine } from './blame-screen.ts'
import { fitValues, wrapHanging, wrapText } from './fit.ts'
import type { Palette } from './palette.ts'

/** Writes items in the columns of a layout. */
export class BlameWriter {
  readonly #layout: BlameLayout
  readonly #palette: Palette
  /** Under a heading by now. */
  #grouped = false
  /** A value was too long for its place by now. */
  shortened = false

  constructor(layout: BlameLayout, palette: Palette) {
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
      (line) => line.label === '' || labels + naturalWidth(line, width) - displayWidth(line.label) <= width,
    )
    return shown.flatMap((line) => this.#changeLine(line, width, aligned ? labels : 0))
  }

  #changeLine(line: BlameLine, width: number, labels: number): string[] {
    const { label, lead, values, tail } = line
    if (naturalWidth(line, width) <= width) {
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
    const fits = naturalWidth(body, width) <= width - 2
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
