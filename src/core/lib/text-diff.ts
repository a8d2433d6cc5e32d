import { diffArrays } from 'diff/lib/diff/array.js'
import type { LineHunk } from '../wire/change.ts'

/** Beyond so many lines taken out and put in, the search costs more than a finer hunk is worth. */
const MAX_EDITS = 200

/** The pieces in which two texts of several lines differ, the first first; lines are what stands between line feeds. */
export function diffLines(before: readonly string[], after: readonly string[]): LineHunk[] {
  let start = 0
  while (start < before.length && start < after.length && before[start] === after[start]) start++
  let [beforeEnd, afterEnd] = [before.length, after.length]
  while (beforeEnd > start && afterEnd > start && before[beforeEnd - 1] === after[afterEnd - 1]) {
    beforeEnd--
    afterEnd--
  }
  const [from, to] = [before.slice(start, beforeEnd), after.slice(start, afterEnd)]
  if (from.length === 0 && to.length === 0) return []
  const whole = [{ line: start + 1, from, to }]
  if (from.length <= 1 || to.length <= 1) return whole
  const parts = diffArrays(from, to, { maxEditLength: MAX_EDITS })
  return parts ? hunksOf(parts, start + 1) : whole
}

interface Part<Item> {
  readonly value: Item[]
  readonly added: boolean
  readonly removed: boolean
}

function hunksOf(parts: readonly Part<string>[], firstLine: number): LineHunk[] {
  const hunks: LineHunk[] = []
  let line = firstLine
  let open: { line: number; from: string[]; to: string[] } | undefined
  for (const { value, added, removed } of parts) {
    if (!added && !removed) {
      open = undefined
      line += value.length
      continue
    }
    if (!open) hunks.push((open = { line, from: [], to: [] }))
    if (added) open.to.push(...value)
    else {
      open.from.push(...value)
      line += value.length
    }
  }
  return hunks
}
