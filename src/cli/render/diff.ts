import { diffWords, type WordPiece } from '../../core/lib/text-diff.ts'
import { visibleLines } from '../../core/lib/text.ts'
import { gatherChunks, type Chunks } from './chunks.ts'
import { renderLabelledLines } from './labelled-lines.ts'
import { plainPalette, type Palette } from './palette.ts'

/** A line of a unified diff. */
export interface UnifiedLine {
  readonly mark: '-' | '+' | ' '
  readonly text: string
}

/** Lines that stand together, under the field that they are in; empty for the object itself. */
export interface UnifiedHunk {
  readonly heading: string
  readonly lines: readonly UnifiedLine[]
}

/** One change as a diff. */
export interface UnifiedDiff {
  readonly title: string
  readonly facts: readonly { readonly label: string; readonly text: string }[]
  readonly hunks: readonly UnifiedHunk[]
  /** Stands in place of hunks; empty for none. */
  readonly note: string
}

/**
 * Changes as unified diffs, a header of facts before each and an empty line between; nothing is cut, and what a
 * terminal would obey or not show is written as escapes. Where lines were replaced, only the words that differ have a
 * colour.
 */
export function renderDiffs(diffs: Iterable<UnifiedDiff>, palette: Palette = plainPalette): Chunks {
  return gatherChunks(diffText(diffs, palette))
}

function* diffText(diffs: Iterable<UnifiedDiff>, palette: Palette): Generator<string, void> {
  let first = true
  for (const { title, facts, hunks, note } of diffs) {
    if (!first) yield '\n'
    first = false
    yield `${palette.heading(visibleLines(title))}\n`
    yield* renderLabelledLines(
      facts.map(({ label, text }) => ({ label: `${label}:`, text, style: 'faint' })),
      palette,
    )
    if (note !== '') yield `${palette.faint(`(${note})`)}\n`
    yield* hunkText(hunks, palette)
  }
}

function* hunkText(hunks: readonly UnifiedHunk[], palette: Palette): Generator<string, void> {
  for (const { heading, lines } of hunks) {
    yield `${palette.key(heading === '' ? '@@' : `@@ ${visibleLines(heading)} @@`)}\n`
    for (const run of runsOf(lines)) yield* runText(run, palette)
  }
}

/** Lines that were taken out and those put in for them, or lines that are the same in both. */
interface Run {
  readonly same: readonly string[]
  readonly removed: readonly string[]
  readonly added: readonly string[]
}

function runsOf(lines: readonly UnifiedLine[]): Run[] {
  const runs: { same: string[]; removed: string[]; added: string[] }[] = []
  let last: UnifiedLine['mark'] | undefined
  for (const { mark, text } of lines) {
    const shown = visibleLines(text)
    // After a line that was put in, another one taken out is of the next run.
    if (last === undefined || (mark === ' ') !== (last === ' ') || (mark === '-' && last === '+')) {
      runs.push({ same: [], removed: [], added: [] })
    }
    const run = runs.at(-1)
    ;(mark === ' ' ? run?.same : mark === '-' ? run?.removed : run?.added)?.push(shown)
    last = mark
  }
  return runs
}

function* runText({ same, removed, added }: Run, palette: Palette): Generator<string, void> {
  for (const text of same) yield text === '' ? '\n' : ` ${text}\n`
  const pairs = palette.colored ? pairsOf(removed, added) : []
  for (const [i, text] of removed.entries()) yield `${colored('-', text, pairs[i]?.before, palette.bad)}\n`
  for (const [i, text] of added.entries()) yield `${colored('+', text, pairs[i]?.after, palette.good)}\n`
}

/** The words of lines that were replaced one by one; none where a line has little in common with its successor. */
function pairsOf(
  removed: readonly string[],
  added: readonly string[],
): (ReturnType<typeof diffWords> | undefined)[] {
  if (removed.length !== added.length) return []
  return removed.map((text, i) => {
    const words = diffWords(text, added[i] ?? '')
    return sameShare(words.before) < 1 / 3 ? undefined : words
  })
}

function sameShare(pieces: readonly WordPiece[]): number {
  const length = (some: readonly WordPiece[]): number =>
    some.reduce((sum, { text }) => sum + text.trim().length, 0)
  return length(pieces.filter(({ changed }) => !changed)) / Math.max(1, length(pieces))
}

function colored(
  mark: string,
  text: string,
  pieces: readonly WordPiece[] | undefined,
  paint: (text: string) => string,
): string {
  if (!pieces) return paint(mark + text)
  return paint(mark) + pieces.map((piece) => (piece.changed ? paint(piece.text) : piece.text)).join('')
}
