import { DeckError } from '../../../core/lib/errors.ts'
import { visible } from '../../../core/lib/text.ts'
import type { KubernetesObject } from '../../../core/wire/admission-review.ts'
import { RECORDED_SINCE, type Change } from '../../../core/wire/change.ts'
import { localCalendar } from '../../features/blame/calendar.ts'
import { nothingHint, untouchedHint } from '../../features/blame/hints.ts'
import type { ChangesPorts } from '../../features/blame/ports.ts'
import { changeSelector } from '../../features/blame/select.ts'
import type { CompanionMode } from '../../shell/companion.ts'
import type { Session } from '../../shell/session.ts'
import type { Answer, BlameRun } from './blame-run.ts'
import { findChangesWay } from './changes-way.ts'
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
  const search = { transport, connection, session, signal, namespace: placed?.namespace }
  const way = mode && (await findChangesWay({ ...search, mode }))
  const questions = questionsFor(targets, undefined, options)
  const recorded = await way?.question.first(() => recordedChanges(way.ports, questions, options, signal))
  if (!way || !recorded) return ownedAnswer(run)
  await warnOf(recorded, run)
  const { resourceVersion } = recorded
  const known = await completed(run, recorded)
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
export async function warn({ stderr }: Pick<Session, 'stderr'>, warnings: readonly string[]): Promise<void> {
  for (const warning of warnings) await stderr.write(`Warning: ${visible(warning)}\n`)
}

/** What the companion wants known; since when it records stands in the header of a list. */
export async function warnOf(
  { warnings, changes }: Pick<Recorded, 'warnings' | 'changes'>,
  { options: { format, noHeaders }, session }: Pick<BlameRun, 'options' | 'session'>,
): Promise<void> {
  const inHeader = (format === 'list' || format === 'wide') && !noHeaders && changes.length > 0
  const others = warnings.filter((warning) => !(inHeader && warning.startsWith(RECORDED_SINCE)))
  await warn(session, others)
}

const NO_USERS = 'managedFields name no users: --user and --group find nothing without the companion'

/** What managedFields tell: which manager wrote which fields, and when last. */
async function ownedAnswer(run: BlameRun): Promise<Answer> {
  const { options, targets } = run
  const { ownerHistory } = await import('../../features/blame/owner-history.ts')
  const { objects, failures } = await todaysObjects(run)
  const isMeant = changeSelector(options.filters)
  const changes = objects
    .flatMap(({ object, type }) => ownerHistory(object, type, options.include))
    .filter(isMeant)
    .toSorted(newestFirst)
  // These are no history: who is left out may own the field that is looked for.
  const limit = options.historyGiven || targets.some(({ names }) => names === undefined)
  const filters = [...options.filters.users, ...options.filters.groups]
  const hints = [
    ...(objects.length === 0 && failures.length === 0 ? [noneHint(targets)] : []),
    ...(objects.length > 0 && filters.length > 0 ? [NO_USERS] : []),
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
): Promise<Omit<Answer, 'way' | 'resourceVersion'>> {
  const { options, targets, selectors } = run
  const { changes, recordingSince, gaps, kept } = recorded
  const extra = { recordingSince, gaps, ...(kept === undefined ? {} : { kept }) }
  const chosen = selectors.label !== undefined || selectors.field !== undefined
  const asked = targets.flatMap((target) => untold(target, changes, kept, chosen || !options.filtered))
  const { objects, failures } = await todaysObjects({ ...run, targets: asked })
  const uids = new Set(objects.map(({ object }) => object.metadata?.uid))
  const meant = chosen ? changes.filter(({ object }) => uids.has(object.uid)) : changes
  const recordedUids = new Set(changes.map(({ object }) => object.uid))
  const untouched = objects.filter(({ object }) => !recordedUids.has(object.metadata?.uid ?? ''))
  const names = untouched.map(({ type, object }) => objectName(type, object.metadata?.name ?? ''))
  const single = changes.length === 0 && targets.length === 1 && targets[0]?.names?.length === 1
  const hint = single
    ? failures.length === 0 && nothingOf(run, recorded, objects[0]?.object)
    : objects.length === 0 && changes.length === 0 && failures.length === 0
      ? options.filtered && !chosen
        ? nothingOf(run, recorded, undefined)
        : noneHint(targets)
      : !options.filtered && untouchedHint(names)
  const nothing = meant.length === 0 && objects.length === 0
  return { changes: meant, extra, nothing, hints: hint ? [hint] : [], failures }
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
): string {
  const created = Date.parse(object?.metadata?.creationTimestamp ?? '')
  return nothingHint({
    subject: subjectOf(targets).text,
    recordingSince,
    created: Number.isNaN(created) ? undefined : created,
    hidden: kept,
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
