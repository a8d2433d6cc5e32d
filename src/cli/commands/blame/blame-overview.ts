import { DeckError } from '../../../core/lib/errors.ts'
import { formatCount } from '../../../core/lib/bytes.ts'
import { localCalendar } from '../../features/blame/calendar.ts'
import { overview } from '../../features/blame/overview.ts'
import type { CompanionMode } from '../../shell/companion.ts'
import { warnOf } from './answer.ts'
import type { Answer, BlameRun } from './blame-run.ts'
import { likelyMeant } from './likely-meant.ts'
import { findChangesWay, type ChangesWay } from './changes-way.ts'
import { questionsFor, recordedChanges, type Recorded } from './recorded-changes.ts'
import { printListScreen } from './print-changes.ts'

/** So many changes are read at most: a cluster's day may have many more, and a screen shows few. */
const MOST = 5000

/** The answer of an overview. */
export interface OverviewAnswer {
  readonly answer: Answer
  /** What it is of; undefined for the whole cluster. */
  readonly scope: string | undefined
}

/** The recorded changes of the cluster, or of one namespace; a DeckError COMPANION_ABSENT where nobody recorded any. */
export async function overviewAnswer(run: BlameRun): Promise<OverviewAnswer> {
  const { options, session, transport, connection, signal } = run
  if (options.companion === undefined) {
    throw new DeckError(
      'USAGE',
      'the overview is of recorded changes, and --companion=never forbids to ask for them',
      {
        hint: 'Name a TYPE: managedFields tell of its objects.',
      },
    )
  }
  // Only the companion knows: what is missing is the answer.
  const mode: CompanionMode = 'require'
  const search = { transport, connection, session, signal, mode }
  const way = await findChangesWay({ ...search, namespace: run.scope })
  if (!way) throw new TypeError('a companion is found where it is required')
  const { recorded, scope } = await recordedOf(run, way)
  await warnOf(recorded, run, true)
  const { changes, recordingSince, gaps, resourceVersion } = recorded
  const filters = { ...options.filters, since: options.span.since }
  const meant = changes.length === 0 ? await likelyMeant(run, filters, way.ports, scope) : undefined
  const hints = [
    ...(changes.length >= MOST
      ? [`Only the newest ${formatCount(changes.length)} changes were read; --since 1h has less`]
      : []),
    ...(meant?.hint === undefined ? [] : [meant.hint]),
  ]
  const extra = { recordingSince, gaps }
  return { answer: { changes, extra, nothing: false, hints, failures: [], way, resourceVersion }, scope }
}

/** Of the whole cluster, or of the context's namespace where that is all that may be read. */
async function recordedOf(
  run: BlameRun,
  { ports, question }: ChangesWay,
): Promise<{ readonly recorded: Recorded; readonly scope: string | undefined }> {
  const { options, session, connection, signal } = run
  const filters = { ...options.filters, since: options.span.since }
  const ask = (scope: string | undefined): Promise<Recorded> => {
    const questions = questionsFor([], scope, { filters, maxHistory: undefined })
    return recordedChanges(ports, questions, { filters, maxHistory: undefined, atMost: MOST }, signal)
  }
  try {
    return { recorded: await ask(run.scope), scope: run.scope }
  } catch (error) {
    const refused = error instanceof DeckError && error.code === 'KUBE_FORBIDDEN'
    if (!refused || run.scope !== undefined || options.everywhere) throw await question.explained(error)
    const { namespace } = connection
    try {
      const recorded = await ask(namespace)
      await session.stderr.write(
        `You may not read the changes of the whole cluster: these are of namespace ${namespace}\n`,
      )
      return { recorded, scope: namespace }
    } catch (inner) {
      throw await question.explained(inner)
    }
  }
}

/** Prints the overview as a screen. */
export async function printOverview(
  run: BlameRun,
  { changes, extra }: Answer,
  scope: string | undefined,
): Promise<void> {
  const { options, session } = run
  const screen = overview({
    changes,
    extra,
    namespace: scope,
    span: options.span.text,
    since: options.span.since,
    rows: options.maxHistory ?? Number.POSITIVE_INFINITY,
    filtered: options.filterFlags.some((flag) => flag !== '--since'),
    now: session.clock.now(),
    calendar: localCalendar,
    wide: options.format === 'wide',
    unfold: options.consequences,
  })
  await printListScreen(screen, options, session)
}
