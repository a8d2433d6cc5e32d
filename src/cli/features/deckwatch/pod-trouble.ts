import { conditionOf, fieldOf, type StoredObject } from './stored-object.ts'

/** Why something does not run: `what` it is about, the reason in a clause, and what helps, where that is known. */
export interface Trouble {
  /** `pod/deckwatch-7d9c5b-x2x4q`. */
  readonly what: string
  readonly why: string
  readonly mend?: string
  /** The container that crashed, whose last lines of log say more. */
  readonly crashed?: { readonly pod: string; readonly container: string; readonly previous: boolean }
}

/** Why a pod is in nobody's way that has only begun. */
export const NOT_READY = 'it runs and is not ready yet'

/** Why a pod is in nobody's way that is about to go. */
export const ENDING = 'it is being ended'

interface PodSpec {
  readonly nodeName: string
}

interface PodState {
  readonly phase: string
  readonly reason: string
  readonly message: string
  readonly initContainerStatuses: readonly ContainerState[]
  readonly containerStatuses: readonly ContainerState[]
}

interface Terminated {
  readonly exitCode?: number
  readonly reason?: string
}

interface ContainerState {
  readonly name: string
  readonly image?: string
  readonly ready?: boolean
  readonly restartCount?: number
  readonly state?: {
    readonly waiting?: { readonly reason?: string; readonly message?: string }
    readonly terminated?: Terminated
    readonly running?: object
  }
  readonly lastState?: { readonly terminated?: Terminated }
}

interface ClaimState {
  readonly phase: string
}

const PULL_FAILURES = new Set(['ErrImagePull', 'ImagePullBackOff', 'InvalidImageName', 'ErrImageNeverPull'])

/** Why a pod does not run or is not ready; undefined where it does, or where nothing stands in its way yet. */
export function podTrouble(pod: StoredObject, claims: readonly StoredObject[]): Trouble | undefined {
  const { name, namespace = '', deletionTimestamp } = pod.metadata
  const what = `pod/${name}`
  const state = fieldOf<PodState>(pod, 'status')
  if (deletionTimestamp !== undefined) return { what, why: ENDING }
  if (state.phase === 'Failed') return { what, why: clause(state.reason, state.message) || 'it has failed' }
  const containers = [...(state.initContainerStatuses ?? []), ...(state.containerStatuses ?? [])]
  for (const container of containers) {
    const trouble = containerTrouble({ name, namespace }, container)
    if (trouble) return { what, ...trouble }
  }
  const scheduled = conditionOf(pod, 'PodScheduled')
  if (scheduled?.status === 'False' && fieldOf<PodSpec>(pod, 'spec').nodeName === undefined) {
    const unbound = claims.find((claim) => fieldOf<ClaimState>(claim, 'status').phase !== 'Bound')
    const message = scheduled.message ?? scheduled.reason ?? 'no node takes it'
    return unbound && /volume|persistentvolumeclaim/i.test(message)
      ? { what, ...unboundClaim(unbound), why: `no node takes it: ${message}` }
      : { what, why: `no node takes it: ${message}` }
  }
  const ready = conditionOf(pod, 'Ready')
  if (state.phase === 'Running' && ready?.status === 'False') {
    return { what, why: NOT_READY }
  }
  return undefined
}

/** Why a Deployment makes no pods: a quota, or a policy of the namespace. */
export function deploymentTrouble(deployment: StoredObject): Trouble | undefined {
  const failure = conditionOf(deployment, 'ReplicaFailure')
  if (failure?.status !== 'True') return undefined
  return {
    what: `deployment.apps/${deployment.metadata.name}`,
    why: `its pods are refused: ${clause(failure.reason, failure.message)}`,
  }
}

/** Why a claim has no volume, where a pod waits for it. */
export function claimTrouble(claim: StoredObject, events: readonly StoredObject[]): Trouble | undefined {
  const { phase } = fieldOf<ClaimState>(claim, 'status')
  if (phase === undefined || phase === 'Bound') return undefined
  const said = events
    .filter((event) => isAbout(event, claim) && event['reason'] !== 'WaitForFirstConsumer')
    .map((event) => clause(event['reason'], event['message']))
    .at(-1)
  if (said === undefined && phase === 'Pending') return undefined
  return { what: `persistentvolumeclaim/${claim.metadata.name}`, ...unboundClaim(claim), why: said ?? phase }
}

function unboundClaim({ metadata }: StoredObject): { mend: string } {
  return {
    mend: `kubectl -n ${metadata.namespace ?? ''} describe persistentvolumeclaim ${metadata.name}`,
  }
}

function isAbout(event: StoredObject, { kind, metadata }: StoredObject): boolean {
  const about = event['involvedObject'] as { kind?: string; name?: string; uid?: string } | undefined
  return (
    about?.kind === kind &&
    about.name === metadata.name &&
    (about.uid === undefined || metadata.uid === undefined || about.uid === metadata.uid)
  )
}

function containerTrouble(
  pod: { readonly name: string; readonly namespace: string },
  { name, image = '', state, lastState, restartCount = 0 }: ContainerState,
): Omit<Trouble, 'what'> | undefined {
  const { reason = '', message = '' } = state?.waiting ?? {}
  if (PULL_FAILURES.has(reason)) {
    return {
      why: `the image ${image} cannot be pulled: ${clause(reason, message)}`,
      mend: 'give a reference that the nodes can pull: --image, or --set imagePullSecrets={NAME}',
    }
  }
  const ended = state?.terminated ?? lastState?.terminated
  if (ended && ended.exitCode !== 0) {
    const previous = state?.terminated === undefined
    const why =
      ended.reason === 'OOMKilled'
        ? `its container ${name} had more memory than it may: raise --set resources.limits.memory=…`
        : `its container ${name} ended with exit code ${ended.exitCode ?? '?'}`
    // One that runs again and was not restarted more than once may have had a bad start only.
    if (state?.running && restartCount < 2) return undefined
    return {
      why: `${why}${restartCount > 0 ? `, ${restartCount} times restarted` : ''}`,
      mend: `kubectl -n ${pod.namespace} logs ${pod.name} -c ${name}${previous ? ' --previous' : ''}`,
      crashed: { pod: pod.name, container: name, previous },
    }
  }
  if (reason && !['ContainerCreating', 'PodInitializing'].includes(reason)) {
    return { why: `its container ${name} waits: ${clause(reason, message)}` }
  }
  return undefined
}

function clause(reason: unknown, message: unknown): string {
  const text = [reason, message].filter((part) => typeof part === 'string' && part !== '').join(': ')
  return text.replaceAll(/\s+/g, ' ').trim()
}
