import { formatCount } from '../../../core/lib/bytes.ts'
import { plural } from '../../../core/lib/text.ts'
import type { RecordingGap } from '../../../core/wire/change.ts'
import { momentText, spanText, type Calendar } from './calendar.ts'

/** What has a place in time; `nameless` where nobody knows who made it. */
export interface Timed {
  /** Epoch milliseconds. */
  readonly time: number
  readonly nameless: boolean
}

/** A time without a witness, and what was found to have happened in it. */
export interface Gap<Entry> {
  readonly from: number
  /** Undefined while it lasts. */
  readonly to: number | undefined
  readonly reasons: readonly string[]
  /** The newest first. */
  readonly entries: readonly Entry[]
}

/** A stretch of history: what was recorded as it happened, or a gap with what is in it. */
export type Stretch<Entry> =
  { readonly gap: undefined; readonly entries: readonly Entry[] } | { readonly gap: Gap<Entry> }

/** A change that a new list brings to light is told so long after the gap's end, in milliseconds. */
const FOUND_AFTER_MS = 10_000

/**
 * Entries, the newest first, with the gaps between them. Gaps that overlap are one. A gap that ended before `since`
 * (epoch milliseconds) is left out.
 */
export function weaveGaps<Entry extends Timed>(
  entries: readonly Entry[],
  gaps: readonly RecordingGap[],
  since: number,
): Stretch<Entry>[] {
  const stretches: Stretch<Entry>[] = []
  let rest = entries
  for (const { from, to, reasons } of mergeGaps(gaps)) {
    if (to !== undefined && to < since) break
    const newer = rest.findIndex(({ time, nameless }) => !isAfter(time, nameless, to))
    const before = newer < 0 ? rest : rest.slice(0, newer)
    const others = newer < 0 ? [] : rest.slice(newer)
    const older = others.findIndex(({ time }) => time < from)
    const inside = older < 0 ? others : others.slice(0, older)
    if (before.length > 0) stretches.push({ gap: undefined, entries: before })
    stretches.push({ gap: { from, to, reasons, entries: inside } })
    rest = older < 0 ? [] : others.slice(older)
  }
  if (rest.length > 0) stretches.push({ gap: undefined, entries: rest })
  return stretches
}

function isAfter(time: number, nameless: boolean, to: number | undefined): boolean {
  return to !== undefined && time > to + (nameless ? FOUND_AFTER_MS : 0)
}

/** The newest first, overlapping ones as one. */
function mergeGaps(gaps: readonly RecordingGap[]): Omit<Gap<never>, 'entries'>[] {
  const merged: Omit<Gap<never>, 'entries'>[] = []
  const oldestFirst = gaps
    .map(({ from, to, reason }) => ({
      from: Date.parse(from),
      to: to === undefined ? undefined : Date.parse(to),
      reason,
    }))
    .toSorted((a, b) => a.from - b.from)
  for (const { from, to, reason } of oldestFirst) {
    const last = merged.at(-1)
    if (last && (last.to === undefined || from <= last.to)) {
      const end = last.to === undefined || to === undefined ? undefined : Math.max(last.to, to)
      merged[merged.length - 1] = { from: last.from, to: end, reasons: distinct([...last.reasons, reason]) }
    } else merged.push({ from, to, reasons: [reason] })
  }
  return merged.toReversed()
}

/** `not recording 10:22–10:31 (companion restarted); 1 change without a name:` */
export function gapText({ from, to, reasons, entries }: Gap<Timed>, now: number, calendar: Calendar): string {
  const when =
    to === undefined ? `since ${momentText(from, now, calendar)}` : spanText(from, to, now, calendar)
  const nameless = entries.filter((entry) => entry.nameless).length
  const found = nameless === 0 ? '' : `; ${plural(nameless, 'change')} without a name:`
  return `not recording ${when}${because(reasons)}${found}`
}

/** Several gaps in a row in which nothing was found, the newest first, as one sentence. */
export function gapsText(gaps: readonly Gap<Timed>[], now: number, calendar: Calendar): string {
  const [newest, oldest] = [gaps[0], gaps.at(-1)]
  if (newest === undefined || oldest === undefined) return ''
  const until = newest.to ?? now
  const lost = gaps.reduce((total, { from, to }) => total + ((to ?? now) - from), 0)
  const reasons = distinct(gaps.flatMap((gap) => gap.reasons))
  const when = spanText(oldest.from, until, now, calendar)
  return `not recording ${formatCount(gaps.length)} times within ${when}, ${duration(lost)} in all${because(reasons)}`
}

function because(reasons: readonly string[]): string {
  const said = reasons.filter((reason) => reason !== '')
  return said.length === 0 ? '' : ` (${said.join('; ')})`
}

function duration(ms: number): string {
  const seconds = Math.round(ms / 1000)
  if (seconds < 120) return `${seconds} s`
  const minutes = Math.round(seconds / 60)
  return minutes < 120 ? `${minutes} min` : `${Math.round(minutes / 60)} h`
}

function distinct(texts: readonly string[]): string[] {
  return [...new Set(texts)]
}
