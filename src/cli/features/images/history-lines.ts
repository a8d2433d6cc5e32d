import { ageOf } from '../../../core/lib/age.ts'
import { formatCount } from '../../../core/lib/bytes.ts'
import { plural } from '../../../core/lib/text.ts'
import { rfc3339Seconds } from '../../../core/lib/time.ts'
import type { Image, ImageEvent } from '../../../core/wire/image.ts'
import type { HistoryQuery, ImageHistory } from './image-history.ts'

/** Before the age of what was seen late: it happened then or earlier. */
const LATE_MARK = '~'

/** How many names a suggestion holds. */
const SUGGESTIONS = 3

/** One column of the history. */
export interface HistoryColumn {
  readonly header: string
  readonly cell: (event: ImageEvent) => string
}

/** The columns of a history; the image only where its rows name it in several ways. */
export function historyColumns(
  events: readonly ImageEvent[],
  options: { readonly allNamespaces: boolean; readonly wide: boolean; readonly now: number },
): readonly HistoryColumn[] {
  const { allNamespaces, wide, now } = options
  const namesImage = wide || new Set(events.map(({ image }) => image)).size > 1
  return [
    {
      header: 'AGE',
      cell: ({ time, late }) => `${late ? LATE_MARK : ''}${ageOf(Date.parse(time), now)}`,
    },
    { header: 'OP', cell: ({ op }) => op },
    ...(namesImage ? [{ header: 'IMAGE', cell: ({ image }: ImageEvent) => image }] : []),
    ...(allNamespaces ? [{ header: 'NAMESPACE', cell: ({ pod }: ImageEvent) => pod.namespace }] : []),
    { header: 'POD', cell: ({ pod }) => pod.name },
    ...(wide
      ? [
          { header: 'TIME', cell: ({ time }: ImageEvent) => time },
          { header: 'POD UID', cell: ({ pod }: ImageEvent) => pod.uid },
        ]
      : []),
  ]
}

/** The values of `-o csv` under their titles. */
export function historyValues({ time, op, image, pod, late }: ImageEvent): Record<string, string> {
  return { time, op, image, namespace: pod.namespace, pod: pod.name, uid: pod.uid, late: String(late) }
}

/** What stands below the rows, or in place of them: one line each, without a line feed. */
export function historyNotes(
  history: ImageHistory,
  { image, anyTag, since }: HistoryQuery,
  { allNamespaces, now }: { readonly allNamespaces: boolean; readonly now: number },
): string[] {
  const { events, found, inUse, similar, warnings } = history
  const name = anyTag ? image.name : image.key
  const where = allNamespaces ? '' : ' here'
  const lines: string[] = []
  if (found > 0) {
    const shown =
      events.length < found
        ? `${formatCount(events.length)} of ${plural(found, 'change')}`
        : plural(found, 'change')
    const state = inUse && (inUse.length > 0 ? `in use${where} now` : `not in use${where} now`)
    lines.push(`${shown} of ${name}, newest first${state ? `; ${state}` : ''}.`)
    if (events.some(({ late }) => late))
      lines.push(`${LATE_MARK} = seen only after a time in which nobody was watching`)
  } else {
    const period = since > 0 ? ` since ${rfc3339Seconds(since)}` : ''
    lines.push(`No change of ${name} is recorded${where}${period}.`)
    if (inUse && inUse.length > 0) lines.push(...inUse.flatMap((object) => inUseLine(object, now)))
    else if (inUse) lines.push(notInUse(similar, allNamespaces))
  }
  return [...lines, ...warnings]
}

function inUseLine({ image, usage, lastChange }: Image, now: number): string[] {
  const came =
    lastChange && `: it came ${ageOf(Date.parse(lastChange.time), now)} ago with pod ${lastChange.pod}`
  return [`${image.reference} is in use by ${plural(usage.pods, 'pod')}${came ?? ''}.`]
}

function notInUse(similar: readonly string[], allNamespaces: boolean): string {
  if (similar.length > 0) {
    const more = similar.length > SUGGESTIONS ? ', …' : ''
    return `It is not in use either; in use are ${similar.slice(0, SUGGESTIONS).join(', ')}${more}`
  }
  return `It is not in use either${allNamespaces ? '' : '; -A looks in all namespaces'}.`
}
