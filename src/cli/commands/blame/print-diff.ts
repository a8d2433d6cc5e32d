import { visible } from '../../../core/lib/text.ts'
import type { KubernetesObject } from '../../../core/wire/admission-review.ts'
import type { Change } from '../../../core/wire/change.ts'
import { localCalendar } from '../../features/blame/calendar.ts'
import { objectsLeft } from '../../features/blame/diff-view-objects.ts'
import { diffView } from '../../features/blame/diff-view.ts'
import { gapNotes } from '../../features/blame/list-stretches.ts'
import { withFields, type Selection } from '../../features/blame/select.ts'
import { renderDiffs } from '../../render/diff.ts'
import type { Answer, BlameRun } from './blame-run.ts'
import { paletteOf } from './screen.ts'
import { questionsFor, recordedChanges } from './recorded-changes.ts'
import { todaysObjects } from './todays-objects.ts'

const ALL: Selection = {
  users: [],
  groups: [],
  managers: [],
  tools: [],
  operations: [],
  states: [],
  fields: [],
  manual: false,
  since: undefined,
  until: undefined,
}

/** Prints changes as unified diffs, with the lines around them where the objects are known as they were. */
export async function printDiff(run: BlameRun, answer: Answer): Promise<void> {
  const { options, session } = run
  const { changes, extra } = answer
  const left = await leftBy(run, answer)
  const shown = options.reverse ? changes.toReversed() : changes
  const diffs = shown.map((change) =>
    diffView(withFields(change, options.filters.fields), left.get(change.metadata?.name ?? '')),
  )
  for (const chunk of renderDiffs(diffs, await paletteOf(options, session))) await session.stdout.write(chunk)
  const oldest = changes.at(-1)
  if (!oldest) return
  const notes = gapNotes(extra.gaps, Date.parse(oldest.time), session.clock.now(), localCalendar)
  for (const note of notes) if (note.type === 'note') await session.stderr.write(`${visible(note.text)}\n`)
}

/** Named objects as their changes left them, by the names of the changes; of all of a type that would be too many. */
async function leftBy(run: BlameRun, answer: Answer): Promise<ReadonlyMap<string, KubernetesObject>> {
  const named = run.targets.filter(({ names }) => names !== undefined)
  const [{ objects }, histories] = await Promise.all([
    todaysObjects({ ...run, targets: named }),
    wholeHistory(run, answer),
  ])
  const left = new Map<string, KubernetesObject>()
  for (const { object } of objects) {
    const { uid } = object.metadata ?? {}
    const own = histories.filter((change) => change.object.uid === uid)
    for (const [change, after] of objectsLeft(own, object)) left.set(change.metadata?.name ?? '', after)
  }
  return left
}

/** All changes since the oldest that is shown: without those that filters leave out nothing can be walked back. */
async function wholeHistory(
  { options, targets, signal }: BlameRun,
  { changes, way }: Answer,
): Promise<readonly Change[]> {
  if (!options.filtered || !way) return changes
  const oldest = changes.at(-1)
  if (!oldest) return []
  const query = { filters: { ...ALL, since: Date.parse(oldest.time) }, maxHistory: undefined }
  const questions = questionsFor(targets, undefined, query)
  return (await recordedChanges(way.ports, questions, query, signal)).changes
}
