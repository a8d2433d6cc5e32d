/** Quoted text and the position behind its closing quote, or why it is wrong and where. */
export type QuotedText =
  { readonly text: string; readonly end: number } | { readonly fault: string; readonly position: number }

const SIMPLE_ESCAPES: Readonly<Record<string, string>> = {
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  '\\': '\\',
  "'": "'",
  '"': '"',
}

/** Code points in hexadecimal or octal, as in Go's string literals. */
const NUMBERED_ESCAPE = /\\(?:x([\da-fA-F]{2})|u([\da-fA-F]{4})|U([\da-fA-F]{8})|([0-7]{3}))/y

/** Reads text in single or double quotes from its opening quote on, with the escapes of Go's string literals. */
export function readQuoted(source: string, start: number, end: number): QuotedText {
  const quote = source.charAt(start)
  let text = ''
  let position = start + 1
  while (position < end) {
    const character = source.charAt(position)
    if (character === quote) return { text, end: position + 1 }
    if (character === '\n') break
    if (character !== '\\') {
      text += character
      position += 1
      continue
    }
    const simple = SIMPLE_ESCAPES[source.charAt(position + 1)]
    if (simple !== undefined) {
      text += simple
      position += 2
      continue
    }
    NUMBERED_ESCAPE.lastIndex = position
    const [escape, byte, unit, point, octal] = NUMBERED_ESCAPE.exec(source) ?? []
    const code =
      octal === undefined ? Number.parseInt(byte ?? unit ?? point ?? '', 16) : Number.parseInt(octal, 8)
    if (escape === undefined || code > 0x10_ff_ff) return { fault: 'this escape is not known', position }
    text += String.fromCodePoint(code)
    position += escape.length
  }
  return { fault: `the text is not closed with ${quote}`, position: start }
}
