import { NAMES, OWNED_SELECTOR } from '../../../../server/deploy/index.ts'
import { DECKWATCH_API_VERSION } from '../../../core/wire/image.ts'
import { mayPass } from './may-pass.ts'
import type { Answer, ClusterPort } from './ports.ts'
import { fieldOf, type StoredObject } from './stored-object.ts'

/** How long one question to the companion may take, in milliseconds. */
export const PROBE_LIMIT_MS = 5000

const GROUP_VERSION_PATH = `/apis/${DECKWATCH_API_VERSION}`
const CAUSE_LENGTH = 300

/** Whether the companion answered, in how long, and if not, why not. */
export interface Reach {
  readonly ok: boolean
  readonly milliseconds: number
  /** What came back in place of an answer; empty where it is ok. */
  readonly cause: string
  /** 403: not the companion's fault, but the caller's right is missing. */
  readonly forbidden: boolean
}

/** What the aggregation layer said: how the companion answers there, and what it serves. */
export interface AggregatedReach extends Reach {
  /** Plural names, without subresources. */
  readonly resources: readonly string[]
}

/** Asks the Service's /readyz through the API server, which then reaches the pods by itself. */
export function reachService(cluster: ClusterPort, namespace: string, signal: AbortSignal): Promise<Reach> {
  const service = `https:${NAMES.companion}:443`
  return ask(cluster, `/api/v1/namespaces/${namespace}/services/${service}/proxy/readyz`, signal)
}

/** Where one pod's own listener is asked through the API server; undefined where the pod names no such port. */
export function podProxyPath(pod: StoredObject, path: string): string | undefined {
  const { name: podName, namespace = '' } = pod.metadata
  const { containers = [] } = fieldOf<PodPorts>(pod, 'spec')
  const port = containers.flatMap(({ ports = [] }) => ports).find(({ name }) => name === 'api')?.containerPort
  if (port === undefined) return undefined
  return `/api/v1/namespaces/${namespace}/pods/https:${podName}:${port}/proxy${path}`
}

/**
 * A real GET of the group and of one object of each resource that it lists, through the aggregation layer: an APIService
 * that is Available may still fail every request (its probe does not check what TLS shows).
 */
export async function reachThroughAggregation(
  cluster: ClusterPort,
  signal: AbortSignal,
): Promise<AggregatedReach> {
  const group = await askFor(cluster, GROUP_VERSION_PATH, signal)
  const resources = group.ok ? servedResources(group.body) : []
  if (!group.ok) return { ...group, resources }
  if (resources.length === 0) {
    return { ...group, ok: false, cause: `${GROUP_VERSION_PATH} lists no resource`, resources }
  }
  const lists = await Promise.all(
    resources.map((resource) => ask(cluster, `${GROUP_VERSION_PATH}/${resource}?limit=1`, signal)),
  )
  // Who may not list them learns at least that the companion serves discovery.
  const failed = lists.find(({ ok, forbidden }) => !ok && !forbidden)
  const forbidden = lists.some((list) => list.forbidden)
  return { ...(failed ?? group), forbidden, resources }
}

interface PodPorts {
  readonly containers: readonly {
    readonly ports?: readonly { readonly name?: string; readonly containerPort: number }[]
  }[]
}

async function ask(cluster: ClusterPort, path: string, signal: AbortSignal): Promise<Reach> {
  const { ok, milliseconds, cause, forbidden } = await askFor(cluster, path, signal)
  return { ok, milliseconds, cause, forbidden }
}

async function askFor(
  cluster: ClusterPort,
  path: string,
  signal: AbortSignal,
): Promise<Reach & { readonly body: string }> {
  try {
    const answer = await cluster.probe(path, PROBE_LIMIT_MS, signal)
    const ok = answer.status >= 200 && answer.status <= 299
    return {
      ok,
      milliseconds: answer.milliseconds,
      cause: ok ? '' : causeOf(answer),
      forbidden: answer.status === 403,
      body: answer.body,
    }
  } catch (error) {
    if (!mayPass(error)) throw error
    return { ok: false, milliseconds: PROBE_LIMIT_MS, cause: error.message, forbidden: false, body: '' }
  }
}

/** What the API server says is wrong: the message of its Status, or the text of its answer. */
function causeOf({ status, body }: Pick<Answer, 'status' | 'body'>): string {
  let said = body
  try {
    const value = JSON.parse(body) as { readonly message?: unknown }
    if (typeof value.message === 'string') said = value.message
  } catch {
    // The aggregation layer answers 503 as plain text.
  }
  const line = said.replaceAll(/\s+/g, ' ').trim()
  return `${status} ${line.length > CAUSE_LENGTH ? `${line.slice(0, CAUSE_LENGTH)}…` : line || 'without a word'}`
}

function servedResources(body: string): readonly string[] {
  try {
    const { resources = [] } = JSON.parse(body) as { readonly resources?: readonly { name?: unknown }[] }
    return resources.flatMap(({ name }) => (typeof name === 'string' && !name.includes('/') ? [name] : []))
  } catch {
    return []
  }
}

/** What helps where the API server does not reach the companion. */
export interface Advice {
  readonly text: string
  /** A command. */
  readonly mend: string
}

/** What to do where the API server does not reach the pods of a namespace, by what it said. */
export function adviceFor(cause: string, namespace: string): Advice {
  if (/x509|certificate|tls:/i.test(cause)) {
    return {
      text: 'The companion writes its authority into the APIService; its log tells why that did not serve.',
      mend: `kubectl -n ${namespace} logs -l ${OWNED_SELECTOR}`,
    }
  }
  if (/no endpoints|endpoints not found|MissingEndpoints|no ready/i.test(cause)) {
    return {
      text: 'No ready pod stands behind the Service.',
      mend: `kubectl -n ${namespace} get pods -l ${OWNED_SELECTOR}`,
    }
  }
  if (/connection refused|reset by peer|EOF/i.test(cause)) {
    return {
      text: 'Nothing listens in the pod: it has ended, or is starting again.',
      mend: `kubectl -n ${namespace} get pods -l ${OWNED_SELECTOR}`,
    }
  }
  if (/timeout|deadline|no route|i\/o|within \d/i.test(cause)) {
    return {
      text: 'The control plane must reach the pods on their API port, 10250; where a firewall or another network stands between, open it, or run the pods in the network of their node.',
      mend: 'kubectl deckwatch install --host-network',
    }
  }
  return {
    text: 'The APIService says what it found out itself.',
    mend: `kubectl get apiservice ${NAMES.apiService} -o yaml`,
  }
}
