import { plural, visible } from '../../../core/lib/text.ts'
import { DECKWATCH_API_VERSION, type DeckList } from '../../../core/wire/image.ts'
import { closingLines, sizeNote, summaryLine } from '../../features/images/closing-lines.ts'
import { viewColumns, type ViewColumn } from '../../features/images/columns.ts'
import { containerObject, uniqueRows, type ContainerColumn } from '../../features/images/container-columns.ts'
import type { ImagesAnswer } from '../../features/images/images-answer.ts'
import { rowNames } from '../../features/images/row-names.ts'
import type { ViewRow } from '../../features/images/views.ts'
import { renderColumns } from '../../render/columns.ts'
import { renderCsv } from '../../render/csv.ts'
import type { Palette } from '../../render/palette.ts'
import { renderTable } from '../../render/table.ts'
import type { Session } from '../../shell/session.ts'
import type { ImagesOptions } from './options.ts'
import type { DocumentPrinter } from './print-document.ts'
import type { Sorter } from './sort.ts'

// One blank less than kubectl, so that the rows by image fit 100 columns more often.
const COLUMN_GAP = 2

/** How an answer is printed. */
export interface PrintOptions extends ImagesOptions {
  /** Undefined for all namespaces. */
  readonly namespace: string | undefined
  readonly noHeaders: boolean
  readonly palette: Palette
  readonly sorter: Sorter
  /** Undefined where rows are printed in place of objects. */
  readonly printDocument: DocumentPrinter | undefined
  /** What a hint repeats: `kubectl images -n shop`. */
  readonly command: string
}

/** Whether the answer shows sizes, which only the nodes know. */
export function asksNodes({ view, format, containerColumns, sort }: ImagesOptions): boolean {
  if (format.type === 'name') return sort.by !== undefined
  if (containerColumns) return containerColumns.some(({ name }) => name === 'size')
  const narrow = view === 'pod' || view === 'container'
  return !narrow || (format.type !== 'table' && format.type !== 'csv') || sort.by !== undefined
}

/** Prints an answer in the format that was asked for. */
export async function printImages(
  answer: ImagesAnswer,
  options: PrintOptions,
  session: Pick<Session, 'stdout' | 'stderr'>,
): Promise<void> {
  const { view, sorter, printDocument } = options
  await writeNotes(
    session,
    answer.warnings.map((warning) => `warning: ${warning}`),
  )
  if (!printDocument) return printRows(answer, options, session)
  let list: DeckList<unknown>
  if (view === 'image') {
    const images = await answer.images()
    list = { ...images, items: sorter.images(images.items) }
  } else list = rowList(sorter.rows(answer.rows(view)), options)
  await writeAll(session, printDocument(list))
}

async function printRows(
  answer: ImagesAnswer,
  options: PrintOptions,
  session: Pick<Session, 'stdout' | 'stderr'>,
): Promise<void> {
  const { format, view, containerColumns, namespace, noHeaders, sorter } = options
  const columns = viewColumns(view, { allNamespaces: namespace === undefined, wide: format.type === 'wide' })
  const rows = sorter.rows(answer.rows(view))
  if (rows.length === 0 && format.type !== 'csv') {
    return session.stderr.write(`${nothingFound(answer, options)}\n`)
  }
  if (format.type === 'name') {
    await writeAll(
      session,
      rowNames(view, rows).map((name) => `${visible(name)}\n`),
    )
  } else if (containerColumns) {
    await printContainers(answer, rows, containerColumns, options, session)
  } else if (format.type === 'csv') {
    const values = rows.map((row) => columns.map(({ value }) => value(row) ?? ''))
    await writeAll(
      session,
      renderCsv(
        columns.map(({ key }) => ({ title: key })),
        values,
        { noHeaders },
      ),
    )
  } else {
    await writeAll(
      session,
      renderColumns(titled(columns), cells(rows, columns), { ...options, gap: COLUMN_GAP }),
    )
    const showsSizes = columns.some(({ key }) => key === 'size')
    const lines =
      view === 'image'
        ? closingLines(answer, rows, options.command)
        : showsSizes
          ? [sizeNote(answer, rows)]
          : []
    if (!noHeaders) await writeNotes(session, lines)
  }
}

/** kubectl's own sentence (kubectl get), so that people and scripts meet nothing new; another where REGEX is the reason. */
function nothingFound({ pods }: ImagesAnswer, { match, namespace }: PrintOptions): string {
  const where = namespace === undefined ? '' : ` in ${namespace} namespace`
  if (match && pods > 0) return `Nothing matches among ${plural(pods, 'pod')}${where}.`
  return namespace === undefined ? 'No resources found' : `No resources found${where}.`
}

/** kubectl-images' own form: a summary line and a bordered table. */
async function printContainers(
  answer: ImagesAnswer,
  all: readonly ViewRow[],
  columns: readonly ContainerColumn[],
  { unique, format, noHeaders, palette }: PrintOptions,
  session: Pick<Session, 'stdout' | 'stderr'>,
): Promise<void> {
  const rows = unique ? uniqueRows(all, columns) : all
  const values = rows.map((row) => columns.map(({ value }) => value(row)))
  if (format.type === 'csv') {
    const titles = columns.map(({ jsonKey }) => ({ title: jsonKey }))
    return writeAll(session, renderCsv(titles, values, { noHeaders }))
  }
  const table = await renderTable(
    columns.map(({ title }) => ({ title })),
    values,
    { palette, noHeaders },
  )
  if (table.note !== undefined) await session.stderr.write(`${table.note}\n`)
  if (!noHeaders) await session.stdout.write(`${summaryLine(answer, rows.length)}\n`)
  await writeAll(session, table.chunks)
  const showsSizes = columns.some(({ name }) => name === 'size')
  if (showsSizes && !noHeaders) await writeNotes(session, [sizeNote(answer, rows)])
}

function rowList(
  rows: readonly ViewRow[],
  { view, containerColumns, unique }: ImagesOptions,
): DeckList<object> {
  const kind = `${view.charAt(0).toUpperCase()}${view.slice(1)}ImageList`
  if (!containerColumns) return { apiVersion: DECKWATCH_API_VERSION, kind, items: rows }
  const chosen = unique ? uniqueRows(rows, containerColumns) : rows
  return {
    apiVersion: DECKWATCH_API_VERSION,
    kind,
    items: chosen.map((row) => containerObject(row, containerColumns)),
  }
}

function titled(columns: readonly ViewColumn[]): { title: string; align?: 'right' }[] {
  return columns.map(({ header, align }) => (align ? { title: header, align } : { title: header }))
}

function cells(rows: readonly ViewRow[], columns: readonly ViewColumn[]) {
  return rows.map((row) =>
    columns.map(({ cell }) => {
      const text = cell(row)
      return text.endsWith('(!)') ? { text, style: 'warn' as const } : text
    }),
  )
}

/** Sentences beside the answer, one a line. */
async function writeNotes(
  { stderr }: Pick<Session, 'stderr'>,
  notes: readonly (string | undefined)[],
): Promise<void> {
  for (const note of notes) if (note !== undefined) await stderr.write(`${visible(note)}\n`)
}

async function writeAll(
  { stdout }: Pick<Session, 'stdout'>,
  chunks: AsyncIterable<string> | Iterable<string>,
): Promise<void> {
  for await (const chunk of chunks) await stdout.write(chunk)
}
