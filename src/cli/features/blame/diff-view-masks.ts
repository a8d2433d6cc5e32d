import { REDACTED } from '../../../core/model/redact-object.ts'
import type { DiffLine } from './diff-view-hunk.ts'

const MARK = new RegExp(`${REDACTED}[0-9a-f]{16}`, 'g')

/**
 * Lines with `***` in place of what was redacted; `*** (before)` and `*** (after)` where a value that is redacted became
 * another one, which its keyed hash tells.
 */
export function maskedLines(lines: readonly DiffLine[]): readonly DiffLine[] {
  const marksOf = (mark: '-' | '+'): ReadonlySet<string> =>
    new Set(lines.flatMap((line) => (line.mark === mark ? (line.text.match(MARK) ?? []) : [])))
  const [before, after] = [marksOf('-'), marksOf('+')]
  if (before.size === 0 && after.size === 0 && !lines.some(({ text }) => text.includes(REDACTED)))
    return lines
  const masked = (found: string, { mark }: DiffLine): string => {
    if (mark === '-' && after.size > 0 && !after.has(found)) return '*** (before)'
    return mark === '+' && before.size > 0 && !before.has(found) ? '*** (after)' : '***'
  }
  return lines.map((line) => ({ ...line, text: line.text.replace(MARK, (found) => masked(found, line)) }))
}
