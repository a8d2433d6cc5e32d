import type { LineHunk } from '../../../core/wire/change.ts'
import type { DiffLine } from './diff-view-hunk.ts'

const CONTEXT = 3

/** Some lines of a unified diff that stand together. */
export interface UnifiedPart {
  readonly lines: readonly DiffLine[]
  /** Where the first line that is not the same in both stands in each text, from 0. */
  readonly firstChange: { readonly before: number; readonly after: number }
}

/** A text's differences to another with three lines of context; parts whose contexts meet are one. */
export function unifiedLines(before: readonly string[], hunks: readonly LineHunk[]): UnifiedPart[] {
  const parts: { readonly lines: DiffLine[]; readonly firstChange: UnifiedPart['firstChange'] }[] = []
  let [done, shift] = [0, 0]
  const same = (from: number, to: number): DiffLine[] =>
    before.slice(from, to).map((text) => ({ mark: ' ', text }))
  for (const { line, from, to } of hunks) {
    const start = line - 1
    let part = parts.at(-1)
    if (part && start - done <= 2 * CONTEXT) {
      part.lines.push(...same(done, start))
    } else {
      part?.lines.push(...same(done, done + CONTEXT))
      part = {
        lines: same(Math.max(done, start - CONTEXT), start),
        firstChange: { before: start, after: start + shift },
      }
      parts.push(part)
    }
    part.lines.push(
      ...from.map((text) => ({ mark: '-' as const, text })),
      ...to.map((text) => ({ mark: '+' as const, text })),
    )
    done = start + from.length
    shift += to.length - from.length
  }
  parts.at(-1)?.lines.push(...same(done, done + CONTEXT))
  return parts
}
