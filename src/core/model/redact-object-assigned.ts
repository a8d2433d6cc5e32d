import {
  filled,
  lineBefore,
  lineEnd,
  nextLine,
  QUOTE,
  quoteBefore,
  quotedAt,
  type Span,
  spanned,
  sticky,
  until,
} from './redact-object-spans.ts'

/** Where a value without quotes ends: in braces, and in a line that holds more than it. */
const IN_FLOW = /[,}\]\r\n]/g
const IN_LINE = /[\s"'`)}\]<>|]|[,;&](?=\s{0,8}[\w.-]{1,128}=|\s|$)|\\[nrt"]/g
/** What may stand before the first name of a line: a comment, an item, the word that makes a variable. */
const FIRST = /^[ \t]*(?:[-#;*/]{1,8}[ \t]+)?(?:(?:export|set|setenv|env|ENV|ARG|declare|local)[ \t]+)?["']?$/
const SEPARATOR = /[ \t]*(?:=>|:=|={1,3}|:)[ \t]*/y
/** `{name: PASSWORD, value: x}` in YAML, JSON and XML. */
const PAIR = /[ \t]*,?\s{0,64}(?:\\*["'])?value(?:\\*["'])?[ \t]*[:=][ \t]*/y

/** Where the values stand that a name is given; none where it is given none. */
export function assignedTo(text: string, name: Span): readonly Span[] {
  const opened = quoteBefore(text, name.start)
  const isQuoted = opened !== '' && sticky(QUOTE, text, name.end) === opened
  const found = valuesOf(text, name, isQuoted ? opened : '')
  if (opened === '' || isQuoted || found.length === 0) return found
  // The name is the beginning of a longer text in quotes: `"DB_PASSWORD=x y"`.
  const end = quotedAt(text, name.start - opened.length)?.end ?? text.length
  return found.flatMap((span) =>
    span.start < end ? [{ start: span.start, end: Math.min(span.end, end) }] : [],
  )
}

function valuesOf(text: string, name: Span, quote: string): readonly Span[] {
  const at = name.end + quote.length
  const pair = sticky(PAIR, text, at)
  if (pair !== '') return pairedValue(text, at, pair)
  if (text[name.start - 1] === '<' && text[at] === '>') return until(text, at + 1, /</g)
  const separator = sticky(SEPARATOR, text, at)
  if (separator !== '') {
    // `registry/token:1.2` is an image, `secret:8080` a host.
    const isGlued = quote === '' && separator === ':'
    if (isGlued && /[/@]/.test(text.charAt(name.start - 1))) return []
    if (isGlued && sticky(/v?\d[\w.]{0,16}(?![\w.])/y, text, at + 1) !== '') return []
    const isMapped = separator.includes(':') && !separator.includes('=')
    return (isMapped ? mapped : valueAt)(text, at + separator.length, name, quote !== '')
  }
  const gap = sticky(/[ \t]+/y, text, at)
  return gap !== '' && takesNextWord(text, name) ? words(text, at + gap.length) : []
}

function pairedValue(text: string, at: number, pair: string): readonly Span[] {
  const start = at + pair.indexOf('value')
  const isQuoted = quoteBefore(text, start) !== ''
  return (pair.includes(':') ? mapped : valueAt)(text, at + pair.length, { start, end: start }, isQuoted)
}

/** `--password x`, `requirepass x`, a line of two words, and netrc's `password x` after `login y`. */
function takesNextWord(text: string, { start, end }: Span): boolean {
  if (text[start] === '-') return true
  const before = lineBefore(text, start)
  if (before === undefined) return false
  if (/\blogin[ \t]+\S+[ \t]+$/.test(before)) return true
  return before.trim() === '' && sticky(/[ \t]+\S+[ \t]*(?=\r?\n|$)/y, text, end) !== ''
}

function words(text: string, at: number): readonly Span[] {
  if (text[at] === '-') return []
  const quoted = quotedAt(text, at)
  return quoted ? filled(quoted) : until(text, at, /[\s"'`;|&)]/g)
}

/** What follows an equals sign, or a colon on the same line. */
function valueAt(text: string, at: number, name: Span, quotedName: boolean): readonly Span[] {
  const quoted = quotedAt(text, at)
  if (quoted) return filled(quoted)
  if (quotedName || inFlow(text, name.start)) return until(text, at, IN_FLOW)
  if (isFirst(text, name.start)) return spanned(text, at, continued(text, at))
  return until(text, at, IN_LINE)
}

/** Where the line ends, or those that it goes on with after a backslash. */
function continued(text: string, at: number): number {
  let end = lineEnd(text, at)
  while (text[end - 1] === '\\' && end > at && end < text.length)
    end = lineEnd(text, text.indexOf('\n', end) + 1)
  return end
}

/** Whether a name stands in braces: what follows ends with a comma. */
function inFlow(text: string, start: number): boolean {
  const before = text.slice(Math.max(0, start - 32), start).trimEnd()
  return /[{,]$/.test(before)
}

/** Whether a name is the first thing of its line but for what marks a comment, an item or a variable. */
function isFirst(text: string, start: number): boolean {
  const before = lineBefore(text, start)
  return before !== undefined && FIRST.test(before)
}

/** What follows the colon of YAML or JSON: also a block of lines, lines that go on, or a list. */
function mapped(text: string, at: number, name: Span, quotedName: boolean): readonly Span[] {
  const start = at + sticky(/(?:[!&][^\s,[\]{}]*[ \t]+)+/y, text, at).length
  const quoted = quotedAt(text, start)
  if (quoted) return filled(quoted)
  const header = sticky(/(?:[|>][-+0-9]*[ \t]*)?(?:#.*)?(?=\r?\n|$)/y, text, start)
  const end = start + header.length
  if (/^[|>]/.test(header)) return block(text, nextLine(text, end), indentOf(text, name.start))
  if (end === text.length || /[\r\n]/.test(text.charAt(end))) {
    return items(text, nextLine(text, end), indentOf(text, name.start))
  }
  if (text[start] === '[') return flowItems(text, start)
  if (text[start] === '{') return []
  if (quotedName || inFlow(text, name.start)) return until(text, start, IN_FLOW)
  const line = spanned(text, start, lineEnd(text, start))
  if (!isFirst(text, name.start)) return line
  const [more] = block(text, nextLine(text, start), indentOf(text, name.start))
  return more ? [{ start, end: more.end }] : line
}

/** How far the line's first word is from its beginning; the dash of an item counts as indentation. */
function indentOf(text: string, at: number): number {
  return /^[ \t]*(?:-[ \t]+)*/.exec(lineBefore(text, at) ?? '')?.[0].length ?? 0
}

/** The lines from `at` that are indented more. */
function block(text: string, at: number, indent: number): readonly Span[] {
  let end = at
  let first = -1
  for (let next = at; next < text.length;) {
    const stop = lineEnd(text, next)
    const own = sticky(/[ \t]*/y, text, next).length
    if (next + own < stop) {
      if (own <= indent) break
      if (first < 0) first = next + own
      end = stop
    }
    next = nextLine(text, stop)
  }
  return first < 0 ? [] : spanned(text, first, end)
}

/** The items of a list in the lines below: each is a value. */
function items(text: string, at: number, indent: number): readonly Span[] {
  const found: Span[] = []
  for (let next = at; next < text.length;) {
    const dash = sticky(/[ \t]*-[ \t]+/y, text, next)
    const start = next + dash.length
    // A list of maps names its values itself.
    if (
      dash === '' ||
      dash.indexOf('-') < indent - 2 ||
      sticky(/[\w.-]{1,200}:(?=\s|$)/y, text, start) !== ''
    )
      break
    const quoted = quotedAt(text, start)
    found.push(...(quoted ? filled(quoted) : spanned(text, start, lineEnd(text, start))))
    next = nextLine(text, quoted?.end ?? start)
  }
  return found
}

function flowItems(text: string, at: number): readonly Span[] {
  const found: Span[] = []
  for (let next = at + 1; ;) {
    next += sticky(/[\s,]*/y, text, next).length
    const quoted = quotedAt(text, next)
    if (quoted) {
      found.push(...filled(quoted))
      next = quoted.end + 1
      continue
    }
    const word = sticky(/[^\s,[\]{}"'`]+/y, text, next)
    if (word === '') return found
    found.push({ start: next, end: next + word.length })
    next += word.length
  }
}
