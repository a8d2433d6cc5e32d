import { DeckError } from '../../../core/lib/errors.ts'
import { visible } from '../../../core/lib/text.ts'
import type { KubernetesObject } from '../../../core/wire/admission-review.ts'
import { NOT_RECORDED, RECORDED_SINCE, UNRECORDED, type Change } from '../../../core/wire/change.ts'
import { localCalendar } from '../../features/blame/calendar.ts'
import { nothingHint, unrecordedHints, untouchedHint } from '../../features/blame/hints.ts'
import type { ChangesPorts } from '../../features/blame/ports.ts'
import { nearHint, withoutValues } from '../../features/blame/near-values.ts'
import { changeSelector } from '../../features/blame/select.ts'
import type { CompanionMode } from '../../shell/companion.ts'
import type { Session } from '../../shell/session.ts'
import type { Answer, BlameRun } from './blame-run.ts'
import { findChangesWay } from './changes-way.ts'
import { likelyMeant, type LikelyMeant } from './likely-meant.ts'
import { newestOfEach, questionsFor, recordedChanges, type Recorded } from './recorded-changes.ts'
import { objectName, subjectOf, type Target } from './targets.ts'
import { todaysObjects } from './todays-objects.ts'

/** The changes that a command line with a TYPE asks for, by the companion or else by managedFields. */
export async function answerFor(run: BlameRun): Promise<Answer> {
  const { options, targets, session, transport, connection, signal } = run
  // Only the companion knows old values, and tells what comes.
  const mustAsk = options.watch || options.format === 'diff'
  const mode: CompanionMode | undefined = mustAsk ? 'require' : options.companion
  const placed = targets.find(({ namespace }) => namespace !== undefined)
  // Once the API server has answered: who cannot reach that has no use for it.
  const lacking: string[] = []
  const tell = (line: string): void => void lacking.push(line)
  const search = { transport, connection, session, signal, namespace: placed?.namespace, tell }
  const way = mode && (await findChangesWay({ ...search, mode }))
  const questions = questionsFor(targets, undefined, options)
  const recorded = await way?.question.first(() => recordedChanges(way.ports, questions, options, signal))
  if (!way || !recorded) return ownedAnswer(run, lacking)
  await warnOf(recorded, run)
  const { resourceVersion, unrecorded } = recorded
  const nowhere = recorded.changes.length === 0 && targets.every(({ type }) => unrecorded.includes(type))
  if (nowhere && mode === 'auto') {
    const owned = await ownedAnswer(run)
    const told = unrecorded.flatMap((type) => unrecordedHints(type, owned.changes.length > 0))
    return { ...owned, hints: [...told, ...owned.hints] }
  }
  const meant =
    recorded.changes.length === 0 && !nowhere
      ? await likelyMeant(run, options.filters, way.ports, undefined)
      : undefined
  const known = await completed(run, recorded, meant)
  const followed = await whatFollowed(run, way.ports, known.changes)
  const changes =
    followed.length === 0 ? known.changes : [...known.changes, ...followed].toSorted(newestFirst)
  return { ...known, changes, way, resourceVersion }
}

/** What controllers did because of the changes: all of it where asked for, else what is told with a deletion. */
async function whatFollowed(
  { options, signal }: BlameRun,
  ports: ChangesPorts,
  changes: readonly Change[],
): Promise<readonly Change[]> {
  const told = options.format === 'list' || options.format === 'wide' || options.format === 'patch'
  const causes = options.consequences ? changes : told ? changes.filter(endsOthers) : []
  if (causes.length === 0) return []
  const { recordedConsequences } = await import('../../features/blame/recorded-consequences.ts')
  try {
    return await recordedConsequences(ports, causes, signal)
  } catch (error) {
    // Whoever may see the deletion may not see all that went with it.
    if (options.consequences || !(error instanceof DeckError)) throw error
    return []
  }
}

/** A deletion that other objects go with. */
function endsOthers({ operation, object: { group, kind, subresource } }: Change): boolean {
  const owner = group === 'apps' || group === 'batch' || (group === '' && kind === 'Namespace')
  return operation === 'DELETE' && subresource === '' && owner
}

/** Says on stderr what a server wants its caller to know, as kubectl does. */
async function warn({ stderr }: Pick<Session, 'stderr'>, warnings: readonly string[]): Promise<void> {
  for (const warning of warnings) await stderr.write(`Warning: ${visible(warning)}\n`)
}

/** What the companion wants known and the answer does not say itself; `header` where one says since when it records. */
export async function warnOf(
  { warnings, changes }: Pick<Recorded, 'warnings' | 'changes'>,
  { options: { format, noHeaders, document }, session }: Pick<BlameRun, 'options' | 'session'>,
  header = changes.length > 0,
): Promise<void> {
  const said = [
    ...((format === 'list' || format === 'wide') && !noHeaders && header ? [RECORDED_SINCE] : []),
    // Between the changes, or in the list object.
    ...(format !== 'objects' || document.type === 'json' || document.type === 'yaml' ? [NOT_RECORDED] : []),
    UNRECORDED,
  ]
  await warn(
    session,
    warnings.filter((warning) => !said.some((beginning) => warning.startsWith(beginning))),
  )
}

const NOT_KEPT =
  '--include adds nothing here: of status and of what changes with every write nothing is recorded; see -f yaml, or --companion=never'
const NO_USERS = 'managedFields name no users: --user and --group find nothing without the companion'

