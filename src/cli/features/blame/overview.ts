import { formatCount } from '../../../core/lib/bytes.ts'
import { plural } from '../../../core/lib/text.ts'
import type { Change, ChangeListExtra } from '../../../core/wire/change.ts'
import { dayOrTime, type Calendar } from './calendar.ts'
import { foldChanges, withConsequences, type FoldedChange } from './fold.ts'
import {
  entryOf,
  changeRows,
  rowTitles,
  type ListItem,
  type ListScreen,
  type RowOptions,
} from './list-rows.ts'
import { gapNotes } from './list-stretches.ts'
import { actorWords, whoText } from './who-text.ts'

/** What happened in the cluster, or in one namespace, and how it is to be shown. */
export interface OverviewInput {
  /** The newest first. */
  readonly changes: readonly Change[]
  readonly extra: Pick<ChangeListExtra, 'recordingSince' | 'gaps'>
  /** Undefined: the whole cluster. */
  readonly namespace: string | undefined
  /** How far back it looks, as it was asked for: `24h`. */
  readonly span: string
  /** Epoch milliseconds: the beginning of that span. */
  readonly since: number
  /** At most so many rows. */
  readonly rows: number
  readonly filtered: boolean
  readonly now: number
  readonly calendar: Calendar
  readonly wide: boolean
  /** `--consequences` */
  readonly unfold: boolean
}

/** So many fields of a change have a line of their own. */
const FIELD_LINES = 3

/** So many controllers, and namespaces without people, are named. */
const NAMED = 3

/** The changes of one account to one object: the latest is shown. */
interface Cluster {
  readonly latest: FoldedChange
  readonly count: number
}

/**
 * The screen of `kubectl blame` alone: the latest changes by namespace, those of people and tools in rows, those of
 * controllers counted, and what is left out. `cli/render/blame-list` makes text of it.
 */
export function overview(input: OverviewInput): ListScreen {
  const { changes, extra, now, calendar, rows: limit, wide, unfold, span, since } = input
  const folded = foldChanges(changes)
  const byPeople = folded.filter(({ change }) => isByPeople(change))
  // What followed from a person's change is told with it.
  const byControllers = withConsequences(folded.filter(({ change }) => !isByPeople(change)))
  const clusters = clustered(byPeople)
  const shown = clusters.slice(0, limit)
  const options: RowOptions = {
    now,
    calendar,
    time: 'relative',
    objects: 'named',
    owners: false,
    via: wide,
    ids: wide,
    fields: wide ? Number.POSITIVE_INFINITY : FIELD_LINES,
    unfold,
  }
  const namespaces = [...new Set(shown.map(({ latest }) => latest.change.object.namespace))]
  const groups = namespaces.flatMap((namespace) => {
    const here = shown.filter(({ latest }) => latest.change.object.namespace === namespace)
    const left = clusters.slice(limit).filter(({ latest }) => latest.change.object.namespace === namespace)
    const controllers = byControllers.filter(({ object }) => object.namespace === namespace)
    return [
      ...(input.namespace === undefined ? [heading(namespace)] : []),
      ...here.flatMap((cluster) => rowsOf(cluster, options)),
      ...leftOutLine(left),
      ...controllersLine(controllers),
    ]
  })
  const elsewhere = elsewhereLines(clusters.slice(limit), byControllers, namespaces)
  const items = [...gapNotes(extra.gaps, since, now, calendar), ...groups, ...elsewhere]
  return {
    header: [headerText(input, byPeople.length)],
    titles: shown.length > 0 ? rowTitles(options) : [],
    items,
    footer: changes.length === 0 ? [] : [footerText(input, clusters.length > limit, span)],
    shortened: 'shortened to fit; in whole: kubectl blame TYPE NAME -f patch',
  }
}

/** People, their tools, GitOps, and what nobody is known to have done; not what controllers do all day. */
function isByPeople({ actor, via, user }: Change): boolean {
  if (actor === 'person' || via.manual) return true
  if (user === undefined) return via.tool !== 'kubernetes'
  return actor === 'service-account' && via.tool !== '' && via.tool !== 'kubernetes'
}

function clustered(folded: readonly FoldedChange[]): Cluster[] {
  const clusters = new Map<string, Cluster>()
  for (const item of folded) {
    const { object } = item.change
    const key = JSON.stringify([
      object.group,
      object.resource,
      object.namespace,
      object.name,
      whoText(item.change),
      item.change.operation,
    ])
    const known = clusters.get(key)
    clusters.set(key, { latest: known?.latest ?? item, count: (known?.count ?? 0) + 1 })
  }
  return [...clusters.values()]
}

