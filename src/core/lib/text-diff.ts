import { diffArrays } from 'diff/lib/diff/array.js'
import type { LineHunk } from '../wire/change.ts'

/** Beyond so many lines taken out and put in, the search costs more than a finer hunk is worth. */
const MAX_EDITS = 200

/** The pieces in which two texts of several lines differ, the first first; lines are what stands between line feeds. */
export function diffLines(before: string, after: string): LineHunk[] {
  const limit = Math.min(before.length, after.length)
  const same = commonLength(limit, (from, to) => before.slice(from, to) === after.slice(from, to))
  const start = same === 0 ? 0 : before.lastIndexOf('\n', same - 1) + 1
  const tail = commonLength(
    limit - start,
    (from, to) =>
      before.slice(before.length - to, before.length - from) ===
      after.slice(after.length - to, after.length - from),
  )
  const lines = wholeLines(before, after, start, tail)
  return diffLineLists(
    linesBetween(before, start, before.length - lines),
    linesBetween(after, start, after.length - lines),
    1 + countLineFeeds(before, start),
  )
}

/** How many characters are alike, found by halving: comparing pieces costs far less than comparing characters. */
function commonLength(limit: number, isSame: (from: number, to: number) => boolean): number {
  let known = 0
  let end = limit
  while (known < end) {
    const middle = (known + end + 1) >>> 1
    if (isSame(known, middle)) known = middle
    else end = middle - 1
  }
  return known
}

/** How much of a common tail is whole lines in both texts, counted with the line feed before them. */
function wholeLines(before: string, after: string, start: number, tail: number): number {
  const isLineStart = (text: string): boolean => {
    const place = text.length - tail
    return place === start || text[place - 1] === '\n'
  }
  if (isLineStart(before) && isLineStart(after)) return tail + 1
  const next = before.indexOf('\n', before.length - tail)
  return next < 0 ? 0 : before.length - next
}

/** The lines from one place up to a line feed or the end; none where the place lies beyond. */
function linesBetween(text: string, start: number, end: number): string[] {
  return end < start ? [] : text.slice(start, end).split('\n')
}

function countLineFeeds(text: string, end: number): number {
  let count = 0
  for (let i = text.indexOf('\n'); i >= 0 && i < end; i = text.indexOf('\n', i + 1)) count++
  return count
}

/** As `diffLines`, of texts whose lines are known; the first of them has the number `firstLine`. */
export function diffLineLists(
  before: readonly string[],
  after: readonly string[],
  firstLine = 1,
): LineHunk[] {
  let start = 0
  while (start < before.length && start < after.length && before[start] === after[start]) start++
  let [beforeEnd, afterEnd] = [before.length, after.length]
  while (beforeEnd > start && afterEnd > start && before[beforeEnd - 1] === after[afterEnd - 1]) {
    beforeEnd--
    afterEnd--
  }
  const [from, to] = [before.slice(start, beforeEnd), after.slice(start, afterEnd)]
  if (from.length === 0 && to.length === 0) return []
  const whole = [{ line: firstLine + start, from, to }]
  if (from.length <= 1 || to.length <= 1) return whole
  const parts = diffArrays(from, to, { maxEditLength: MAX_EDITS })
  return parts ? hunksOf(parts, firstLine + start) : whole
}

interface Part {
  readonly value: readonly string[]
  readonly added: boolean
  readonly removed: boolean
}

function hunksOf(parts: readonly Part[], firstLine: number): LineHunk[] {
  const hunks: LineHunk[] = []
  let line = firstLine
  let open: { readonly line: number; readonly from: string[]; readonly to: string[] } | undefined
  for (const { value, added, removed } of parts) {
    if (!added && !removed) {
      open = undefined
    } else {
      if (!open) hunks.push((open = { line, from: [], to: [] }))
      ;(added ? open.to : open.from).push(...value)
    }
    if (!added) line += value.length
  }
  return hunks
}

/** A piece of a line. */
export interface WordPiece {
  readonly text: string
  /** The other line has not this piece, or has it elsewhere. */
  readonly changed: boolean
}

/** Words, blanks, and single other characters. */
const WORDS = /[\p{L}\p{N}_]+|\s+|[^]/gu

/** Two versions of one line, word by word; the pieces of each joined are the line. */
export function diffWords(
  before: string,
  after: string,
): { readonly before: readonly WordPiece[]; readonly after: readonly WordPiece[] } {
  const parts = diffArrays(before.match(WORDS) ?? [], after.match(WORDS) ?? [], { maxEditLength: MAX_EDITS })
  if (!parts) return { before: [{ text: before, changed: true }], after: [{ text: after, changed: true }] }
  const pieces = parts.map(({ value, added, removed }) => ({ text: value.join(''), added, removed }))
  return {
    before: pieces.filter(({ added }) => !added).map(({ text, removed }) => ({ text, changed: removed })),
    after: pieces.filter(({ removed }) => !removed).map(({ text, added }) => ({ text, changed: added })),
  }
}
