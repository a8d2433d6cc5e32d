import { judgeName } from './redact-object-names.ts'
import { isRedacted, isReference, type Mark, redactForms } from './redact-object-values.ts'

/** Where a value stands in a text. */
interface Span {
  readonly start: number
  readonly end: number
}

/** Every name of a credential holds one of these. */
const STEM =
  /pass|pwd|secret|token|key|cred|auth|dsn|conn|sig|pat|jwt|jwk|otp|mnemonic|cookie|bearer|netrc|docker/gi

/** What can hold a credential at all; everything else is not looked at again. */
const SUSPICIOUS =
  /pass|pwd|secret|token|key|cred|auth|dsn|conn|sig|pat|jwt|jwk|otp|mnemonic|cookie|bearer|basic|netrc|docker|:\/\/|@|eyJ|A3T|AKIA|ASIA|ABIA|ACCA|gh[pousr]_|github_|gl(?:pat|ptt|dt|rt|cbt|ft|soat|agent|oas)-|xox|xapp|hooks\.|webhooks|[rs]k_|whsec|AIza|ya29|GOCSPX|npm_|pypi-|dckr_|SG\.|hv[sbr]\.|sk-|glsa_|glc_|do[opr]_v1|AGE-|atlasv1|SK[0-9a-f]{32}/i

const NAME_CHARACTER = /[\w.-]/
/** How often a text is gone over until nothing more is found in it. */
const MAX_PASSES = 4

/**
 * The text with every credential gone that it holds: only the credential's own part of a line, so that what else changed
 * in it is still seen. Gone over again until nothing more is found, so that a second time finds nothing.
 */
export function redactText(text: string, mark: Mark, random: boolean): string {
  if (text.length < 6 || !isSuspicious(text) || isRedacted(text)) return text
  // A manifest of a Secret in a text: all of its values are values of a Secret.
  if (/\bkind["']?\s*:\s*["']?Secret\b/.test(text) && /data["']?\s*:/i.test(text)) return mark(text)
  let before = text
  for (let pass = 0; pass < MAX_PASSES; pass++) {
    const after = redactForms(redactAssigned(before, mark), mark, random)
    if (after === before) return after
    before = after
  }
  return mark(text)
}

