/** Where a value stands in a text. */
export interface Span {
  readonly start: number
  readonly end: number
}

/** What stands before a name is looked at so far. */
const MAX_BEFORE = 300
/** So far the end of a text in quotes is looked for; where there is none, it is the line's. */
const MAX_QUOTED = 16 * 1024

/** A quote, also an escaped one. */
export const QUOTE = /\\*["'`]/y

/** The quote that stands before a place, with the backslashes before it; empty where there is none. */
export function quoteBefore(text: string, at: number): string {
  if (!/["'`]/.test(text.charAt(at - 1))) return ''
  let start = at - 1
  while (text[start - 1] === '\\') start -= 1
  return text.slice(start, at)
}

/** What a pattern with flag `y` finds at a place; empty where it does not fit. */
export function sticky(pattern: RegExp, text: string, at: number): string {
  pattern.lastIndex = at
  return pattern.exec(text)?.[0] ?? ''
}

/** What stands before a place in its line; undefined where that is much. */
export function lineBefore(text: string, at: number): string | undefined {
  const before = text.slice(Math.max(0, at - MAX_BEFORE), at)
  const line = before.slice(before.lastIndexOf('\n') + 1)
  return line.length === MAX_BEFORE ? undefined : line
}

/** Where the line ends that a place stands in, without what ends it. */
export function lineEnd(text: string, at: number): number {
  const end = text.indexOf('\n', at)
  if (end < 0) return text.length
  return end > at && text[end - 1] === '\r' ? end - 1 : end
}

/** Where the line behind begins; the text's end where there is none. */
export function nextLine(text: string, at: number): number {
  const end = text.indexOf('\n', at)
  return end < 0 ? text.length : end + 1
}

/** From a place to where a pattern fits, the end of the line at the latest. */
export function until(text: string, at: number, stop: RegExp): readonly Span[] {
  stop.lastIndex = at
  const found = stop.exec(text)
  return spanned(text, at, found ? found.index : text.length)
}

/** A piece of a text without the white space at its end; none where nothing is left. */
export function spanned(text: string, start: number, end: number): readonly Span[] {
  const value = text.slice(start, end).trimEnd()
  return value === '' ? [] : [{ start, end: start + value.length }]
}

/** The text in quotes that begins at a place, also where the quotes themselves are escaped. */
export function quotedAt(text: string, at: number): Span | undefined {
  const open = sticky(QUOTE, text, at)
  if (open === '') return undefined
  const quote = open.charAt(open.length - 1)
  const escapes = open.length - 1
  const start = at + open.length
  for (let end = text.indexOf(quote, start); end >= 0; end = text.indexOf(quote, end + 1)) {
    if (end - start > MAX_QUOTED) break
    // YAML and shells write a quote twice, as do connection strings.
    if (text[end + 1] === quote && escapes === 0 && quote !== '`') {
      end += 1
      continue
    }
    let slashes = 0
    while (end - slashes > start && text[end - slashes - 1] === '\\') slashes += 1
    // At the first level `\\"` ends a text and `\"` does not; at the second `\"` does, and `\\\"` does not.
    if (slashes % (2 * (escapes + 1)) === escapes) return { start, end: end - escapes }
  }
  return { start, end: lineEnd(text, start) }
}

/** A piece of a text; none where it is empty. */
export function filled(span: Span): readonly Span[] {
  return span.end > span.start ? [span] : []
}
