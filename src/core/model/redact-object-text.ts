import { judgeName } from './redact-object-names.ts'
import { hasLongRun, isRedacted, isReference, type Mark, redactForms } from './redact-object-values.ts'

/** By what credentials are known in a text, besides their form. */
export interface TextRules {
  /** Long runs that only randomness writes are credentials. */
  readonly random: boolean
  /** What a name of a credential is given is one. */
  readonly names: boolean
}

/** Where a value stands in a text. */
interface Span {
  readonly start: number
  readonly end: number
}

/** Every name of a credential holds one of these. */
const STEM =
  /pass|pwd|secret|token|key|cred|auth|dsn|conn(?:ection)?[-_.]?str|sig(?==)|(?<=[-_.])pat(?![a-z])|jwt|jwk|(?<![a-z])otp|mnemonic|cookie|bearer|netrc|docker-?c/gi

/** What can hold a credential at all; everything else is not looked at again. */
const SUSPICIOUS =
  /pass|pwd|secret|token|key|cred|auth|dsn|conn(?:ection)?[-_.]?str|sig(?==)|(?<=[-_.])pat(?![a-z])|jwt|jwk|(?<![a-z])otp|mnemonic|cookie|bearer|basic|netrc|docker-?c|@|eyJ|A3T|AKIA|ASIA|ABIA|ACCA|gh[pousr]_|github_|gl(?:pat|ptt|dt|rt|cbt|ft|soat|agent|oas)-|xox|xapp|hooks\.|webhooks|[rs]k_|whsec|AIza|ya29|GOCSPX|npm_|pypi-|dckr_|SG\.|hv[sbr]\.|sk-|glsa_|glc_|do[opr]_v1|AGE-|atlasv1|SK[0-9a-f]{32}/i

const NAME_CHARACTER = /[\w.-]/
/** How often a text is gone over until nothing more is found in it. */
const MAX_PASSES = 4

/**
 * The text with every credential gone that it holds: only the credential's own part of a line, so that what else changed
 * in it is still seen. Gone over again until nothing more is found, so that a second time finds nothing.
 */
export function redactText(text: string, mark: Mark, { random, names }: TextRules): string {
  if (isInnocent(text, random)) return text
  // A manifest of a Secret in a text: all of its values are values of a Secret.
  if (/\bkind["']?\s*:\s*["']?Secret\b/.test(text) && /data["']?\s*:/i.test(text)) return mark(text)
  let before = text
  for (let pass = 0; pass < MAX_PASSES; pass++) {
    const after = redactForms(names ? redactAssigned(before, mark) : before, mark, random)
    if (after === before) return after
    before = after
  }
  return mark(text)
}

function isInnocent(text: string, random: boolean): boolean {
  // A short word is neither a known form nor does it give a name a value.
  if (text.length < 20 && !/[\s=:>@]/.test(text)) return true
  return !(random && text.length >= 40 && hasLongRun(text)) && !SUSPICIOUS.test(text)
}

/** Takes out what is given to a name that is a credential's: in YAML, JSON, properties, XML, queries and flags. */
function redactAssigned(text: string, mark: Mark): string {
  const stem = new RegExp(STEM)
  let result = ''
  let copied = 0
  for (let hit = stem.exec(text); hit; hit = stem.exec(text)) {
    let start = hit.index
    while (start > copied && NAME_CHARACTER.test(text.charAt(start - 1))) start -= 1
    let end = hit.index + hit[0].length
    while (end < text.length && NAME_CHARACTER.test(text.charAt(end))) end += 1
    stem.lastIndex = end
    const name = text.slice(start, end)
    if (judgeName(name) !== 'credential') continue
    for (const span of assignedTo(text, { start, end })) {
      const value = text.slice(span.start, span.end)
      if (span.start < copied || isRedacted(value) || isReference(value) || isPlace(value)) continue
      result += text.slice(copied, span.start) + mark(value)
      copied = span.end
      stem.lastIndex = Math.max(stem.lastIndex, copied)
    }
  }
  return copied === 0 ? text : result + text.slice(copied)
}

/** Where a secret is mounted is no secret. */
function isPlace(value: string): boolean {
  return /^\/(?:etc|var|run|mnt|opt|home|secrets?|tmp|srv|usr|vault|data|app|config|certs?|keys|root|ssl|tls|credentials)\/[\w./-]*$/.test(
    value,
  )
}

