import type { LineHunk } from '../../../core/wire/change.ts'
import { fitsRecorded } from './undo-redacted.ts'

/**
 * A text of several lines after hunks that may have been shifted by other changes: each is put where its old lines
 * stand, at its place or, moved, at the only other one. Undefined where one does not fit.
 */
export function applyShiftedLines(text: string, hunks: readonly LineHunk[]): string | undefined {
  const lines = text.split('\n')
  const result: string[] = []
  let [next, shift] = [0, 0]
  for (const { line, from, to } of hunks) {
    const place = placeOf(lines, from, line - 1 + shift, next)
    if (place === undefined) return undefined
    shift = place - (line - 1)
    result.push(...lines.slice(next, place), ...to)
    next = place + from.length
  }
  return [...result, ...lines.slice(next)].join('\n')
}

function placeOf(
  lines: readonly string[],
  wanted: readonly string[],
  place: number,
  first: number,
): number | undefined {
  const stands = (at: number): boolean =>
    at >= first &&
    at + wanted.length <= lines.length &&
    wanted.every((line, i) => fitsRecorded(lines[at + i], line))
  if (stands(place)) return place
  if (wanted.length === 0) return undefined
  const others = lines.flatMap((_, at) => (stands(at) ? [at] : []))
  return others.length === 1 ? others[0] : undefined
}
