import { plural } from '../../../core/lib/text.ts'
import type { Change, ChangeListExtra } from '../../../core/wire/change.ts'
import { dayOrTime, type Calendar } from './calendar.ts'
import { objectText } from './change-lines.ts'
import { foldChanges } from './fold.ts'
import { weaveGaps } from './gaps.ts'
import { gapNotes, stretchItems } from './list-stretches.ts'
import {
  changesByObject,
  entryOf,
  rowTitles,
  type Entry,
  type ListItem,
  type ListScreen,
  type RowOptions,
} from './list-rows.ts'

/** What `kubectl blame TYPE [NAME…]` found, and how it is to be shown. */
export interface ListInput {
  /** `deployment/web in shop`, `deployments in shop`, `deployments in all namespaces`. */
  readonly subject: string
  /** The newest first, filtered, with their consequences; those without metadata are what managedFields tell. */
  readonly changes: readonly Change[]
  /** `recordingSince` is empty where nobody records. */
  readonly extra: Pick<ChangeListExtra, 'recordingSince' | 'gaps' | 'kept'>
  /** One object was named: it needs no column and no heading. */
  readonly single: boolean
  readonly allNamespaces: boolean
  /** The limit of changes for each object; undefined: all of them are here. */
  readonly perObject: number | undefined
  /** By user, field and the like, so that not every change is meant. */
  readonly filtered: boolean
  /** Epoch milliseconds: only what came later was asked for. */
  readonly since: number | undefined
  /** Epoch milliseconds. */
  readonly now: number
  readonly calendar: Calendar
  /** The oldest first. */
  readonly reverse: boolean
  /** `--consequences` */
  readonly unfold: boolean
  /** `-o wide`: the names of the changes too, and all fields. */
  readonly wide: boolean
  readonly time: 'relative' | 'full' | 'none'
}

/** So many fields of a change have a line of their own, and so many where each object has one change. */
const FIELD_LINES = 12
const FIELD_LINES_OF_MANY = 4

/**
 * The default screen: one object as a timeline; several by object, or as one timeline where each has one change.
 * `cli/render/blame-list` makes text of it.
 */
export function listView(input: ListInput): ListScreen {
  const { changes, single } = input
  const entries = foldChanges(changes).map(entryOf)
  const histories = changesByObject(entries)
  const grouped = !single && histories.some((history) => history.length > 1)
  const options = rowOptions(input, grouped)
  const items = grouped ? groupedItems(histories, input, options) : timeline(entries, input, options)
  const shown = entries.length
  return {
    header: [headerText(input, shown, histories.length)],
    titles: items.some(({ type }) => type === 'row') ? rowTitles(options) : [],
    items,
    footer: shown === 0 ? [] : [footerText(input, entries)].filter((line) => line !== ''),
    shortened: 'shortened to fit; in whole: -f patch',
  }
}

function rowOptions(input: ListInput, grouped: boolean): RowOptions {
  const { now, calendar, single, allNamespaces, wide, unfold, time } = input
  const owners = isOfOwners(input)
  const objects = single || grouped ? 'none' : allNamespaces ? 'namespaced' : 'named'
  const fields = objects === 'none' ? FIELD_LINES : FIELD_LINES_OF_MANY
  return {
    now,
    calendar,
    time,
    objects,
    owners,
    via: !owners && (wide || objects === 'none'),
    ids: !owners && wide,
    fields: wide ? Number.POSITIVE_INFINITY : fields,
    unfold,
  }
}

/** No companion recorded them: they are what managedFields tell. */
function isOfOwners({ changes }: ListInput): boolean {
  return changes.length > 0 && changes.every(({ metadata }) => metadata === undefined)
}

function timeline(entries: readonly Entry[], input: ListInput, options: RowOptions): ListItem[] {
  const stretches = weaveGaps(entries, input.extra.gaps, reachOf(entries, input))
  return stretchItems(stretches, entries, input, options)
}

/** From when on gaps matter: those before the first change that is shown say nothing about those that are. */
function reachOf(entries: readonly Entry[], input: ListInput): number {
  const { since = Number.NEGATIVE_INFINITY, single } = input
  const oldest = entries.at(-1)
  if (oldest === undefined) return since
  const whole = single && isWhole(entries, input) && oldest.folded.change.operation !== 'CREATE'
  return whole ? since : oldest.time
}