/** What managedFields tell: which manager wrote which fields, and when last. */
async function ownedAnswer(run: BlameRun, lacking: readonly string[] = []): Promise<Answer> {
  const { options, targets } = run
  const { ownerHistory } = await import('../../features/blame/owner-history.ts')
  const { objects, failures } = await todaysObjects(run)
  for (const line of lacking) await run.session.stderr.write(`${visible(line)}\n`)
  const isMeant = changeSelector(options.filters)
  const all = objects.flatMap(({ object, type }) => ownerHistory(object, type, options.include))
  const changes = all.filter(isMeant).toSorted(newestFirst)
  const others = all.filter(changeSelector(withoutValues(options.filters)))
  const near = changes.length === 0 ? nearHint(options.filters, others) : undefined
  // These are no history: who is left out may own the field that is looked for.
  const limit = options.historyGiven || targets.some(({ names }) => names === undefined)
  const filters = [...options.filters.users, ...options.filters.groups]
  const hints = [
    ...(objects.length === 0 && failures.length === 0 ? [noneHint(targets)] : []),
    ...(objects.length > 0 && filters.length > 0 ? [NO_USERS] : []),
    ...(all.length > 0 && changes.length === 0 && filters.length === 0
      ? [`No write to ${subjectOf(targets).text} matches; ${all.length} without these filters`]
      : []),
    ...(near === undefined ? [] : [near]),
  ]
  return {
    changes: limit ? newestOfEach(changes, options.maxHistory) : changes,
    extra: { recordingSince: '', gaps: [], ...(objects.length === 1 ? { kept: changes.length } : {}) },
    nothing: changes.length === 0,
    hints,
    failures,
    way: undefined,
    resourceVersion: undefined,
  }
}

/**
 * What the companion recorded, with what only the API server knows: which objects the selectors choose, and whether one
 * of which nothing is recorded is there at all.
 */
async function completed(
  run: BlameRun,
  recorded: Recorded,
  meant: LikelyMeant | undefined,
): Promise<Omit<Answer, 'way' | 'resourceVersion'>> {
  const { options, targets, selectors } = run
  const { changes, recordingSince, gaps, kept } = recorded
  const extra = { recordingSince, gaps, ...(kept === undefined ? {} : { kept }) }
  const chosen = selectors.label !== undefined || selectors.field !== undefined
  const asked = targets
    // That nothing is recorded of these objects goes without saying; of those that are named it is worth to know whether they are there.
    .filter(({ type, names }) => chosen || names !== undefined || !recorded.unrecorded.includes(type))
    .flatMap((target) => untold(target, changes, kept, chosen || !options.filtered))
  const { objects, failures } = await todaysObjects({ ...run, targets: asked })
  const uids = new Set(objects.map(({ object }) => object.metadata?.uid))
  const shown = chosen ? changes.filter(({ object }) => uids.has(object.uid)) : changes
  const recordedUids = new Set(changes.map(({ object }) => object.uid))
  const untouched = objects.filter(
    ({ object, type }) =>
      !recordedUids.has(object.metadata?.uid ?? '') && !recorded.unrecorded.includes(type),
  )
  const names = untouched.map(({ type, object }) => objectName(type, object.metadata?.name ?? ''))
  const single = changes.length === 0 && targets.length === 1 && targets[0]?.names?.length === 1
  const hint = single
    ? failures.length === 0 && nothingOf(run, recorded, objects[0]?.object, meant)
    : objects.length === 0 && shown.length === 0 && failures.length === 0
      ? options.filtered && !chosen
        ? nothingOf(run, recorded, undefined, meant)
        : noneHint(targets)
      : !options.filtered && untouchedHint(names)
  const nothing = shown.length === 0 && objects.length === 0
  const isUnrecorded = recorded.unrecorded.length > 0
  const hints = [
    ...(hint && !(isUnrecorded && nothing) ? [hint] : []),
    ...recorded.unrecorded.flatMap((type) => unrecordedHints(type, false)),
    ...(meant?.hint === undefined ? [] : [meant.hint]),
    ...(options.include.size > 0 ? [NOT_KEPT] : []),
  ]
  return { changes: shown, extra, nothing, hints, failures }
}

/** What must be asked of the API server about a target. */
function untold(
  target: Target,
  changes: readonly Change[],
  kept: number | undefined,
  listing: boolean,
): readonly Target[] {
  const { type, names } = target
  if (names === undefined) return listing ? [target] : []
  if (kept !== undefined && kept > 0) return []
  const told = changes.filter(
    ({ object }) => object.group === type.group && object.resource === type.resource,
  )
  const others = names.filter((name) => !told.some(({ object }) => object.name === name))
  return others.length > 0 ? [{ ...target, names: others }] : []
}

function nothingOf(
  { options, targets, session }: BlameRun,
  { recordingSince, kept }: Recorded,
  object: KubernetesObject | undefined,
  meant: LikelyMeant | undefined,
): string {
  const created = Date.parse(object?.metadata?.creationTimestamp ?? '')
  return nothingHint({
    subject: subjectOf(targets).text,
    recordingSince,
    created: Number.isNaN(created) ? undefined : created,
    hidden: kept ?? meant?.others,
    filtered: options.filtered,
    now: session.clock.now(),
    calendar: localCalendar,
  })
}

/** kubectl's own sentence (kubectl get), so that people and scripts meet nothing new. */
function noneHint(targets: readonly Target[]): string {
  const namespace = targets.find(({ type }) => type.namespaced)?.namespace
  return namespace === undefined ? 'No resources found' : `No resources found in ${namespace} namespace.`
}

function newestFirst(a: Change, b: Change): number {
  return a.time < b.time ? 1 : a.time > b.time ? -1 : 0
}
