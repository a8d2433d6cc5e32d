import { DEFAULT_VALUES } from '../../../../server/deploy/index.ts'
import { DeckError } from '../../../core/lib/errors.ts'
import { DECKWATCH_API_VERSION } from '../../../core/wire/image.ts'
import type { CompanionStatus } from '../../../core/wire/companion-status.ts'
import type { ApiReport, CompanionReport, PodReport, RightReport } from './companion-report.ts'
import { installedStorage } from './installed-storage.ts'
import { API_SERVICE, helmRelease, servedBy } from './installation.ts'
import { KINDS } from './kinds.ts'
import type { Trouble } from './pod-trouble.ts'
import type { ClusterPort } from './ports.ts'
import { podProxyPath, PROBE_LIMIT_MS, reachThroughAggregation, type AggregatedReach } from './reach.ts'
import { readWorkloads, workloadTroubles } from './rollout.ts'
import { conditionOf, fieldOf, type StoredObject } from './stored-object.ts'

/** What `status` is asked. */
export interface StatusQuery {
  /** Undefined: where the APIService says, else the default. */
  readonly namespace: string | undefined
  /** The context's, where the caller's rights are asked for. */
  readonly ownNamespace: string
  readonly cliVersion: string
}

/** What was found out before anybody judged it. */
export interface StatusFacts extends Omit<CompanionReport, 'problems' | 'warnings'> {
  readonly troubles: readonly Trouble[]
  /** False where the APIService points at a namespace or Service that is gone; undefined where that could not be seen. */
  readonly home?: boolean
}

const GROUP = 'deckwatch.dev'

/** Asks everything at once; what the caller may not see is named in `unseen` and left out. */
export async function readStatus(
  cluster: ClusterPort,
  { namespace: wanted, ownNamespace, cliVersion }: StatusQuery,
  signal: AbortSignal,
): Promise<StatusFacts> {
  const unseen = new Set<string>()
  const see = async <T>(what: string, pending: Promise<T>): Promise<T | undefined> => {
    try {
      return await pending
    } catch (error) {
      if (!(error instanceof DeckError) || error.status !== 403) throw error
      unseen.add(what)
      return undefined
    }
  }
  const apiService = await see('apiservices', cluster.get(API_SERVICE, signal))
  const service = servedBy(apiService)
  const namespace = wanted ?? service?.namespace ?? DEFAULT_VALUES.namespace
  const [kubernetes, [reach, rights], workloads, home, held] = await Promise.all([
    kubernetesVersion(cluster, signal),
    reachWithRights(cluster, ownNamespace, signal),
    readWorkloads(cluster, namespace, signal, (what, error) => {
      if (error.status !== 403) throw error
      unseen.add(`${what} in namespace ${namespace}`)
    }),
    service && see(`services in namespace ${service.namespace}`, hasHome(cluster, service, signal)),
    see('namespaces', heldNamespaces(cluster, signal)),
  ])
  const { deployments } = workloads
  const pods = workloads.pods.filter(({ metadata }) => metadata.deletionTimestamp === undefined)
  const podReports = await Promise.all(pods.map((pod) => readPod(cluster, pod, unseen, signal)))
  const helm = deployments.map(helmRelease).find((release) => release !== undefined)
  return {
    apiVersion: DECKWATCH_API_VERSION,
    kind: 'CompanionReport',
    namespace,
    versions: {
      cli: cliVersion,
      ...(kubernetes === undefined ? {} : { kubernetes }),
      companion: [...new Set(podReports.flatMap(({ status }) => status?.version ?? []))],
    },
    ...(helm ? { helm } : {}),
    deployments: deployments.map(deploymentReport),
    pods: podReports,
    api: apiReport(apiService, unseen.has('apiservices'), reach, held ?? []),
    rights,
    unseen: [...unseen],
    troubles: workloadTroubles(workloads),
    ...(home === undefined ? {} : { home }),
  }
}

async function kubernetesVersion(cluster: ClusterPort, signal: AbortSignal): Promise<string | undefined> {
  const { status, body } = await cluster.probe('/version', PROBE_LIMIT_MS, signal)
  if (status !== 200) return undefined
  try {
    return (JSON.parse(body) as { gitVersion?: string }).gitVersion?.replace(/^v/, '')
  } catch {
    return undefined
  }
}

async function hasHome(
  cluster: ClusterPort,
  { namespace, name }: { readonly namespace: string; readonly name: string },
  signal: AbortSignal,
): Promise<boolean> {
  return (await cluster.get({ kind: KINDS.Service, namespace, name }, signal)) !== undefined
}

async function heldNamespaces(cluster: ClusterPort, signal: AbortSignal): Promise<readonly string[]> {
  const namespaces = await cluster.list({ kind: KINDS.Namespace }, signal)
  return namespaces
    .filter((namespace) => {
      const failure = conditionOf(namespace, 'NamespaceDeletionDiscoveryFailure')
      return failure?.status === 'True' && failure.message?.includes(GROUP) === true
    })
    .map(({ metadata }) => metadata.name)
}