/** Nothing older that was asked for is left out. */
function isWhole(entries: readonly Entry[], { perObject, filtered, extra: { kept } }: ListInput): boolean {
  if (perObject !== undefined && entries.length >= perObject) {
    return !filtered && kept !== undefined && kept <= entries.length
  }
  return filtered || kept === undefined || kept <= entries.length
}

function groupedItems(
  histories: readonly (readonly Entry[])[],
  input: ListInput,
  options: RowOptions,
): ListItem[] {
  const { extra, reverse, allNamespaces, now, calendar } = input
  const lasting = extra.gaps.filter(({ to }) => to === undefined)
  const top = gapNotes(lasting, 0, now, calendar)
  const groups = histories.map((entries) => {
    const stretches = weaveGaps(entries, extra.gaps, entries.at(-1)?.time ?? 0)
    // A gap in which nothing of this object changed is not worth a line under each object.
    const telling = stretches.filter(({ gap }) => gap === undefined || gap.entries.length > 0)
    const first = entries[0]?.folded.change
    const place = allNamespaces && first?.object.namespace ? `${first.object.namespace}/` : ''
    return [
      {
        type: 'group',
        title: first ? `${place}${objectText(first.object)}` : '',
        aside: first?.operation === 'DELETE' ? 'deleted' : '',
      } satisfies ListItem,
      ...stretchItems(telling, entries, input, options),
    ]
  })
  return [...top, ...(reverse ? groups.toReversed() : groups).flat()]
}

function headerText(input: ListInput, shown: number, objects: number): string {
  const { subject, single, filtered, extra } = input
  const parts = [`${subject}: ${countText(input, shown, objects)}${orderText(input, shown)}`]
  if (filtered && single && extra.kept !== undefined) parts.push(`${extra.kept} recorded in all`)
  if (extra.recordingSince !== '') parts.push(`recording since ${recordingSince(input)}`)
  return parts.join('; ')
}

function orderText({ single, perObject, reverse }: ListInput, shown: number): string {
  if (shown < 2 || (!single && perObject === 1)) return ''
  return reverse ? ', oldest first' : ', newest first'
}

function countText(input: ListInput, shown: number, objects: number): string {
  const {
    single,
    filtered,
    perObject,
    extra: { kept },
  } = input
  const what = filtered ? 'matching change' : 'change'
  if (isOfOwners(input)) {
    if (!single) return `last writes by field manager, ${plural(objects, 'object')}`
    if (kept !== undefined && kept > shown)
      return `last writes by ${shown} of ${plural(kept, 'field manager')}`
    return `last writes by ${shown === 1 ? 'its field manager' : 'field manager'}`
  }
  if (shown === 0) return filtered ? 'no change matches' : 'no change recorded'
  if (!single) {
    const named = plural(objects, 'object')
    if (perObject === 1)
      return objects === 1 ? `latest ${what} of ${named}` : `latest ${what} of each of ${named}`
    return perObject === undefined
      ? `${plural(shown, what)} of ${named}`
      : `${named}, up to ${plural(perObject, what)} each`
  }
  if (filtered || kept === undefined || kept <= shown) return plural(shown, what)
  return `${shown} of ${plural(kept, what)}`
}

function recordingSince({ extra, now, calendar }: ListInput): string {
  return dayOrTime(Date.parse(extra.recordingSince), now, calendar)
}

function footerText(input: ListInput, entries: readonly Entry[]): string {
  const { single, perObject, since, extra, wide, unfold } = input
  if (isOfOwners(input)) {
    const more = [
      ...(single ? ['-f yaml (a name at each line)'] : []),
      ...(single && (extra.kept ?? 0) > entries.length ? ['--max-history 0 (all)'] : []),
      ...(wide ? [] : ['-o wide (all fields)']),
    ]
    return more.length === 0 ? '' : `More: ${more.join(', ')}`
  }
  const more = ['-f diff', ...(single ? ['-f yaml (a name at each line)'] : [])]
  const folds = entries.some(({ folded }) => folded.consequences.length > 0)
  if (!unfold && folds) more.push('--consequences')
  if (single && !isWhole(entries, input)) more.push('--max-history 0 (all)')
  if (!single && perObject === 1) more.push('--max-history 3')
  if (!single && since === undefined) more.push('--since 24h')
  if (!wide) more.push('-o wide (ids)')
  return `More: ${more.join(', ')}`
}
