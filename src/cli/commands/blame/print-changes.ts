import { visible } from '../../../core/lib/text.ts'
import { DECKWATCH_API_VERSION } from '../../../core/wire/image.ts'
import { localCalendar } from '../../features/blame/calendar.ts'
import type { ListScreen } from '../../features/blame/list-rows.ts'
import { listView } from '../../features/blame/list-view.ts'
import { patchView } from '../../features/blame/patch-view.ts'
import { withFields } from '../../features/blame/select.ts'
import { renderBlameList } from '../../render/blame-list.ts'
import { renderBorderedTable } from '../../render/bordered-table.ts'
import { createPalette, type Palette } from '../../render/palette.ts'
import { renderJsonLine } from '../../render/structured.ts'
import type { Output } from '../../shell/output.ts'
import type { Session } from '../../shell/session.ts'
import type { DocumentPrinter } from '../images/print-document.ts'
import type { Answer, BlameRun } from './blame-run.ts'
import type { BlameOptions } from './options.ts'
import { singleObject, subjectOf } from './targets.ts'

/** What a screen is where nobody looks at it; results fit it everywhere. */
const SCREEN_COLUMNS = 100

/** Prints changes as the options want them, then on stderr what is to be said of them. */
export async function printChanges(
  run: BlameRun,
  answer: Answer,
  printDocument: DocumentPrinter | undefined,
): Promise<void> {
  const { options, session } = run
  const shown = {
    ...answer,
    changes: answer.changes.map((change) => withFields(change, options.filters.fields)),
  }
  if (options.format === 'objects') await printObjects(run, shown, printDocument)
  else if (options.format === 'patch') await printPatch(run, shown)
  else await printScreen(run, shown)
  for (const hint of answer.hints) await session.stderr.write(`${visible(hint)}\n`)
}

async function printScreen(run: BlameRun, answer: Answer): Promise<void> {
  const { options, session, targets } = run
  // Where nothing was found the hint says so.
  if (answer.changes.length === 0 && answer.extra.recordingSince === '') return
  const screen = listView({
    subject: subjectOf(targets),
    changes: answer.changes,
    extra: answer.extra,
    single: singleObject(targets) !== undefined,
    allNamespaces: targets.some(({ type, namespace }) => type.namespaced && namespace === undefined),
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

async function printPatch(run: BlameRun, { changes, extra }: Answer): Promise<void> {
  const { options, session } = run
  if (changes.length === 0) return
  const now = session.clock.now()
  const { reverse, noHeaders, consequences: unfold } = options
  const { titles, rows } = patchView({ changes, extra, reverse, unfold, now, calendar: localCalendar })
  const palette = await paletteOf(options, session)
  const table = renderBorderedTable(titles, rows, { palette, width: widthOf(session.stdout), noHeaders })
  for (const chunk of table) await session.stdout.write(chunk)
}

async function printObjects(
  run: BlameRun,
  { changes, extra }: Answer,
  print: DocumentPrinter | undefined,
): Promise<void> {
  const { options, session } = run
  const items = options.reverse ? changes.toReversed() : changes
  const kind = items[0]?.kind ?? 'Change'
  if (options.watch) {
    // The newest last, as those that come are.
    for (const change of items.toReversed()) await session.stdout.write(renderJsonLine(change))
    return
  }
  if (!print) {
    // -o name; what managedFields tell has none.
    for (const { metadata } of items) {
      if (metadata)
        await session.stdout.write(`${kind.toLowerCase()}.deckwatch.dev/${visible(metadata.name)}\n`)
    }
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

/** The colours of stdout. */
export function paletteOf({ color }: Pick<BlameOptions, 'color'>, session: Session): Promise<Palette> {
  return createPalette({ color, isTTY: session.stdout.isTerminal, env: session.environment })
}

/** How many columns a line may have. */
export function widthOf({ isTerminal }: Output): number {
  return (isTerminal && process.stdout.columns) || SCREEN_COLUMNS
}
