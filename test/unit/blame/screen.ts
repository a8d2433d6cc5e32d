import { listView, type ListInput } from '../../../src/cli/features/blame/list-view.ts'
import type { ListScreen } from '../../../src/cli/features/blame/list-rows.ts'
import { renderBlameList, type BlameListOptions } from '../../../src/cli/render/blame-list.ts'
import { NOW, utcCalendar } from './changes.ts'

/** What `kubectl blame deployment web -n shop` asks, where a test says nothing else. */
const listInput: ListInput = {
  subject: 'deployment/web in shop',
  changes: [],
  extra: { recordingSince: '2026-11-12T08:00:00Z', gaps: [], kept: 41 },
  single: true,
  allNamespaces: false,
  perObject: 3,
  filtered: false,
  since: undefined,
  now: NOW,
  calendar: utcCalendar,
  reverse: false,
  unfold: false,
  wide: false,
  time: 'relative',
}

/** A screen as a person sees it, stdout's lines and then those of stderr after `2> `. */
export function screenText(screen: ListScreen, options: Partial<BlameListOptions> = {}): string {
  const { chunks, footer } = renderBlameList(screen, { width: 100, ...options })
  return [...chunks, ...footer.map((line) => `2> ${line}\n`)].join('')
}

/** The screen of a list. */
export function listText(input: Partial<ListInput>, options: Partial<BlameListOptions> = {}): string {
  return screenText(listView({ ...listInput, ...input }), options)
}

/** A text of several lines as it stands in a test: without its first line feed and the indentation of its first line. */
export function lines(text: string): string {
  const body = text.replace(/^\n/, '').replace(/\n *$/, '\n')
  const [indent = ''] = /^ */.exec(body) ?? []
  return body.replaceAll(new RegExp(`^${indent}`, 'gm'), '')
}
