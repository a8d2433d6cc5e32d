import { ageOf } from '../../../core/lib/age.ts'
import type { Change } from '../../../core/wire/change.ts'
import { clockText, fullText, type Calendar } from './calendar.ts'
import { changeLines, objectText } from './change-lines.ts'
import type { ChangeLine } from './field-line.ts'
import { consequenceLines, type FoldedChange } from './fold.ts'
import type { Timed } from './gaps.ts'
import { actorWords, sourceText, viaText, whoText } from './who-text.ts'

/** One line of a screen of changes, or a row of several; plain data, which cli/render/blame-list turns into text. */
export type ListItem =
  | {
      readonly type: 'row'
      /** One for each title but the last. */
      readonly cells: readonly string[]
      /** What stands under the last title. */
      readonly lines: readonly ChangeLine[]
      /** How deep it stands under the change that led to it. */
      readonly depth: number
      /** `warn` where nobody knows who did it. */
      readonly style?: 'warn' | 'bad'
    }
  | {
      readonly type: 'note'
      readonly text: string
      readonly style: 'warn' | 'faint'
      /** About the group above it only. */
      readonly within: boolean
    }
  /** What follows is about this object or namespace. */
  | { readonly type: 'group'; readonly title: string; readonly aside: string }

/** A screen of changes; `header` and `items` belong to the result, `footer` is advice for stderr. */
export interface ListScreen {
  readonly header: readonly string[]
  readonly titles: readonly string[]
  readonly items: readonly ListItem[]
  readonly footer: readonly string[]
  /** Advice for where the screen's width shortens a value. */
  readonly shortened: string
}

/** How moments and changes are written. */
export interface RowOptions {
  /** Epoch milliseconds. */
  readonly now: number
  readonly calendar: Calendar
  /** `clock`: the time of the day, for a stream. */
  readonly time: 'relative' | 'full' | 'none' | 'clock'
  /** A column with the objects, `namespaced` where they lie in several namespaces. */
  readonly objects: 'none' | 'named' | 'namespaced'
  /** Only managedFields tell: in place of people there are field managers. */
  readonly owners: boolean
  /** A column with field manager or source and revision. */
  readonly via: boolean
  /** A column with the names of the changes, for `kubectl blame undo` and `kubectl get changes`. */
  readonly ids: boolean
  /** At most so many lines of fields for each change. */
  readonly fields: number
  /** Consequences as rows of their own. */
  readonly unfold: boolean
}

/** A change in its place between the gaps. */
export interface Entry extends Timed {
  readonly folded: FoldedChange
}

/** A change with its time read. */
export function entryOf(folded: FoldedChange): Entry {
  const { change } = folded
  return {
    folded,
    time: Date.parse(change.time),
    nameless: change.user === undefined && change.state !== 'ambiguous',
  }
}

/** Each object's changes; one that was created anew goes on under its name, but not in another namespace of that name. */
export function changesByObject(entries: readonly Entry[]): Entry[][] {
  const histories = new Map<string, Entry[]>()
  for (const entry of entries) {
    const { group, resource, namespace, namespaceUid, name } = entry.folded.change.object
    const key = JSON.stringify([group, resource, namespace, namespaceUid, name])
    const history = histories.get(key)
    if (history) history.push(entry)
    else histories.set(key, [entry])
  }
  return [...histories.values()]
}

/** The titles of the columns that `changeRows` fills. */
export function rowTitles({ time, objects, owners, via, ids }: RowOptions): string[] {
  return [
    ...(time === 'none' ? [] : [time === 'relative' ? 'AGE' : 'TIME']),
    ...(objects === 'none' ? [] : ['OBJECT']),
    owners ? 'MANAGER' : 'WHO',
    ...(via ? ['VIA'] : []),
    ...(ids ? ['ID'] : []),
    'CHANGE',
  ]
}

/** The row of a change, with a row for each of its consequences where they are unfolded. */
export function changeRows(
  { folded, nameless }: Entry,
  options: RowOptions,
  anew = false,
  depth = 0,
): ListItem[] {
  const { change, consequences } = folded
  const { objects, owners, unfold, fields } = options
  const lines = changeLines(change, {
    fields,
    anew,
    owned: owners,
    object: depth > 0 && objects === 'none' ? objectText(change.object) : undefined,
  })
  const folds = unfold ? [] : consequenceLines(consequences)
  return [
    {
      type: 'row',
      cells: cellsOf(change, options, depth),
      lines: [
        ...lines,
        ...folds.map((lead): ChangeLine => ({ label: '', lead, values: [], tail: '', style: 'faint' })),
      ],
      depth,
      ...(change.state === 'not-landed' ? { style: 'bad' } : nameless && !owners ? { style: 'warn' } : {}),
    },
    ...(unfold
      ? consequences.flatMap((consequence) => changeRows(entryOf(consequence), options, false, depth + 1))
      : []),
  ]
}

function cellsOf(change: Change, options: RowOptions, depth: number): string[] {
  const { object, metadata, user, actor, via } = change
  // Under the change that led to it a consequence needs no word on whose it was.
  const who = options.owners
    ? managerText(change)
    : depth > 0 && user
      ? actorWords(user.username)
      : // Where there is no VIA, what is synced says more than the account that does it.
        (!options.via && actor === 'service-account' && sourceText(via)) || whoText(change)
  const time = timeText(Date.parse(change.time), options)
  const place = options.objects === 'namespaced' && object.namespace !== '' ? `${object.namespace}/` : ''
  return [
    ...(time === undefined ? [] : [time]),
    ...(options.objects === 'none' ? [] : [`${place}${objectText(object)}`]),
    who,
    ...(options.via ? [viaCell(change)] : []),
    ...(options.ids ? [metadata?.name ?? ''] : []),
  ]
}

/** Without a name WHO tells the manager; who writes a subresource such as scale may not have said what with. */
function viaCell({ user, via, operation, object: { subresource } }: Change): string {
  if (user === undefined && via.source === '') return ''
  const unsaid = via.tool === '' && operation === 'UPDATE' && subresource !== ''
  return sourceText(via) || viaText(via) || (unsaid ? `/${subresource}` : '')
}

/** `kube-controller-manager (/status)` */
function managerText({ via: { manager }, object: { subresource } }: Change): string {
  return subresource === '' ? manager : `${manager} (/${subresource})`
}

function timeText(time: number, { now, calendar, time: form }: RowOptions): string | undefined {
  if (form === 'none') return undefined
  // managedFields may have none.
  if (Number.isNaN(time)) return '?'
  switch (form) {
    case 'relative':
      return ageOf(time, now)
    case 'full':
      return fullText(time, calendar)
    case 'clock':
      return clockText(calendar(time))
  }
}