/** What is served, and whether the caller may read it. */
async function reachWithRights(
  cluster: ClusterPort,
  ownNamespace: string,
  signal: AbortSignal,
): Promise<readonly [AggregatedReach, readonly RightReport[]]> {
  const reach = await reachThroughAggregation(cluster, signal)
  return [reach, await readRights(cluster, reach.resources, ownNamespace, signal)]
}

/** The right on our resource, and the one on what is behind it, which the companion asks for too. */
async function readRights(
  cluster: ClusterPort,
  served: readonly string[],
  ownNamespace: string,
  signal: AbortSignal,
): Promise<readonly RightReport[]> {
  const recordsChanges = served.includes('changes')
  const questions = [undefined, ownNamespace].flatMap((namespace) => [
    ...(recordsChanges && !served.includes('images')
      ? []
      : [
          { group: GROUP, resource: 'images', namespace },
          { group: '', resource: 'pods', namespace },
        ]),
    // What is behind a change is another thing each time.
    ...(recordsChanges ? [{ group: GROUP, resource: 'changes', namespace }] : []),
  ])
  return Promise.all(
    questions.map(async ({ group, resource, namespace }) => ({
      verb: 'list',
      resource: group === '' ? resource : `${resource}.${group}`,
      ...(namespace === undefined ? {} : { namespace }),
      allowed: await cluster.may({ verb: 'list', group, resource, namespace }, signal),
    })),
  )
}

function deploymentReport(deployment: StoredObject): CompanionReport['deployments'][number] {
  const { replicas = 1, template } = fieldOf<DeploymentSpec>(deployment, 'spec')
  const storage = installedStorage(deployment)?.type
  return {
    name: deployment.metadata.name,
    image: template?.spec?.containers?.[0]?.image ?? '',
    wanted: replicas,
    ready: fieldOf<{ readyReplicas: number }>(deployment, 'status').readyReplicas ?? 0,
    ...(storage === undefined ? {} : { storage }),
  }
}

interface DeploymentSpec {
  readonly replicas: number
  readonly template: { readonly spec?: { readonly containers?: readonly { readonly image?: string }[] } }
}

async function readPod(
  cluster: ClusterPort,
  pod: StoredObject,
  unseen: Set<string>,
  signal: AbortSignal,
): Promise<PodReport> {
  const { nodeName } = fieldOf<{ nodeName: string }>(pod, 'spec')
  const status = await readPodStatus(cluster, pod, unseen, signal)
  return {
    name: pod.metadata.name,
    ...(nodeName === undefined ? {} : { node: nodeName }),
    ready: conditionOf(pod, 'Ready')?.status === 'True',
    ...(status ? { status } : {}),
  }
}

async function readPodStatus(
  cluster: ClusterPort,
  pod: StoredObject,
  unseen: Set<string>,
  signal: AbortSignal,
): Promise<CompanionStatus | undefined> {
  const path = podProxyPath(pod, '/statusz')
  const { phase } = fieldOf<{ phase: string }>(pod, 'status')
  if (path === undefined || phase !== 'Running') return undefined
  const why = await askStatus()
  if (typeof why !== 'string') return why
  unseen.add(why)
  return undefined

  async function askStatus(): Promise<CompanionStatus | string> {
    const { name, namespace = '' } = pod.metadata
    try {
      const { status, body } = await cluster.probe(path ?? '', PROBE_LIMIT_MS, signal)
      if (status === 200) return JSON.parse(body) as CompanionStatus
      if (status === 403) return `what pods tell of themselves (pods/proxy in namespace ${namespace})`
      return `what pod ${name} tells of itself (it answered ${status})`
    } catch (error) {
      if (error instanceof DeckError && error.code !== 'KUBE_TIMEOUT') throw error
      signal.throwIfAborted()
      return `what pod ${name} tells of itself (${error instanceof DeckError ? 'no answer' : 'no JSON'})`
    }
  }
}

function apiReport(
  apiService: StoredObject | undefined,
  hidden: boolean,
  reach: AggregatedReach,
  held: readonly string[],
): ApiReport {
  const available = conditionOf(apiService, 'Available')
  const mayNotAsk = !reach.ok && reach.forbidden
  return {
    ...(hidden ? {} : { registered: apiService !== undefined }),
    ...(available ? { available: available.status === 'True' } : {}),
    ...(available && available.status !== 'True'
      ? { reason: [available.reason, available.message].filter(Boolean).join(': ') }
      : {}),
    ...(mayNotAsk ? {} : { answers: reach.ok, milliseconds: reach.milliseconds }),
    ...(reach.ok || mayNotAsk ? {} : { cause: reach.cause }),
    resources: reach.resources,
    heldNamespaces: held,
  }
}
