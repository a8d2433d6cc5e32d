import { visible } from '../../../core/lib/text.ts'
import { DECKWATCH_API_VERSION } from '../../../core/wire/image.ts'
import { localCalendar } from '../../features/blame/calendar.ts'
import type { ListScreen } from '../../features/blame/list-rows.ts'
import { listView } from '../../features/blame/list-view.ts'
import { patchView } from '../../features/blame/patch-view.ts'
import { withFields } from '../../features/blame/select.ts'
import { renderBlameList } from '../../render/blame-list.ts'
import { renderBorderedTable } from '../../render/bordered-table.ts'
import { renderJsonLine } from '../../render/structured.ts'
import type { Session } from '../../shell/session.ts'
import type { DocumentPrinter } from '../images/print-document.ts'
import type { Answer } from './blame-run.ts'
import type { BlameOptions } from './options.ts'
import { paletteOf, widthOf } from './screen.ts'
import type { Subject } from './targets.ts'

/** What is printed, and how. */
export interface Printing {
  readonly options: BlameOptions
  readonly session: Session
  readonly subject: Subject
}

/** Prints changes as list, table of patches or objects; a diff has a printer of its own. */
export async function printChanges(
  printing: Printing,
  answer: Pick<Answer, 'changes' | 'extra' | 'nothing' | 'failures'>,
  printDocument: DocumentPrinter | undefined,
): Promise<void> {
  const { format, filters } = printing.options
  const shown = { ...answer, changes: answer.changes.map((change) => withFields(change, filters.fields)) }
  // A list without items would say that there is nothing.
  if (format === 'objects' && answer.nothing && answer.failures.length > 0) return
  if (format === 'objects') await printObjects(printing, shown, printDocument)
  else if (format === 'patch') await printPatch(printing, shown)
  else if (!answer.nothing) await printList(printing, shown)
}

type Shown = Pick<Answer, 'changes' | 'extra'>

async function printList({ options, session, subject }: Printing, { changes, extra }: Shown): Promise<void> {
  const screen = listView({
    subject: subject.text,
    changes,
    extra,
    single: subject.single,
    allNamespaces: subject.allNamespaces,
    perObject: options.maxHistory,
    filtered: options.filtered,
    since: options.filters.since,
    now: session.clock.now(),
    calendar: localCalendar,
    reverse: options.reverse,
    unfold: options.consequences,
    wide: options.format === 'wide',
    time: options.time,
  })
  await printListScreen(screen, options, session)
}

/** Writes a screen of changes to stdout, and what it advises to stderr. */
export async function printListScreen(
  screen: ListScreen,
  options: Pick<BlameOptions, 'color' | 'noHeaders'>,
  session: Session,
): Promise<void> {
  const palette = await paletteOf(options, session)
  const { noHeaders } = options
  const { chunks, footer } = renderBlameList(screen, { palette, width: widthOf(session.stdout), noHeaders })
  for (const chunk of chunks) await session.stdout.write(chunk)
  for (const line of footer) await session.stderr.write(`${line}\n`)
}

async function printPatch({ options, session }: Printing, { changes, extra }: Shown): Promise<void> {
  if (changes.length === 0) return
  const now = session.clock.now()
  const { reverse, noHeaders, consequences: unfold } = options
  const { titles, rows } = patchView({ changes, extra, reverse, unfold, now, calendar: localCalendar })
  const palette = await paletteOf(options, session)
  const table = renderBorderedTable(titles, rows, { palette, width: widthOf(session.stdout), noHeaders })
  for (const chunk of table) await session.stdout.write(chunk)
}

async function printObjects(
  { options, session }: Printing,
  { changes, extra }: Shown,
  print: DocumentPrinter | undefined,
): Promise<void> {
  const items = options.reverse ? changes.toReversed() : changes
  const kind = items[0]?.kind ?? 'Change'
  if (options.watch) {
    // The newest last, as those that come are.
    for (const change of items.toReversed()) await session.stdout.write(renderJsonLine(change))
    return
  }
  if (!print) {
    for (const { metadata } of items) {
      if (metadata)
        await session.stdout.write(`${kind.toLowerCase()}.deckwatch.dev/${visible(metadata.name)}\n`)
    }
    if (items.some(({ metadata }) => !metadata))
      await session.stderr.write('What managedFields tell has no names; recorded changes do.\n')
    return
  }
  const { recordingSince, gaps } = extra
  const list = {
    apiVersion: DECKWATCH_API_VERSION,
    kind: `${kind}List`,
    ...(recordingSince === '' ? {} : { recordingSince, gaps }),
    items,
  } as const
  for await (const chunk of print(list)) await session.stdout.write(chunk)
}
