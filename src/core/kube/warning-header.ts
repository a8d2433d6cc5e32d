/** One warning value: a code, who warns, and a quoted text (RFC 9110 section 5.6.4); a date may follow. */
const WARNING = /\b\d{3} \S+ "((?:[^"\\]|\\[^])*)"/g

/** The texts of a Warning header (RFC 9111 section 5.5), also of several that were joined by commas. */
export function parseWarnings(header: string | undefined): readonly string[] {
  return [...(header ?? '').matchAll(WARNING)].map(([, text = '']) => utf8(text.replaceAll(/\\([^])/g, '$1')))
}

/** Headers are bytes, which Node reads as Latin-1; Go and we write UTF-8. */
function utf8(text: string): string {
  // oxlint-disable-next-line no-control-regex -- what Latin-1 has no byte for was decoded already
  if (/[^\u0000-\u00ff]/.test(text)) return text
  const bytes = Buffer.from(text, 'latin1')
  const decoded = bytes.toString('utf8')
  return decoded.includes('\ufffd') ? text : decoded
}
