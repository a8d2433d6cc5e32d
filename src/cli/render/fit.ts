import { displayWidth, glyphs, isPlain, type Glyph } from '../../core/lib/text.ts'

const ELLIPSIS = '…'

/** Columns that fit into `limit` cells together: the widest give first, and none gets narrower than `narrowest`. */
export function shrinkColumns(natural: readonly number[], limit: number, narrowest: number): number[] {
  const columns = [...natural]
  for (let excess = columns.reduce((total, cells) => total + cells, 0) - limit; excess > 0; excess--) {
    const widest = columns.indexOf(Math.max(...columns))
    const cells = columns[widest] ?? 0
    if (cells <= narrowest) break
    columns[widest] = cells - 1
  }
  return columns
}

/** Texts that were made to fit, and whether anything had to be left out. */
export interface Fitted {
  readonly texts: readonly string[]
  readonly shortened: boolean
}

/**
 * One value, or an old and a new one, in `width` cells with the arrow between them. What does not fit is left out where
 * the values are alike, so that the difference stays: `…/team/web:1.24 → …/team/web:1.25`. Texts are visible already.
 */
export function fitValues(values: readonly string[], width: number, arrow: number): Fitted {
  const [first = '', second] = values
  const widths = values.map((value) => widthUpTo(value, width))
  if (second === undefined) {
    const text = fit(first, Math.max(1, width), 0)
    return { texts: values.length === 0 ? [] : [text], shortened: text !== first }
  }
  const budget = Math.max(2, width - arrow)
  const [left = 0, right = 0] = widths
  if (left + right <= budget) return { texts: values, shortened: false }
  const half = Math.floor(budget / 2)
  const leftShare = left <= half ? left : right <= budget - half ? budget - right : half
  const same = commonPrefix(first, second)
  return { texts: [fit(first, leftShare, same), fit(second, budget - leftShare, same)], shortened: true }
}

/** At most `width` cells of a text with what stands at the UTF-16 index `focus` in view. */
function fit(text: string, width: number, focus: number): string {
  if (widthUpTo(text, width) <= width) return text
  if (isPlain(text)) return fitPlain(text, width, focus)
  // Far more than fits: only the neighbourhood of the focus is looked at.
  const from = Math.max(0, focus - 4 * width)
  const near = [...glyphs(text.slice(from, focus + 8 * width))]
  const ends = focus + 8 * width >= text.length
  let at = 0
  for (let units = from; at < near.length && units < focus; at++) units += near[at]?.text.length ?? 0

  if (from === 0 && widthOf(near.slice(0, at)) <= 0.6 * width) {
    return take(near, width - 1) + ELLIPSIS
  }
  const tail = ends ? tailStart(near, width - 1) : near.length
  if (tail <= at) return ELLIPSIS + textOf(near.slice(tail))
  const context = tailStart(near.slice(0, at), Math.min(8, Math.floor(width / 4)))
  return ELLIPSIS + take(near.slice(context), width - 2) + ELLIPSIS
}

/** As for any text, without a look at each character. */
function fitPlain(text: string, width: number, focus: number): string {
  if (focus <= 0.6 * width) return text.slice(0, Math.max(0, width - 1)) + ELLIPSIS
  const tail = text.length - (width - 1)
  if (tail <= focus) return ELLIPSIS + text.slice(Math.min(tail, text.length))
  const context = focus - Math.min(8, Math.floor(width / 4))
  return ELLIPSIS + text.slice(context, context + Math.max(0, width - 2)) + ELLIPSIS
}

function take(all: readonly Glyph[], width: number): string {
  let used = 0
  let count = 0
  for (const glyph of all) {
    if (used + glyph.width > width) break
    used += glyph.width
    count += 1
  }
  return textOf(all.slice(0, count))
}

/** Where the longest end of at most `width` cells begins; never at a mark that sits on what stands before it. */
function tailStart(all: readonly Glyph[], width: number): number {
  let used = 0
  let start = all.length
  while (start > 0) {
    used += all[start - 1]?.width ?? 0
    if (used > width) break
    start -= 1
  }
  while (start < all.length && all[start]?.width === 0) start += 1
  return start
}

function commonPrefix(a: string, b: string): number {
  let length = 0
  while (length < a.length && length < b.length && a[length] === b[length]) length += 1
  return length
}

function widthOf(all: readonly Glyph[]): number {
  return all.reduce((total, { width }) => total + width, 0)
}

function textOf(all: readonly Glyph[]): string {
  return all.map(({ text }) => text).join('')
}

/** As `wrapText`, with all but the first line `indent` blanks to the right of it. */
export function wrapHanging(text: string, width: number, indent: number): string[] {
  const [first = '', ...rest] = wrapText(text, width)
  if (rest.length === 0) return [first]
  const left = ' '.repeat(indent)
  const below = wrapText(text.slice(first.length).trimStart(), Math.max(1, width - indent))
  return [first, ...below.map((line) => left + line)]
}

/** Where a line may end, and where within a word that is longer than a line. */
const BREAKS = /(?<=[ /,])|(?<=(?<!\d):)(?=[a-z])|(?<=\dT)(?=\d\d:)/i
const WORD_BREAKS = [/(?=[@[])/, /(?<=[-.])/]

/**
 * All of a text in lines of at most `width` cells: broken at blanks, behind `/`, `,` and the `:` before a
 * name, between the date and the
 * time of RFC 3339; longer words before `@` and `[`, behind `-` and `.`, and where even that is too long, anywhere.
 */
export function wrapText(text: string, width: number): string[] {
  if (widthUpTo(text, width) <= width) return [text]
  const pieces = WORD_BREAKS.reduce(
    (words, breaks) =>
      words.flatMap((word) => (widthUpTo(word.trimEnd(), width) <= width ? [word] : word.split(breaks))),
    text.split(BREAKS),
  ).flatMap((word) => chop(word, width))
  const lines: string[] = []
  let line = ''
  let used = 0
  for (const piece of pieces) {
    const cells = displayWidth(piece)
    const trailing = piece.length - piece.trimEnd().length
    if (line !== '' && used + cells - trailing > width) {
      lines.push(line.trimEnd())
      line = piece
      used = cells
    } else {
      line += piece
      used += cells
    }
  }
  if (line.trimEnd() !== '') lines.push(line.trimEnd())
  return lines
}

function chop(word: string, width: number): string[] {
  if (widthUpTo(word.trimEnd(), width) <= width) return [word]
  const parts: string[] = []
  if (isPlain(word)) {
    for (let at = 0; at < word.length; at += Math.max(1, width)) {
      parts.push(word.slice(at, at + Math.max(1, width)))
    }
    return parts
  }
  let part = ''
  let used = 0
  for (const glyph of glyphs(word)) {
    if (used + glyph.width > width && part !== '') {
      parts.push(part)
      part = ''
      used = 0
    }
    part += glyph.text
    used += glyph.width
  }
  parts.push(part)
  return parts
}

/** The cells of a text, or of a long one more than `limit`: what does not fit need not be measured to its end. */
export function widthUpTo(text: string, limit: number): number {
  if (isPlain(text)) return text.length
  let width = 0
  // Marks without a width of their own may be many.
  for (let at = 0; at < text.length && width <= limit; at += PIECE)
    width += displayWidth(text.slice(at, at + PIECE))
  return width
}

const PIECE = 256
