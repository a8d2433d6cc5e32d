import { formatCount } from './bytes.ts'

/** One emoji as Unicode Technical Standard 51 composes it: modifiers, variation selector, zero-width joiners. */
const EMOJI =
  '[\\u{1f1e6}-\\u{1f1ff}]{2}|\\p{Extended_Pictographic}(?:\\ufe0f|\\p{Emoji_Modifier})?(?:\\u200d\\p{Extended_Pictographic}(?:\\ufe0f|\\p{Emoji_Modifier})?)*'

/** Controls, line separators, lone surrogates, and everything that has no glyph: bidi overrides, fillers, tags. */
const UNSEEN = '[\\p{Cc}\\p{Cf}\\p{Cs}\\p{Zl}\\p{Zp}\\p{Default_Ignorable_Code_Point}]'

/** East_Asian_Width W and F of Unicode 15.1; holes between blocks are unassigned, emoji are known by their property. */
const WIDE =
  '[\\u1100-\\u115f\\u2329\\u232a\\u2e80-\\u303e\\u3041-\\u3247\\u3250-\\u4dbf\\u4e00-\\ua4c6\\ua960-\\ua97c\\uac00-\\ud7a3\\uf900-\\ufaff\\ufe10-\\ufe19\\ufe30-\\ufe6b\\uff01-\\uff60\\uffe0-\\uffe6\\u{16fe0}-\\u{1b2fb}\\u{1f200}-\\u{1f251}\\u{20000}-\\u{3fffd}]|(?![\\u{1f1e6}-\\u{1f1ff}])\\p{Emoji_Presentation}'

/** Marks that sit on the character before them, and the Hangul vowels and finals that join the syllable. */
const WIDTHLESS = '[\\p{Mn}\\p{Me}\\u1160-\\u11ff]'

const PLAIN = /^[\x20-\x7e]*$/
const EMOJI_OR_UNSEEN = new RegExp(`${EMOJI}|${UNSEEN}`, 'gu')
const ONE_UNSEEN = new RegExp(`^${UNSEEN}$`, 'u')
const CELLS = new RegExp(`(${EMOJI})|(${WIDTHLESS}|${UNSEEN})|[^]`, 'gu')
const STARTS_WIDE = new RegExp(`^(?:${WIDE})`, 'u')

const SHORT_ESCAPES: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' }

function escapeOne(character: string): string {
  const short = SHORT_ESCAPES[character]
  if (short !== undefined) return short
  const code = character.codePointAt(0) ?? 0
  if (code <= 0xff) return `\\x${code.toString(16).padStart(2, '0')}`
  return code <= 0xffff ? `\\u${code.toString(16).padStart(4, '0')}` : `\\u{${code.toString(16)}}`
}

/** Whether the string is printable ASCII only, so that its length is its width and nothing needs escaping. */
export function isPlain(text: string): boolean {
  return PLAIN.test(text)
}

/** Replaces every control, bidi override, line separator and invisible character; emoji stay whole. */
export function replaceUnseen(text: string, replacement: (character: string) => string): string {
  return text.replace(EMOJI_OR_UNSEEN, (found) => (ONE_UNSEEN.test(found) ? replacement(found) : found))
}

/**
 * Text from a cluster made safe for one line of a terminal: every control, escape sequence, bidi override, line
 * separator and invisible character becomes an escape such as `\x1b` or `\u202e`; all else stays. Not reversible.
 */
export function visible(text: string): string {
  return isPlain(text) ? text : replaceUnseen(text, escapeOne)
}

/** As `visible`, for text of several lines: line feeds and tabs stay. */
export function visibleLines(text: string): string {
  return isPlain(text)
    ? text
    : replaceUnseen(text, (found) => (/[\n\t]/.test(found) ? found : escapeOne(found)))
}

/** How many cells of a terminal the text takes: East Asian wide characters and emoji two, combining marks none. */
export function displayWidth(text: string): number {
  if (isPlain(text)) return text.length
  let width = 0
  for (const [found, emoji, widthless] of text.matchAll(CELLS)) {
    if (widthless !== undefined) continue
    // A pictograph such as ☎ takes one cell in its text form and two when a selector or a joiner makes it an emoji.
    const composed = emoji !== undefined && [...emoji].length > 1
    width += composed || STARTS_WIDE.test(found) ? 2 : 1
  }
  return width
}

/** One character as a terminal places it, an emoji in whole, and the cells that it takes. */
export interface Glyph {
  readonly text: string
  /** None where it sits on the character before it. */
  readonly width: number
}

/** The characters of a text as a terminal places them. */
export function* glyphs(text: string): Generator<Glyph, void> {
  for (const [found] of text.matchAll(CELLS)) yield { text: found, width: displayWidth(found) }
}

/** At most `width` cells of the text, ending in `…` where something was cut; for progress lines, never for results. */
export function truncate(text: string, width: number): string {
  if (displayWidth(text) <= width) return text
  let kept = ''
  let used = 0
  for (const glyph of glyphs(text)) {
    if (used + glyph.width > width - 1) break
    kept += glyph.text
    used += glyph.width
  }
  return width > 0 ? `${kept}…` : ''
}

/** A count with its noun: `1 pod`, `4 images`, `2 registries`, `10,000 pods`. */
export function plural(count: number, noun: string): string {
  return `${formatCount(count)} ${count === 1 ? noun : pluralForm(noun)}`
}

function pluralForm(noun: string): string {
  if (/[^aeiou]y$/.test(noun)) return `${noun.slice(0, -1)}ies`
  return /(?:s|x|z|ch|sh)$/.test(noun) ? `${noun}es` : `${noun}s`
}
