import { OWNED_SELECTOR } from '../../../../server/deploy/index.ts'
import { DeckError } from '../../../core/lib/errors.ts'
import type { Clock } from '../../../core/lib/time.ts'
import { KINDS } from './kinds.ts'
import { mayPass } from './may-pass.ts'
import {
  claimTrouble,
  deploymentTrouble,
  ENDING,
  NOT_READY,
  podTrouble,
  type Trouble,
} from './pod-trouble.ts'
import type { ClusterPort } from './ports.ts'
import { podProxyPath, PROBE_LIMIT_MS } from './reach.ts'
import { fieldOf, type StoredObject } from './stored-object.ts'

/** What the rollout of a Deployment needs to know of it. */
interface DeploymentState {
  readonly observedGeneration: number
  readonly replicas: number
  readonly updatedReplicas: number
  readonly availableReplicas: number
}

/** Everything in the namespace that tells whether the companion runs. */
export interface Workloads {
  readonly deployments: readonly StoredObject[]
  readonly pods: readonly StoredObject[]
  readonly claims: readonly StoredObject[]
  readonly events: readonly StoredObject[]
}

/** How far a rollout is waited for: `serving` is one pod of the new form, `complete` all of them and no old one. */
export type RolloutGoal = 'serving' | 'complete'

const LOOK_MS = 500
const LOG_LINES = 5

/** What may be read of the companion's workloads; each kind that may not be read is told to `unseen` and left empty. */
export async function readWorkloads(
  cluster: ClusterPort,
  namespace: string,
  signal: AbortSignal,
  unseen: (what: string, error: DeckError) => void,
): Promise<Workloads> {
  const list = async (kind: (typeof KINDS)[keyof typeof KINDS], labelSelector?: string) => {
    try {
      return await cluster.list({ kind, namespace, labelSelector }, signal)
    } catch (error) {
      if (!(error instanceof DeckError)) throw error
      unseen(kind.plural, error)
      return []
    }
  }
  const [deployments, pods, claims, events] = await Promise.all([
    list(KINDS.Deployment, OWNED_SELECTOR),
    list(KINDS.Pod, OWNED_SELECTOR),
    list(KINDS.PersistentVolumeClaim, OWNED_SELECTOR),
    list(KINDS.Event),
  ])
  return { deployments, pods, claims, events }
}

/** What stands in the way of pods that should run, the cause before its effects. */
export function workloadTroubles({ deployments, pods, claims, events }: Workloads): readonly Trouble[] {
  return [
    ...claims.map((claim) => claimTrouble(claim, events)),
    ...deployments.map(deploymentTrouble),
    ...pods.map((pod) => podTrouble(pod, claims)),
  ].filter((trouble) => trouble !== undefined)
}

/** Whether a Deployment has reached the goal by its status, as `kubectl rollout status` reads it. */
export function hasReached(deployment: StoredObject, goal: RolloutGoal): boolean {
  const { observedGeneration = 0, ...state } = fieldOf<DeploymentState>(deployment, 'status')
  const { replicas = 0, updatedReplicas = 0, availableReplicas = 0 } = state
  if (observedGeneration < (deployment.metadata.generation ?? 0)) return false
  // Old pods may be among the available ones.
  if (goal === 'serving') return availableReplicas > replicas - updatedReplicas
  const wanted = fieldOf<{ replicas: number }>(deployment, 'spec').replicas ?? 1
  return updatedReplicas >= wanted && replicas === updatedReplicas && availableReplicas === updatedReplicas
}

/** Which rollout is waited for, and how long. */
export interface RolloutQuery {
  readonly namespace: string
  /** Names of Deployments. */
  readonly awaited: readonly string[]
  readonly goal: RolloutGoal
  /** Epoch milliseconds. */
  readonly until: number
}

/**
 * Waits until each awaited Deployment has reached the goal; yields each new trouble once. DeckError COMPANION_NOT_READY when time is up, with what stands in the way.
 */
