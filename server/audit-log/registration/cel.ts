/** A text as a literal of CEL, which knows the escapes of JSON. */
export function celText(text: string): string {
  return JSON.stringify(text)
}

/** An expression that is true where a text expression equals one of the patterns, in which `*` stands for any text. */
export function celMatches(text: string, patterns: readonly string[]): string {
  const exact = patterns.filter((pattern) => !pattern.includes('*'))
  const globs = patterns.filter((pattern) => pattern.includes('*'))
  const terms = [
    ...(exact.length === 0 ? [] : [`${text} in [${exact.map(celText).join(', ')}]`]),
    ...globs.map((glob) => celGlob(text, glob)),
  ]
  return terms.length === 0 ? 'false' : terms.join(' || ')
}

/** Without a regular expression where it can be: those cost the most. */
function celGlob(text: string, glob: string): string {
  const [head = '', tail = '', ...more] = glob.split('*')
  if (more.length === 0 && tail === '') return head === '' ? 'true' : `${text}.startsWith(${celText(head)})`
  if (more.length === 0 && head === '') return `${text}.endsWith(${celText(tail)})`
  const parts = glob.split('*').map((part) => part.replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&'))
  return `${text}.matches(${celText(`^(?s:${parts.join('.*')})$`)})`
}
