import { connect } from '../../../core/kube/connect.ts'
import { loadConnection } from '../../../core/kube/kubeconfig.ts'
import { visible } from '../../../core/lib/text.ts'
import { DECKWATCH_API_VERSION } from '../../../core/wire/image.ts'
import { historyColumns, historyNotes, historyValues } from '../../features/images/history-lines.ts'
import { parseHistoryImage, type ImageHistory } from '../../features/images/image-history.ts'
import { parseMoment } from '../../shell/moment-flag.ts'
import { renderColumns } from '../../render/columns.ts'
import { renderCsv } from '../../render/csv.ts'
import { companionMemory } from '../../shell/companion-memory.ts'
import { connectionOverrides } from '../../shell/connection-flags.ts'
import type { Session } from '../../shell/session.ts'
import { VERSION } from '../../shell/version.ts'
import { CompanionWay } from './companion-way.ts'
import { hintAtNamespace, shellWord } from './hint-command.ts'
import { outputFormat, type OutputFormat } from './options.ts'
import { createDocumentPrinter, type DocumentPrinter } from './print-document.ts'

/** Parsed flags of `kubectl images history`, beside those of the connection. */
export interface HistoryFlags {
  readonly 'all-namespaces': boolean
  readonly namespace?: string | undefined
  readonly since?: string | undefined
  readonly limit?: number | undefined
  readonly output?: string | undefined
  readonly 'no-headers': boolean
}

/** Answers `kubectl images history IMAGE`. */
export async function runHistory(flags: HistoryFlags, image: string, session: Session): Promise<void> {
  const now = session.clock.now()
  const query = {
    ...parseHistoryImage(image),
    since: flags.since === undefined ? 0 : parseMoment('--since', flags.since, now),
    limit: flags.limit,
  }
  const allNamespaces = flags['all-namespaces']
  const noHeaders = flags['no-headers']
  const format = outputFormat(flags.output)
  const isTTY = session.stdout.isTerminal
  const printDocument = await createDocumentPrinter(format, { noHeaders, isTTY })
  const connection = await loadConnection(connectionOverrides({ ...flags }))
  const transport = connect(connection, { userAgent: `deckwatch/${VERSION}` })
  const ended = new AbortController()
  const signal = AbortSignal.any([session.signal, ended.signal])
  try {
    const way = await CompanionWay.find({
      mode: 'require',
      transport,
      connection,
      memory: companionMemory(connection, session.environment, session.clock),
      session,
      signal,
      namespace: allNamespaces ? undefined : connection.namespace,
    })
    // With `require` it is found or the reason is thrown.
    const history = await way?.history(query)
    if (!history) return
    await print(history, { format, printDocument, allNamespaces, noHeaders, now }, session)
    const forPeople = !printDocument && format.type !== 'csv' && !noHeaders
    const notes =
      forPeople || (history.found === 0 && !printDocument)
        ? historyNotes(history, query, { allNamespaces, now })
        : history.warnings
    for (const line of notes) await session.stderr.write(`${visible(line)}\n`)
  } catch (error) {
    const command = `${session.calledAs} images history ${shellWord(image)}`
    throw hintAtNamespace(error, command, flags, connection.namespace)
  } finally {
    ended.abort()
    transport.close()
  }
}

interface PrintHistory {
  readonly format: OutputFormat
  readonly printDocument: DocumentPrinter | undefined
  readonly allNamespaces: boolean
  readonly noHeaders: boolean
  readonly now: number
}

async function print(
  { events }: ImageHistory,
  { format, printDocument, allNamespaces, noHeaders, now }: PrintHistory,
  { stdout }: Pick<Session, 'stdout'>,
): Promise<void> {
  const kind = allNamespaces ? 'ClusterImageEvent' : 'ImageEvent'
  if (printDocument) {
    const list = { apiVersion: DECKWATCH_API_VERSION, kind: `${kind}List`, items: events } as const
    for await (const chunk of printDocument(list)) await stdout.write(chunk)
    return
  }
  if (format.type === 'name') {
    for (const { metadata } of events)
      await stdout.write(`${kind.toLowerCase()}.deckwatch.dev/${visible(metadata?.name ?? '')}\n`)
    return
  }
  if (format.type === 'csv') {
    const rows = events.map(historyValues)
    const titles = ['time', 'op', 'image', 'namespace', 'pod', 'uid', 'late']
    const values = rows.map((row) => titles.map((title) => row[title] ?? ''))
    const chunks = renderCsv(
      titles.map((title) => ({ title })),
      values,
      { noHeaders },
    )
    for (const chunk of chunks) await stdout.write(chunk)
    return
  }
  if (events.length === 0) return
  const columns = historyColumns(events, { allNamespaces, wide: format.type === 'wide', now })
  const chunks = renderColumns(
    columns.map(({ header }) => ({ title: header })),
    events.map((event) => columns.map(({ cell }) => cell(event))),
    { noHeaders, gap: 2 },
  )
  for (const chunk of chunks) await stdout.write(chunk)
}
