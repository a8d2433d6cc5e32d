import { rfc3339Seconds } from '../../../core/lib/time.ts'
import { parsePath, type PathStep } from '../../../core/model/field-path.ts'
import type { Change, ChangeListExtra, ChangeUser, FieldChange } from '../../../core/wire/change.ts'
import type { Calendar } from './calendar.ts'
import { createdFacts, stateWord } from './change-lines.ts'
import { consequenceLines, foldChanges } from './fold.ts'
import { gapText, weaveGaps } from './gaps.ts'
import { changesByObject, entryOf, type Entry } from './list-rows.ts'
import { shortRevision, toolName } from './who-text.ts'
import { valueText, withoutMarks } from './values.ts'

/** What is shown as a table, and how. */
export interface PatchInput {
  /** The newest first, filtered. */
  readonly changes: readonly Change[]
  readonly extra: Pick<ChangeListExtra, 'gaps'>
  /** The oldest first. */
  readonly reverse: boolean
  /** `--consequences` */
  readonly unfold: boolean
  /** Epoch milliseconds. */
  readonly now: number
  readonly calendar: Calendar
}

/** A row of a bordered table: the lines of each cell, or one text over its whole width. */
export type PatchRow = { readonly cells: readonly (readonly string[])[] } | { readonly note: string }

/** A table that `cli/render/bordered-table` turns into text. */
export interface PatchTable {
  readonly titles: readonly string[]
  readonly rows: readonly PatchRow[]
}

const TITLES = ['KEY', 'OPERATION', 'USER', 'TIME', 'PATCH'] as const

/**
 * The table of `-f patch`: one row for each change, by object, with all that is known of the user and every value in
 * whole; entries of lists stand in paths by their keys.
 */
export function patchView(input: PatchInput): PatchTable {
  const { changes, extra, reverse, now, calendar, unfold } = input
  const entries = (unfold ? unfolded(changes) : foldChanges(changes)).map(entryOf)
  const inOrder = <Item>(items: readonly Item[]): readonly Item[] => (reverse ? items.toReversed() : items)
  const rows = (some: readonly Entry[]): PatchRow[] => inOrder(some).map(changeRow)
  const histories = changesByObject(entries)
  const single = histories.length === 1
  const lasting = extra.gaps.filter(({ to }) => to === undefined)
  const top = single ? [] : weaveGaps<Entry>([], lasting, 0)
  const objects = inOrder(histories).flatMap((history) => {
    const stretches = weaveGaps(history, extra.gaps, history.at(-1)?.time ?? 0)
    // A gap in which nothing of this object changed is not worth a row at each object.
    return inOrder(stretches.filter(({ gap }) => single || gap === undefined || gap.entries.length > 0))
  })
  return {
    titles: TITLES,
    rows: [...top, ...objects].flatMap((stretch) => {
      if (stretch.gap === undefined) return rows(stretch.entries)
      return [{ note: gapText(stretch.gap, now, calendar) }, ...rows(stretch.gap.entries)]
    }),
  }
}

function unfolded(changes: readonly Change[]) {
  return changes.map((change) => ({ change, consequences: [] }))
}

function changeRow({ folded: { change, consequences } }: Entry): PatchRow {
  const { object, operation, user, via } = change
  const key = [object.namespace, object.kind, object.name].filter((part) => part !== '').join('/')
  const state = stateWord(change)
  return {
    cells: [
      [key],
      [
        operation,
        ...(object.subresource === '' ? [] : [object.subresource]),
        ...(state === undefined ? [] : [state]),
      ],
      [...peopleLines(change, user), ...viaLines(via)],
      [change.time === '' ? '?' : rfc3339Seconds(Date.parse(change.time))],
      [...patchLines(change), ...consequenceLines(consequences)],
    ],
  }
}

function peopleLines({ state, candidates }: Change, user: ChangeUser | undefined): string[] {
  if (state === 'ambiguous' && candidates) return ['one of:', ...candidates.flatMap(userLines)]
  return user === undefined ? ['?'] : userLines(user)
}

function userLines({ username, groups, extra }: ChangeUser): string[] {
  const extras = Object.entries(extra)
  return [
    username,
    ...(groups.length === 0 ? [] : ['groups:', ...groups.map((group) => `- ${group}`)]),
    ...(extras.length === 0
      ? []
      : ['extra:', ...extras.map(([key, values]) => `${key}=${values.join(',')}`)]),
  ]
}

function viaLines({ manager, tool, source, revision, initiatedBy }: Change['via']): string[] {
  return [
    ...(manager === '' ? [] : [`manager: ${manager}`]),
    ...(source === ''
      ? []
      : [`${toolName(tool)}: ${source}${revision === '' ? '' : `@${shortRevision(revision)}`}`]),
    ...(initiatedBy === '' ? [] : [`for: ${initiatedBy}`]),
  ]
}

function patchLines(change: Change): string[] {
  const { operation, changes, truncated = false, object } = change
  const cut = truncated ? ['(values too large, not kept)'] : []
  switch (operation) {
    case 'CREATE': {
      const facts = createdFacts(changes[0]?.to)
      return [
        facts === '' ? 'add' : `add (${facts})`,
        ...(changes.length > 0 ? ['in whole: -f diff'] : []),
        ...cut,
      ]
    }
    case 'DELETE':
      return ['remove', ...cut]
    case 'CONNECT':
      return [object.subresource === '' ? 'connect' : `connect ${object.subresource}`]
    case 'UPDATE':
      return [...changes.flatMap(fieldLines), ...cut]
  }
}

function fieldLines({ path, op, from, to, lines, index }: FieldChange): string[] {
  const pointer = pointerOf(path)
  if (lines) {
    return [
      `${op} ${pointer}`,
      ...lines.flatMap((hunk) => [
        `  line ${hunk.line}:`,
        ...hunk.from.map((line) => `  - ${withoutMarks(line)}`),
        ...hunk.to.map((line) => `  + ${withoutMarks(line)}`),
      ]),
    ]
  }
  switch (op) {
    case 'add':
      return [`add ${pointer} ${valueText(to)}`]
    case 'remove':
      return [`remove ${pointer} ${valueText(from)}`]
    case 'replace': {
      if (from === undefined && to === undefined) {
        const { from: before, to: after } = index ?? {}
        const known = before !== undefined && after !== undefined
        return [known ? `move ${pointer} ${before + 1} → ${after + 1}` : `replace ${pointer}`]
      }
      if (from === undefined) return [`set ${pointer} ${valueText(to)}`]
      const [old, now] = [valueText(from), valueText(to)]
      return [`replace ${pointer} ${old} → ${now}${old === now ? ' (changed)' : ''}`]
    }
  }
}

/** A path as JSON pointers look (RFC 6901), with entries of lists by their keys: `/spec/containers[name=app]/image`. */
function pointerOf(path: string): string {
  let steps: PathStep[]
  try {
    steps = parsePath(path)
  } catch {
    return path
  }
  return steps.map(pointerStep).join('')
}

function pointerStep(step: PathStep): string {
  if ('key' in step) return `/${step.key.replaceAll('~', '~0').replaceAll('/', '~1')}`
  if ('index' in step) return `/${step.index}`
  if ('value' in step) return `[${String(step.value)}]`
  return `[${Object.entries(step.entry)
    .map(([key, value]) => `${key}=${String(value)}`)
    .join(',')}]`
}
