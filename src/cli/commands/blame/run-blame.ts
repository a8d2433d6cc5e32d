import { connect } from '../../../core/kube/connect.ts'
import { loadConnection } from '../../../core/kube/kubeconfig.ts'
import { visible } from '../../../core/lib/text.ts'
import { ApiTypes } from '../../shell/api-types.ts'
import type { Session } from '../../shell/session.ts'
import { VERSION } from '../../shell/version.ts'
import { createDocumentPrinter, type DocumentPrinter } from '../images/print-document.ts'
import type { Answer, BlameRun } from './blame-run.ts'
import { blameConnectionOverrides } from './connection-overrides.ts'
import { blameOptions, type BlameFlags } from './options.ts'
import { reportFailures } from './report-failures.ts'
import { findTargets, subjectOf } from './targets.ts'

/** Answers `kubectl blame [TYPE [NAME…]]`. */
export async function runBlame(
  flags: BlameFlags & Readonly<Record<string, unknown>>,
  words: readonly string[],
  session: Session,
): Promise<void> {
  const options = blameOptions(flags, words, session.clock.now())
  const printDocument =
    options.format === 'objects'
      ? await createDocumentPrinter(options.document, {
          noHeaders: options.noHeaders,
          isTTY: session.stdout.isTerminal,
        })
      : undefined
  if (options.input !== undefined) {
    const { blameInput } = await import('./blame-input.ts')
    return blameInput(options.input, options, printDocument, session)
  }
  const connection = await loadConnection(blameConnectionOverrides(flags))
  const transport = connect(connection, { userAgent: `deckwatch/${VERSION}` })
  const ended = new AbortController()
  const signal = AbortSignal.any([session.signal, ended.signal])
  try {
    const { environment, clock } = session
    const types = new ApiTypes({ transport, connection, environment, clock, signal })
    const allNamespaces = flags['all-namespaces']
    const { namespace } = connection
    const run: BlameRun = {
      options,
      targets: await findTargets(words, types, { namespace, allNamespaces }),
      scope: connection.namespaceGiven && !allNamespaces ? namespace : undefined,
      selectors: { label: flags.selector, field: flags['field-selector'] },
      types,
      transport,
      connection,
      session,
      signal,
    }
    await show(run, printDocument)
  } finally {
    ended.abort()
    transport.close()
  }
}

async function show(run: BlameRun, printDocument: DocumentPrinter | undefined): Promise<void> {
  const { options, session } = run
  if (options.format === 'yaml') {
    const { blameObjects } = await import('./blame-objects.ts')
    return blameObjects(run)
  }
  const [{ answerFor }, { printChanges }] = await Promise.all([
    import('./answer.ts'),
    import('./print-changes.ts'),
  ])
  const watching = options.watch ? await import('./watch-changes.ts') : undefined
  watching?.checkWatchable(run)
  const { answer: found, scope } =
    run.targets.length === 0 ? await overviewOf(run) : { answer: await answerFor(run), scope: undefined }
  const answer = await withSources(run, found)
  const asScreen = options.format === 'list' || options.format === 'wide'
  if (options.format === 'diff') {
    await (await import('./print-diff.ts')).printDiff(run, answer)
  } else if (run.targets.length === 0 && asScreen) {
    await (await import('./blame-overview.ts')).printOverview(run, answer, scope)
  } else {
    await printChanges({ options, session, subject: subjectOf(run.targets) }, answer, printDocument)
  }
  for (const hint of answer.hints) await session.stderr.write(`${visible(hint)}\n`)
  if (watching) return watching.watchChanges(run, answer, scope)
  await reportFailures(answer.failures, session)
}

/** The objects behind changes are read only where a change names one. */
async function withSources(run: BlameRun, answer: Answer): Promise<Answer> {
  if (!answer.changes.some(({ via }) => via.source !== '' && via.revision === '')) return answer
  const { tellSourceOperations } = await import('./source-operations.ts')
  return { ...answer, changes: await tellSourceOperations(answer.changes, run) }
}

async function overviewOf(run: BlameRun) {
  const { overviewAnswer } = await import('./blame-overview.ts')
  return overviewAnswer(run)
}
