import { NAMES } from '../../../../server/deploy/index.ts'
import { DeckError } from '../../../core/lib/errors.ts'
import type { Clock } from '../../../core/lib/time.ts'
import { API_SERVICE, EMERGENCY_EXIT } from './installation.ts'
import { KINDS, spokenName, type ObjectRef } from './kinds.ts'
import {
  explainRefusal,
  outcomeOf,
  type InstallPlan,
  type Outcome,
  type PlannedObject,
} from './plan-install.ts'
import type { Trouble } from './pod-trouble.ts'
import type { ClusterPort } from './ports.ts'
import { adviceFor, reachService, reachThroughAggregation, type AggregatedReach } from './reach.ts'
import { waitForRecording } from './recording.ts'
import { waitForRollout } from './rollout.ts'

/** What an installation tells while it goes on. */
export type InstallStep =
  | { readonly type: 'object'; readonly ref: ObjectRef; readonly outcome: Outcome | 'deleted' }
  | { readonly type: 'waiting'; readonly for: string }
  | { readonly type: 'trouble'; readonly trouble: Trouble }
  /** The API server reaches the pod; `unchecked` says why that could not be asked. */
  | { readonly type: 'reached'; readonly milliseconds: number; readonly unchecked?: string }
  /** Changes are recorded; `unchecked` says why that could not be asked. */
  | { readonly type: 'recording'; readonly unchecked?: string }
  | { readonly type: 'answers'; readonly resources: readonly string[]; readonly objects: number }

/** What an installation stands on. */
export interface InstallDeps {
  readonly cluster: ClusterPort
  readonly clock: Clock
}

/** How long an installation waits. */
export interface InstallOptions {
  /** Milliseconds for the pods. */
  readonly timeoutMs: number
  /** Also wait until every pod is there and ready. */
  readonly wait: boolean
}

/** How long a new APIService may leave requests unanswered, and a ready pod be out of the API server's reach. */
const ANSWER_MS = 60_000
const LOOK_MS = 1000
/** What the removal of an APIService may take after Ctrl-C, which ends the process a second later. */
const LAST_ACT_MS = 800

/**
 * Installs what was planned. The APIService comes last, when the API server has been seen to reach the pod, and is removed
 * again where it does not answer real requests within a minute: while one does not, the cluster can delete no namespace.
 */
export async function* install(
  deps: InstallDeps,
  plan: InstallPlan,
  { timeoutMs, wait }: InstallOptions,
  signal: AbortSignal,
): AsyncGenerator<InstallStep> {
  const { cluster, clock } = deps
  const { namespace } = plan.values
  const isWebhook = ({ kind }: ObjectRef): boolean => kind === KINDS.ValidatingWebhookConfiguration
  // Before what it sends reviews to goes: each write would wait for nobody.
  yield* removeObsolete(cluster, plan.obsolete.filter(isWebhook), signal)
  for (const planned of plan.objects) yield await applyPlanned(cluster, planned, signal)

  const all = plan.objects.filter(({ ref }) => ref.kind === KINDS.Deployment).map(({ ref }) => ref.name)
  const serving = all.find((name) => name === NAMES.api) ?? NAMES.companion
  yield { type: 'waiting', for: 'the pod to become ready' }
  const until = clock.now() + timeoutMs
  try {
    yield* troubles(waitForRollout(deps, { namespace, awaited: [serving], goal: 'serving', until }, signal))
    yield { type: 'waiting', for: 'the API server to reach the pod' }
    yield await reached(deps, namespace, signal)
  } catch (error) {
    throw plan.apiService.before ? stillRegistered(error) : error
  }

  yield { type: 'waiting', for: 'the API group to answer' }
  let reach: AggregatedReach
  try {
    yield await applyPlanned(cluster, plan.apiService, signal)
    reach = await answered(deps, signal)
  } catch (error) {
    // Ctrl-C, or an API server that went: nobody would look whether it ever answers.
    if (!plan.answersNow && (await removeQuickly(cluster))) {
      yield { type: 'object', ref: API_SERVICE, outcome: 'deleted' }
    }
    throw error
  }
  if (!reach.ok) return yield* withdraw(cluster, plan, reach, signal)

  yield* removeObsolete(
    cluster,
    plan.obsolete.filter((ref) => !isWebhook(ref)),
    signal,
  )
  if (wait) {
    yield { type: 'waiting', for: 'every pod to become ready' }
    yield* troubles(waitForRollout(deps, { namespace, awaited: all, goal: 'complete', until }, signal))
    const after = await answered(deps, signal)
    if (!after.ok) throw notAnswering(after, 'The pods are ready: kubectl deckwatch status tells more.')
  }
  if (plan.objects.some(({ ref }) => isWebhook(ref))) {
    yield { type: 'waiting', for: 'changes to be recorded' }
    const times = { namespace, until: Math.max(until, clock.now() + ANSWER_MS) }
    yield { type: 'recording', ...(await waitForRecording(deps, times, signal)) }
  }
  yield { type: 'answers', resources: reach.resources, objects: plan.objects.length + 1 }
}