function rowsOf({ latest, count }: Cluster, options: RowOptions): ListItem[] {
  const [first, ...consequences] = changeRows(entryOf(latest), options)
  if (first?.type !== 'row') return []
  const more = count > 1 ? [faint(`+ ${plural(count - 1, 'earlier change')} by the same`)] : []
  return [{ ...first, lines: [...first.lines, ...more] }, ...consequences]
}

function faint(lead: string) {
  return { label: '', lead, values: [], tail: '', style: 'faint' } as const
}

function heading(namespace: string): ListItem {
  return { type: 'group', title: namespace === '' ? '(cluster)' : namespace, aside: '' }
}

function leftOutLine(left: readonly Cluster[]): ListItem[] {
  if (left.length === 0) return []
  const count = left.reduce((total, cluster) => total + cluster.count, 0)
  return [
    {
      type: 'note',
      text: `+ ${plural(count, 'older change')} by people and tools`,
      style: 'faint',
      within: true,
    },
  ]
}

/** `+ 214 changes by controllers: 120 the deployment controller, 94 the autoscaler` */
function controllersLine(changes: readonly Change[]): ListItem[] {
  if (changes.length === 0) return []
  const counts = countBy(changes, (change) =>
    change.user === undefined || change.cause?.username ? whoText(change) : actorWords(change.user.username),
  )
  const named = counts.slice(0, NAMED).map(([name, count]) => `${formatCount(count)} ${name}`)
  const rest = counts.slice(NAMED).reduce((total, [, count]) => total + count, 0)
  const all = [...named, ...(rest > 0 ? [`${formatCount(rest)} others`] : [])]
  return [
    {
      type: 'note',
      text: `+ ${plural(changes.length, 'change')} by controllers: ${all.join(', ')}`,
      style: 'faint',
      within: true,
    },
  ]
}

/** What happened in namespaces that have no row. */
function elsewhereLines(
  left: readonly Cluster[],
  byControllers: readonly Change[],
  shown: readonly string[],
): ListItem[] {
  const clusters = left.filter(({ latest }) => !shown.includes(latest.change.object.namespace))
  const people = clusters.flatMap(({ latest, count }) => Array.from({ length: count }, () => latest.change))
  const controllers = byControllers.filter(({ object }) => !shown.includes(object.namespace))
  return [
    ...placesLine(people, 'older change', 'by people and tools'),
    ...placesLine(controllers, 'change', 'by controllers'),
  ]
}

function placesLine(changes: readonly Change[], noun: string, by: string): ListItem[] {
  if (changes.length === 0) return []
  const places = countBy(changes, ({ object }) => (object.namespace === '' ? '(cluster)' : object.namespace))
  const named = places.slice(0, NAMED).map(([name]) => name)
  const more = places.length > NAMED ? ` and ${formatCount(places.length - NAMED)} more` : ''
  const where = places.length === 1 ? '' : `${plural(places.length, 'other namespace')}: `
  return [
    {
      type: 'note',
      text: `-- ${plural(changes.length, noun)} ${by} in ${where}${named.join(', ')}${more}`,
      style: 'faint',
      within: false,
    },
  ]
}

function countBy(changes: readonly Change[], keyOf: (change: Change) => string): [string, number][] {
  const counts = new Map<string, number>()
  for (const change of changes) counts.set(keyOf(change), (counts.get(keyOf(change)) ?? 0) + 1)
  return [...counts].toSorted(([, a], [, b]) => b - a)
}

function headerText(
  { namespace, span, extra, now, calendar, filtered, changes }: OverviewInput,
  people: number,
): string {
  const controllers = changes.length - people
  const when = /^\d+(?:\.\d+)?[a-z]/.test(span) ? `Last ${span}` : `Since ${span}`
  const what = filtered ? 'matching change' : 'change'
  const counted =
    changes.length === 0
      ? `no ${what}`
      : people === 0
        ? `${plural(controllers, what)}, all by controllers`
        : `${plural(people, what)} by people and tools, ${formatCount(controllers)} by controllers`
  const since =
    extra.recordingSince === ''
      ? ''
      : `; recording since ${dayOrTime(Date.parse(extra.recordingSince), now, calendar)}`
  return `${when} in ${namespace ?? 'the cluster'}: ${counted}${since}`
}

function footerText({ namespace }: OverviewInput, more: boolean, span: string): string {
  const parts = [
    `kubectl blame TYPE [NAME]${namespace === undefined ? ' -n NAMESPACE' : ''}`,
    ...(more ? ['--max-history 0 (all rows)'] : []),
    span === '24h' ? '--since 7d' : '--since 24h',
  ]
  return `More: ${parts.join(', ')}`
}