export async function* waitForRollout(
  { cluster, clock }: { readonly cluster: ClusterPort; readonly clock: Clock },
  { namespace, awaited, goal, until }: RolloutQuery,
  signal: AbortSignal,
): AsyncGenerator<Trouble> {
  const said = new Set<string>()
  for (;;) {
    const workloads = await readPatiently(cluster, namespace, clock.now() < until, signal)
    if (!workloads) {
      await clock.sleep(LOOK_MS, signal)
      continue
    }
    const reached = workloads.deployments.filter((deployment) => hasReached(deployment, goal))
    if (awaited.every((name) => reached.some(({ metadata }) => metadata.name === name))) return
    const troubles = workloadTroubles(workloads)
    for (const trouble of troubles) {
      const key = `${trouble.what} ${trouble.why}`
      if (said.has(key) || isMerelySlow(trouble)) continue
      said.add(key)
      yield trouble
    }
    if (clock.now() >= until) throw await notReady(cluster, namespace, workloads, signal)
    await clock.sleep(LOOK_MS, signal)
  }
}

/** Undefined where the API server is away and there is time to wait for it; what adds detail only may be hidden. */
async function readPatiently(
  cluster: ClusterPort,
  namespace: string,
  hasTime: boolean,
  signal: AbortSignal,
): Promise<Workloads | undefined> {
  try {
    return await readWorkloads(cluster, namespace, signal, (what, error) => {
      if (what === KINDS.Deployment.plural || error.status !== 403) throw error
    })
  } catch (error) {
    if (!hasTime || !mayPass(error)) throw error
    return undefined
  }
}

function isMerelySlow({ why }: Trouble): boolean {
  return why === NOT_READY || why === ENDING
}

async function notReady(
  cluster: ClusterPort,
  namespace: string,
  { pods, ...workloads }: Workloads,
  signal: AbortSignal,
): Promise<DeckError> {
  const troubles = workloadTroubles({ pods, ...workloads })
  const crashed = troubles.find((trouble) => trouble.crashed)?.crashed
  const running = pods.filter(({ metadata }) =>
    troubles.some((trouble) => trouble.why === NOT_READY && trouble.what === `pod/${metadata.name}`),
  )
  const lines = [
    ...troubles.map(({ what, why }) => `${what}: ${why}`),
    ...(crashed ? await lastLines(cluster, namespace, crashed, signal) : []),
    ...(await Promise.all(running.map((pod) => failingProbes(cluster, pod, signal)))).flat(),
  ]
  return new DeckError(
    'COMPANION_NOT_READY',
    [
      `the companion's pods in namespace ${namespace} did not become ready in time`,
      ...(lines.length > 0 ? lines : ['no pod has been made for them yet']),
    ].join('\n'),
    {
      hint:
        troubles.find(({ mend }) => mend !== undefined)?.mend ??
        `Look at it with: kubectl -n ${namespace} describe pods -l ${OWNED_SELECTOR}`,
    },
  )
}

/** What a running pod says itself of why it is not ready; nothing where it may not be asked. */
async function failingProbes(
  cluster: ClusterPort,
  pod: StoredObject,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const path = podProxyPath(pod, '/readyz?verbose')
  if (path === undefined) return []
  const body = await textOf(cluster, path, [200, 500, 503], signal)
  return body.filter((line) => line.startsWith('[-]')).map((line) => `  ${line}`)
}

/** The last lines that a crashed container wrote; none where they may not be read. */
async function lastLines(
  cluster: ClusterPort,
  namespace: string,
  { pod, container, previous }: NonNullable<Trouble['crashed']>,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const query = new URLSearchParams({
    container,
    tailLines: String(LOG_LINES),
    limitBytes: '4000',
    ...(previous ? { previous: 'true' } : {}),
  })
  const path = `/api/v1/namespaces/${namespace}/pods/${pod}/log?${query.toString()}`
  return (await textOf(cluster, path, [200], signal)).map((line) => `  ${line}`)
}

async function textOf(
  cluster: ClusterPort,
  path: string,
  statuses: readonly number[],
  signal: AbortSignal,
): Promise<readonly string[]> {
  try {
    const { status, body } = await cluster.probe(path, PROBE_LIMIT_MS, signal)
    return statuses.includes(status) ? body.trimEnd().split('\n') : []
  } catch (error) {
    if (error instanceof DeckError) return []
    throw error
  }
}
