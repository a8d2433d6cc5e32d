import type { LineHunk } from '../wire/change.ts'

/** The text after its hunks; undefined where a hunk does not fit. */
export function applyLines(text: string, hunks: readonly LineHunk[]): string | undefined {
  const lines = text.split('\n')
  const result: string[] = []
  let next = 0
  for (const { line, from, to } of hunks) {
    const start = line - 1
    if (start < next || start + from.length > lines.length) return undefined
    if (from.some((expected, i) => lines[start + i] !== expected)) return undefined
    result.push(...lines.slice(next, start), ...to)
    next = start + from.length
  }
  return [...result, ...lines.slice(next)].join('\n')
}

/** The hunks that lead back. */
export function invertLines(hunks: readonly LineHunk[]): LineHunk[] {
  let shift = 0
  return hunks.map(({ line, from, to }) => {
    const inverted = { line: line + shift, from: to, to: from }
    shift += to.length - from.length
    return inverted
  })
}