/** What stands before a name is looked at so far. */
const MAX_BEFORE = 300
/** So far the end of a text in quotes is looked for; where there is none, it is the line's. */
const MAX_QUOTED = 16 * 1024

const QUOTE = /\\*["'`]/y
/** Where a value without quotes ends: in braces, and in a line that holds more than it. */
const IN_FLOW = /[,}\]\r\n]/g
const IN_LINE = /[\s"'`)}\]<>|]|[,;&](?=\s{0,8}[\w.-]{1,128}=|\s|$)|\\[nrt"]/g
/** What may stand before the first name of a line: a comment, an item, the word that makes a variable. */
const FIRST = /^[ \t]*(?:[-#;*/]{1,8}[ \t]+)?(?:(?:export|set|setenv|env|ENV|ARG|declare|local)[ \t]+)?["']?$/
const SEPARATOR = /[ \t]*(?:=>|:=|={1,3}|:)[ \t]*/y
/** `{name: PASSWORD, value: x}` in YAML, JSON and XML. */
const PAIR = /[ \t]*,?\s{0,64}(?:\\*["'])?value(?:\\*["'])?[ \t]*[:=][ \t]*/y

/** The values that a name is given, if it is given any. */
function assignedTo(text: string, name: Span): readonly Span[] {
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

function quoteBefore(text: string, at: number): string {
  if (!/["'`]/.test(text.charAt(at - 1))) return ''
  let start = at - 1
  while (text[start - 1] === '\\') start -= 1
  return text.slice(start, at)
}

function sticky(pattern: RegExp, text: string, at: number): string {
  pattern.lastIndex = at
  return pattern.exec(text)?.[0] ?? ''
}

/** `--password x`, `requirepass x`, a line of two words, and netrc's `password x` after `login y`. */
function takesNextWord(text: string, { start, end }: Span): boolean {
  if (text[start] === '-') return true
  const before = lineBefore(text, start)
  if (before === undefined) return false
  if (/\blogin[ \t]+\S+[ \t]+$/.test(before)) return true
  return before.trim() === '' && sticky(/[ \t]+\S+[ \t]*(?=\r?\n|$)/y, text, end) !== ''
}

/** What stands before a place in its line; undefined where that is much. */
function lineBefore(text: string, at: number): string | undefined {
  const before = text.slice(Math.max(0, at - MAX_BEFORE), at)
  const line = before.slice(before.lastIndexOf('\n') + 1)
  return line.length === MAX_BEFORE ? undefined : line
}

/** Where the line ends that a place stands in, without what ends it. */
function lineEnd(text: string, at: number): number {
  const end = text.indexOf('\n', at)
  if (end < 0) return text.length
  return end > at && text[end - 1] === '\r' ? end - 1 : end
}

/** Where the line behind begins; the text's end where there is none. */
function nextLine(text: string, at: number): number {
  const end = text.indexOf('\n', at)
  return end < 0 ? text.length : end + 1
}

function words(text: string, at: number): readonly Span[] {
  if (text[at] === '-') return []
  const quoted = quotedAt(text, at)
  return quoted ? [quoted] : until(text, at, /[\s"'`;|&)]/g)
}

/** From a place to where a pattern fits, the end of the line at the latest. */
function until(text: string, at: number, stop: RegExp): readonly Span[] {
  stop.lastIndex = at
  const found = stop.exec(text)
  return spanned(text, at, found ? found.index : text.length)
}

function spanned(text: string, start: number, end: number): readonly Span[] {
  const value = text.slice(start, end).trimEnd()
  return value === '' ? [] : [{ start, end: start + value.length }]
}

/** The value of a quoted text, also where the quotes themselves are escaped. */
function quotedAt(text: string, at: number): Span | undefined {
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

/** What follows an equals sign, or a colon on the same line. */
function valueAt(text: string, at: number, name: Span, quotedName: boolean): readonly Span[] {
  const quoted = quotedAt(text, at)
  if (quoted) return [quoted]
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
  if (quoted) return [quoted]
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
    found.push(...(quoted ? [quoted] : spanned(text, start, lineEnd(text, start))))
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
      found.push(quoted)
      next = quoted.end + 1
      continue
    }
    const word = sticky(/[^\s,[\]{}"'`]+/y, text, next)
    if (word === '') return found
    found.push({ start: next, end: next + word.length })
    next += word.length
  }
}