function isSuspicious(text: string): boolean {
  return SUSPICIOUS.test(text) || text.length >= 40
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

const QUOTE = /\\*["'`]/y
const SEPARATOR = /[ \t]*(?:=>|:=|={1,3}|:)[ \t]*/y
/** `{name: PASSWORD, value: x}` in YAML, JSON and XML. */
const PAIR = /[ \t]*,?\s{0,64}(?:\\*["'])?value(?:\\*["'])?[ \t]*[:=][ \t]*/y

/** The values that a name is given, if it is given any. */
function assignedTo(text: string, name: Span): readonly Span[] {
  const opened = quoteBefore(text, name.start)
  let at = name.end
  const closed = opened === '' ? '' : sticky(QUOTE, text, at)
  if (opened !== '' && closed !== opened) return []
  at += closed.length
  const pair = sticky(PAIR, text, at)
  if (pair !== '') return valueAt(text, at + pair.length, name, opened !== '')
  if (text[name.start - 1] === '<' && text[at] === '>') return until(text, at + 1, '<')
  const separator = sticky(SEPARATOR, text, at)
  if (separator !== '') {
    // `registry/token:1.2` is an image, `secret:8080` a host.
    const glued = opened === '' && separator === ':'
    const before = text.charAt(name.start - opened.length - 1)
    if (glued && (/[/@]/.test(before) || /^v?\d[\w.]{0,16}(?![\w.])/.test(text.slice(at + 1, at + 20))))
      return []
    return separator.includes(':') && !separator.includes('=')
      ? mapped(text, at + separator.length, name, opened !== '')
      : valueAt(text, at + separator.length, name, opened !== '')
  }
  const gap = sticky(/[ \t]+/y, text, at)
  if (gap !== '' && takesNextWord(text, name)) return words(text, at + gap.length)
  return []
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
  const lineStart = text.lastIndexOf('\n', start - 1) + 1
  const before = text.slice(lineStart, start)
  if (/\blogin[ \t]+\S+[ \t]+$/.test(before.slice(-300))) return true
  return before.trim() === '' && /^[ \t]+\S+[ \t]*\r?$/.test(lineAfter(text, end))
}

function lineAfter(text: string, at: number): string {
  const end = text.indexOf('\n', at)
  return text.slice(at, end < 0 ? undefined : end)
}

function words(text: string, at: number): readonly Span[] {
  if (text[at] === '-') return []
  const quoted = quotedAt(text, at)
  if (quoted) return [quoted]
  return until(text, at, /[\s"'`;|&)]/)
}

function until(text: string, at: number, stop: string | RegExp): readonly Span[] {
  const rest = text.slice(at)
  const length = typeof stop === 'string' ? rest.indexOf(stop) : rest.search(stop)
  return [{ start: at, end: length < 0 ? text.length : at + length }]
}

/** The value of a quoted text, also where the quotes themselves are escaped. */
function quotedAt(text: string, at: number): Span | undefined {
  const open = sticky(QUOTE, text, at)
  if (open === '') return undefined
  const quote = open.charAt(open.length - 1)
  const escapes = open.length - 1
  const start = at + open.length
  for (let end = text.indexOf(quote, start); end >= 0; end = text.indexOf(quote, end + 1)) {
    let slashes = 0
    while (end - slashes > start && text[end - slashes - 1] === '\\') slashes += 1
    // At the first level `\\"` ends a text and `\"` does not; at the second `\"` does, and `\\\"` does not.
    if (slashes % (2 * (escapes + 1)) === escapes) return { start, end: end - escapes }
  }
  return { start, end: start + lineAfter(text, start).trimEnd().length }
}

/** What follows an equals sign, or a colon on the same line. */
function valueAt(text: string, at: number, name: Span, quotedName: boolean): readonly Span[] {
  const quoted = quotedAt(text, at)
  if (quoted) return [quoted]
  const line = lineAfter(text, at)
  if (quotedName || inFlow(text, name.start)) return trimmed(text, at, /[,}\]\s]/)
  if (isFirst(text, name.start)) return trimmed(text, at, /\r?$/, continued(text, at, line))
  return trimmed(text, at, /[\s"'`)}\]<>|]|[,;&](?=\s*[\w.-]+=|\s|$)|\\[nrt"]/)
}

function trimmed(text: string, at: number, stop: RegExp, line = lineAfter(text, at)): readonly Span[] {
  const length = line.search(stop)
  const value = (length < 0 ? line : line.slice(0, length)).trimEnd()
  return value === '' ? [] : [{ start: at, end: at + value.length }]
}

/** A line of properties goes on after a backslash. */
function continued(text: string, at: number, line: string): string {
  let whole = line
  while (whole.endsWith('\\') && at + whole.length < text.length) {
    whole += `\n${lineAfter(text, at + whole.length + 1)}`
  }
  return whole
}

/** Whether a name stands in braces: what follows ends with a comma. */
function inFlow(text: string, start: number): boolean {
  const before = text.slice(Math.max(0, start - 32), start).trimEnd()
  return /[{,]$/.test(before)
}

/** Whether a name is the first thing of its line but for what marks a comment, an item or a variable. */
function isFirst(text: string, start: number): boolean {
  const lineStart = text.lastIndexOf('\n', start - 1) + 1
  return /^[ \t]*(?:[-#;*/]+[ \t]+)?(?:(?:export|set|setenv|env|ENV|ARG|declare|local)[ \t]+)?["']?$/.test(
    text.slice(lineStart, start).slice(-200),
  )
}

/** What follows the colon of YAML or JSON: also a block of lines, lines that go on, or a list. */
function mapped(text: string, at: number, name: Span, quotedName: boolean): readonly Span[] {
  const tag = sticky(/(?:[!&][^\s,[\]{}]*[ \t]+)+/y, text, at)
  const start = at + tag.length
  const quoted = quotedAt(text, start)
  if (quoted) return [quoted]
  const line = lineAfter(text, start)
  const indent = indentOf(text, name.start)
  const below = start + line.length + 1
  if (/^[|>][-+0-9]*[ \t]*(?:#.*)?\r?$/.test(line)) return block(text, below, indent)
  if (/^(?:#.*)?\r?$/.test(line)) return items(text, below, indent)
  if (line.startsWith('[')) return flowItems(text, start)
  if (line.startsWith('{')) return []
  if (quotedName || inFlow(text, name.start)) return trimmed(text, start, /[,}\]\s]/)
  const [more] = block(text, below, indent)
  if (more && isFirst(text, name.start)) return [{ start, end: more.end }]
  return trimmed(text, start, /\r?$/)
}

/** How far the line's first word is from its beginning; the dash of an item counts as indentation. */
function indentOf(text: string, at: number): number {
  const lineStart = text.lastIndexOf('\n', at - 1) + 1
  return sticky(/[ \t]*(?:-[ \t]+)*/y, text, lineStart).length
}

/** The lines from `at` that are indented more. */
function block(text: string, at: number, indent: number): readonly Span[] {
  let end = at
  let first = -1
  for (let next = at; next < text.length;) {
    const line = lineAfter(text, next)
    const own = line.search(/\S/)
    if (own >= 0) {
      if (own <= indent) break
      if (first < 0) first = next + own
      end = next + line.trimEnd().length
    }
    next += line.length + 1
  }
  return first < 0 ? [] : [{ start: first, end }]
}

/** The items of a list in the lines below: each is a value. */
function items(text: string, at: number, indent: number): readonly Span[] {
  const found: Span[] = []
  for (let next = at; next < text.length;) {
    const line = lineAfter(text, next)
    const dash = sticky(/[ \t]*-[ \t]+/y, text, next)
    if (dash === '' || dash.search(/-/) < indent - 2) break
    const start = next + dash.length
    if (!/^[\w.-]+:(?:\s|$)/.test(text.slice(start, start + 200))) {
      const quoted = quotedAt(text, start)
      found.push(...(quoted ? [quoted] : trimmed(text, start, /\r?$/)))
    }
    next += line.length + 1
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