async function* removeObsolete(
  cluster: ClusterPort,
  refs: readonly ObjectRef[],
  signal: AbortSignal,
): AsyncGenerator<InstallStep> {
  for (const ref of refs) {
    if (await cluster.delete(ref, signal)) yield { type: 'object', ref, outcome: 'deleted' }
  }
}

async function applyPlanned(
  cluster: ClusterPort,
  { ref, object, before }: PlannedObject,
  signal: AbortSignal,
): Promise<InstallStep> {
  try {
    const after = await cluster.apply(object, { dryRun: false }, signal)
    return { type: 'object', ref, outcome: outcomeOf(before, after) }
  } catch (error) {
    throw explainRefusal(error, ref, before)
  }
}

/** With a signal of its own, since the command's has ended. */
function removeQuickly(cluster: ClusterPort): Promise<boolean> {
  return cluster.delete(API_SERVICE, AbortSignal.timeout(LAST_ACT_MS)).catch(() => false)
}

async function* troubles(found: AsyncIterable<Trouble>): AsyncGenerator<InstallStep> {
  for await (const trouble of found) yield { type: 'trouble', trouble }
}

async function reached(
  { cluster, clock }: InstallDeps,
  namespace: string,
  signal: AbortSignal,
): Promise<InstallStep> {
  const until = clock.now() + ANSWER_MS
  for (;;) {
    const reach = await reachService(cluster, namespace, signal)
    if (reach.ok) return { type: 'reached', milliseconds: reach.milliseconds }
    if (reach.forbidden) {
      return { type: 'reached', milliseconds: 0, unchecked: 'you may not get services/proxy' }
    }
    if (clock.now() >= until) {
      throw new DeckError(
        'COMPANION_UNREACHABLE',
        `the companion's pod is ready, but the API server does not reach it through service ${NAMES.companion} in namespace ${namespace}: ${reach.cause}`,
        {
          hint: `${spokenAdvice(reach.cause, namespace)}\nThe API group was not registered; the rest stays.`,
        },
      )
    }
    await clock.sleep(LOOK_MS, signal)
  }
}

/** Asks for real objects until they come, or a minute is over. */
async function answered({ cluster, clock }: InstallDeps, signal: AbortSignal): Promise<AggregatedReach> {
  const until = clock.now() + ANSWER_MS
  for (;;) {
    const reach = await reachThroughAggregation(cluster, signal)
    if (reach.ok || clock.now() >= until) return reach
    await clock.sleep(LOOK_MS, signal)
  }
}

async function* withdraw(
  cluster: ClusterPort,
  { answersNow, values }: InstallPlan,
  reach: AggregatedReach,
  signal: AbortSignal,
): AsyncGenerator<InstallStep, never> {
  try {
    await cluster.delete(API_SERVICE, signal)
  } catch (error) {
    if (!(error instanceof DeckError)) throw error
    throw notAnswering(reach, `It could not be removed again (${error.message}): ${EMERGENCY_EXIT}`)
  }
  yield { type: 'object', ref: API_SERVICE, outcome: 'deleted' }
  const earlier = answersNow ? ' It answered before this upgrade.' : ''
  throw notAnswering(
    reach,
    `It was removed again, since the cluster can delete no namespace while it does not answer.${earlier}\n${spokenAdvice(reach.cause, values.namespace)}`,
  )
}

function spokenAdvice(cause: string, namespace: string): string {
  const { text, mend } = adviceFor(cause, namespace)
  return `${text} Try: ${mend}`
}

function notAnswering({ cause }: AggregatedReach, hint: string): DeckError {
  return new DeckError(
    'COMPANION_UNREACHABLE',
    `the API group does not answer after ${ANSWER_MS / 1000} s: ${cause}`,
    { hint },
  )
}

/** An upgrade that fails half way leaves the registration of the earlier installation, and says what that means. */
function stillRegistered(error: unknown): unknown {
  if (!(error instanceof DeckError)) return error
  const also = `${spokenName(API_SERVICE)} of the earlier installation stays; while nothing answers there, the cluster can delete no namespace. Emergency exit: ${EMERGENCY_EXIT}`
  return new DeckError(error.code, error.message, {
    hint: error.hint === undefined ? also : `${error.hint}\n${also}`,
    status: error.status,
    cause: error,
  })
}
