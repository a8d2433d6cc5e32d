import { isPlain, replaceUnseen } from './text.ts'

/** What YAML 1.1 or 1.2 reads as something else than text: null, booleans, the merge key, numbers, times of day, dates. */
const NOT_TEXT = new RegExp(
  `^(?:${[
    '|~|null|Null|NULL|<<|=',
    'y|Y|n|N|yes|Yes|YES|no|No|NO|on|On|ON|off|Off|OFF|true|True|TRUE|false|False|FALSE',
    '[-+]?(?:0b[01_]+|0o?[0-7_]+|0x[\\da-fA-F_]+)',
    '[-+]?(?:\\d[\\d_]*(?:\\.[\\d_]*)?|\\.[\\d_]*)(?:[eE][-+]?\\d*)?',
    '[-+]?\\d[\\d_]*(?::[0-5]?\\d)+(?:\\.[\\d_]*)?',
    '[-+]?\\.(?:inf|Inf|INF)|\\.(?:nan|NaN|NAN)',
    '\\d{4}-\\d\\d?-\\d\\d?(?:[Tt\\s].*)?',
  ].join('|')})$`,
)

/** What needs no quotes in block style: no indicator at its head, no colon or hash that ends it, no blank at an edge. */
const PLAIN = /^(?![\s?:,[\]{}#&*!|>'"%@`]|-\s|-$|---|\.\.\.)(?!.*(?::\s|:$|\s#))(?:.*\S)$/s

/** YAML forbids these even in quotes. */
const NONCHARACTER = /[\ufffe\uffff]/g

/**
 * A scalar as YAML on one line, safe for a terminal, in the style of kubectl: plain where it reads as the same text in
 * YAML 1.1 and 1.2, else in quotes; invisible characters as escapes.
 */
export function yamlScalar(value: string | number | boolean | null): string {
  if (typeof value === 'number') return yamlNumber(value)
  if (typeof value !== 'string') return String(value)
  if (NOT_TEXT.test(value) || !isPrintable(value)) return doubleQuoted(value)
  return PLAIN.test(value) ? value : `'${value.replaceAll("'", "''")}'`
}

/** A text of several lines as a literal block: its header (`|-`), and its lines without indentation. */
export interface YamlBlock {
  readonly header: string
  readonly lines: readonly string[]
}

/**
 * The literal block of a text that has line feeds and is readable as such; undefined for all other text. Its lines
 * must be indented by two blanks more than the key or the dash before it.
 */
export function yamlBlock(text: string): YamlBlock | undefined {
  if (!text.includes('\n') || !isPrintable(text.replace(/[\n\t]/g, ''))) return undefined
  // Readers differ in whether blanks at the very end belong to the text.
  if (!/\S/.test(text) || /\n[ \t]+\n*$/.test(text)) return undefined
  const ended = text.endsWith('\n')
  const chomping = !ended ? '-' : text.endsWith('\n\n') ? '+' : ''
  // A reader takes the indentation from the first line, unless it is told.
  const indentation = /^\s/.test(text) ? '2' : ''
  return {
    header: `|${indentation}${chomping}`,
    lines: (ended ? text.slice(0, -1) : text).split('\n'),
  }
}

function yamlNumber(value: number): string {
  const text = String(value)
  // YAML 1.1 knows no float without a point: 1e+21.
  return /^-?\d+e/.test(text) ? text.replace('e', '.0e') : text
}

function isPrintable(text: string): boolean {
  return escapeUnseen(text) === text
}

/** JSON's escapes are YAML's too, but for surrogate pairs. */
function doubleQuoted(text: string): string {
  return escapeUnseen(JSON.stringify(text))
}

function escapeUnseen(text: string): string {
  // The first use of patterns by Unicode property takes a millisecond.
  if (isPlain(text)) return text
  return replaceUnseen(text, escapeOne).replace(NONCHARACTER, escapeOne)
}

function escapeOne(character: string): string {
  const code = (character.codePointAt(0) ?? 0).toString(16)
  return character.length === 1 ? `\\u${code.padStart(4, '0')}` : `\\U${code.padStart(8, '0')}`
}

/**
 * The order of keys in kubectl's YAML (go-yaml v2, sorter.go): what is no letter before letters, numbers in names by
 * their value, so that `a2` comes before `a10`.
 */
export function compareYamlKeys(a: string, b: string): number {
  const length = Math.min(a.length, b.length)
  let i = 0
  while (i < length && a.charCodeAt(i) === b.charCodeAt(i)) i++
  if (i === length) return a.length - b.length
  // Back to the first half of a surrogate pair.
  if (i > 0 && isLowSurrogate(a.charCodeAt(i)) && isLowSurrogate(b.charCodeAt(i))) i--
  const [x, y] = [a.codePointAt(i) ?? 0, b.codePointAt(i) ?? 0]
  const [xLetter, yLetter] = [isLetter(x), isLetter(y)]
  if (xLetter !== yLetter) return yLetter ? -1 : 1
  return (xLetter ? 0 : compareNumbers(a, b, i)) || x - y
}

function compareNumbers(a: string, b: string, at: number): number {
  // Within a number a zero counts: 10 against 11 differ in the second place only.
  const isZero = a[at] === '0' || b[at] === '0'
  const start = isZero && /[1-9]\d*$/.test(a.slice(0, at)) ? '1' : ''
  const [x, y] = [digitsFrom(a, at), digitsFrom(b, at)]
  return Number(start + x) - Number(start + y) || x.length - y.length
}

function digitsFrom(text: string, at: number): string {
  return /^\d*/.exec(text.slice(at))?.[0] ?? ''
}

function isLetter(codePoint: number): boolean {
  if (codePoint < 0x80) return (codePoint | 0x20) >= 0x61 && (codePoint | 0x20) <= 0x7a
  return /^\p{L}$/u.test(String.fromCodePoint(codePoint))
}

function isLowSurrogate(unit: number): boolean {
  return unit >= 0xdc00 && unit <= 0xdfff
}
