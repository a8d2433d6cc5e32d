import type { RecordingGap } from '../../../core/wire/change.ts'
import type { Calendar } from './calendar.ts'
import { gapsText, gapText, weaveGaps, type Gap, type Stretch } from './gaps.ts'
import { changeRows, type Entry, type ListItem, type RowOptions } from './list-rows.ts'

/** More gaps than so many in a row, with nothing between them, are told in one sentence. */
const GAP_LINES = 3

/** How a timeline is turned into lines. */
export interface StretchOptions {
  /** The oldest first. */
  readonly reverse: boolean
  /** Epoch milliseconds. */
  readonly now: number
  readonly calendar: Calendar
}

/** The rows of a timeline's stretches, each gap before what was found in it; `entries` are all of it, the newest first. */
export function stretchItems(
  stretches: readonly Stretch<Entry>[],
  entries: readonly Entry[],
  { reverse, now, calendar }: StretchOptions,
  options: RowOptions,
): ListItem[] {
  const inOrder = <Item>(items: readonly Item[]): readonly Item[] => (reverse ? items.toReversed() : items)
  const rows = (some: readonly Entry[]): ListItem[] =>
    inOrder(some).flatMap((entry) => rowsWithUid(entry, entries, options, reverse))
  return inOrder(foldRuns(stretches)).flatMap((stretch) => {
    if ('run' in stretch) return [note(gapsText(stretch.run, now, calendar), true)]
    if (stretch.gap === undefined) return rows(stretch.entries)
    return [gapNote(stretch.gap, true, now, calendar), ...rows(stretch.gap.entries)]
  })
}

/** A change's row, and a word where what is older belongs to another object of the same name. */
function rowsWithUid(
  entry: Entry,
  entries: readonly Entry[],
  options: RowOptions,
  reverse: boolean,
): ListItem[] {
  const { object, operation } = entry.folded.change
  const older = options.objects === 'none' ? entries[entries.indexOf(entry) + 1]?.folded.change : undefined
  const anew = older !== undefined && differ(older.object.uid, object.uid)
  const rows = changeRows(entry, options, anew && operation === 'CREATE')
  if (!anew || operation === 'CREATE') return rows
  const word = note('what is older was another object of this name', true, 'faint')
  return reverse ? [word, ...rows] : [...rows, word]
}

function differ(a: string, b: string): boolean {
  return a !== '' && b !== '' && a !== b
}

/** Gaps that follow one another with nothing in them or between them, as one where they are many. */
function foldRuns(
  stretches: readonly Stretch<Entry>[],
): (Stretch<Entry> | { readonly run: readonly Gap<Entry>[] })[] {
  const folded: (Stretch<Entry> | { readonly run: readonly Gap<Entry>[] })[] = []
  let run: Gap<Entry>[] = []
  const flush = (): void => {
    if (run.length > GAP_LINES) folded.push({ run })
    else folded.push(...run.map((gap) => ({ gap })))
    run = []
  }
  for (const stretch of stretches) {
    // One that lasts is told for itself: it is about now.
    if (stretch.gap && stretch.gap.to !== undefined && stretch.gap.entries.length === 0) run.push(stretch.gap)
    else {
      flush()
      folded.push(stretch)
    }
  }
  flush()
  return folded
}

/** A line for each gap that reaches past `since` (epoch milliseconds), the newest first; many of them in one line. */
export function gapNotes(
  gaps: readonly RecordingGap[],
  since: number,
  now: number,
  calendar: Calendar,
): ListItem[] {
  return foldRuns(weaveGaps<Entry>([], gaps, since)).flatMap((stretch) => {
    if ('run' in stretch) return [note(gapsText(stretch.run, now, calendar), false)]
    return stretch.gap ? [gapNote(stretch.gap, false, now, calendar)] : []
  })
}

function gapNote(gap: Gap<Entry>, within: boolean, now: number, calendar: Calendar): ListItem {
  return note(gapText(gap, now, calendar), within)
}

function note(text: string, within: boolean, style: 'warn' | 'faint' = 'warn'): ListItem {
  return { type: 'note', text: `-- ${text}`, style, within }
}
