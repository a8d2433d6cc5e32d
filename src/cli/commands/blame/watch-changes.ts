import { DeckError } from '../../../core/lib/errors.ts'
import { visible } from '../../../core/lib/text.ts'
import type { RecordingGap } from '../../../core/wire/change.ts'
import { localCalendar } from '../../features/blame/calendar.ts'
import { FollowView } from '../../features/blame/follow-view.ts'
import type { ChangesPorts, ChangesQuery } from '../../features/blame/ports.ts'
import { changeSelector, withFields } from '../../features/blame/select.ts'
import { createBlameStream } from '../../render/blame-list.ts'
import { renderJsonLine } from '../../render/structured.ts'
import type { Answer, BlameRun } from './blame-run.ts'
import { paletteOf, widthOf } from './screen.ts'
import { questionsFor } from './recorded-changes.ts'
import { subjectOf } from './targets.ts'

const SHORTENED = 'shortened to fit; in whole: -o json'

/** A DeckError USAGE where a watch would be of several lists. */
export function checkWatchable({ targets, options, selectors }: BlameRun): void {
  if (selectors.label !== undefined || selectors.field !== undefined) {
    throw new DeckError(
      'USAGE',
      'selectors cannot be combined with --watch: they choose among the objects of now',
    )
  }
  if (questionsFor(targets, undefined, options).length > 1) {
    throw new DeckError('USAGE', '--watch follows one object, one TYPE or all, in one --state')
  }
}

/** Prints changes as they come after those of an answer, until the command ends or the companion is gone for good. */
export async function watchChanges(run: BlameRun, answer: Answer, scope: string | undefined): Promise<void> {
  const { options, targets, session, signal } = run
  const { filters } = options
  const { stdout, stderr, clock } = session
  const { way, resourceVersion } = answer
  const [question] = questionsFor(targets, scope, { filters, maxHistory: undefined })
  if (!way || resourceVersion === undefined || !question)
    throw new TypeError('one question was answered by a companion')
  const ofAll = targets.length === 0
  const subject = subjectOf(targets)
  const view = new FollowView(
    {
      subject: ofAll ? (scope ?? 'the cluster') : subject.text,
      single: subject.single,
      allNamespaces: ofAll ? scope === undefined : subject.allNamespaces,
      matches: changeSelector(filters),
      wide: options.format === 'wide',
      calendar: localCalendar,
    },
    answer.changes,
    clock.now(),
  )
  const palette = await paletteOf(options, session)
  const stream = createBlameStream(
    { titles: view.titles, shortened: SHORTENED },
    { palette, width: widthOf(stdout) },
  )
  const query = { ...question.query, since: undefined, until: undefined }
  for await (const notice of way.ports.followChanges(query, resourceVersion, signal)) {
    const since = view.gapsWanted(notice)
    if (since !== undefined) {
      const gaps = await gapsSince(way.ports, { ...query, since }, signal)
      for (const note of view.gaps(gaps, clock.now())) await stderr.write(`${visible(note)}\n`)
    }
    const { items, changes, notes } = view.take(notice, clock.now())
    if (options.format === 'objects') {
      for (const change of changes) await stdout.write(renderJsonLine(withFields(change, filters.fields)))
    } else if (items.length > 0) {
      await stdout.write(stream.write(items))
    }
    for (const note of [...notes, ...stream.footer()]) await stderr.write(`${visible(note)}\n`)
    if (notice.type === 'lost') way.question.giveUp(notice.reason)
  }
}

/** None where the companion does not answer: the changes are told all the same. */
async function gapsSince(
  ports: ChangesPorts,
  query: ChangesQuery,
  signal: AbortSignal,
): Promise<readonly RecordingGap[]> {
  try {
    for await (const { gaps } of ports.listChanges(query, signal)) return gaps
  } catch (error) {
    if (!(error instanceof DeckError)) throw error
  }
  return []
}
