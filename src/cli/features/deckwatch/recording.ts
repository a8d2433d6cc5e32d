import { NAMES, OWNED_SELECTOR } from '../../../../server/deploy/index.ts'
import { DeckError } from '../../../core/lib/errors.ts'
import type { Clock } from '../../../core/lib/time.ts'
import type { CompanionStatus, RecordingStatus } from '../../../core/wire/companion-status.ts'
import { KINDS } from './kinds.ts'
import { mayPass } from './may-pass.ts'
import type { ClusterPort } from './ports.ts'
import { podProxyPath, PROBE_LIMIT_MS } from './reach.ts'
import { conditionOf } from './stored-object.ts'

/** The line that ends all reviews: the companion brings the configuration back for nobody. */
export const EMERGENCY_WEBHOOK_EXIT = `kubectl delete validatingwebhookconfiguration ${NAMES.auditLog}`

const LOOK_MS = 1000

/** What the pods say of their recording, the worst first; what cannot be asked or read says nothing. */
export function recordings(statuses: readonly (CompanionStatus | undefined)[]): readonly RecordingStatus[] {
  return statuses
    .flatMap((status) => status?.components ?? [])
    .flatMap(({ recording }) => recording ?? [])
    .toSorted((one, other) => Number(one.webhook.ok) - Number(other.webhook.ok))
}

/** How a wait for the recording ended. */
export interface RecordingStart {
  /** Why it could not be asked. */
  readonly unchecked?: string
}

/** Waits until a pod says that changes are recorded; DeckError COMPANION_NOT_READY with what it says in place of that. */
export async function waitForRecording(
  { cluster, clock }: { readonly cluster: ClusterPort; readonly clock: Clock },
  { namespace, until }: { readonly namespace: string; readonly until: number },
  signal: AbortSignal,
): Promise<RecordingStart> {
  for (;;) {
    const seen = await look(cluster, namespace, signal)
    if (seen.forbidden) return { unchecked: 'you may not get pods/proxy' }
    if (seen.found.some(({ webhook }) => webhook.ok)) return {}
    if (clock.now() >= until) {
      const reason = seen.found[0]?.webhook.reason ?? 'no pod says how its recording goes'
      throw new DeckError('COMPANION_NOT_READY', `changes are not recorded yet: ${reason}`, {
        hint: `All else is installed. It may still begin by itself; its log tells more: kubectl -n ${namespace} logs -l ${OWNED_SELECTOR}`,
      })
    }
    await clock.sleep(LOOK_MS, signal)
  }
}

async function look(
  cluster: ClusterPort,
  namespace: string,
  signal: AbortSignal,
): Promise<{ readonly found: readonly RecordingStatus[]; readonly forbidden: boolean }> {
  try {
    const pods = await cluster.list({ kind: KINDS.Pod, namespace, labelSelector: OWNED_SELECTOR }, signal)
    const ready = pods.filter(
      (pod) => pod.metadata.deletionTimestamp === undefined && conditionOf(pod, 'Ready')?.status === 'True',
    )
    const answers = await Promise.all(
      ready.map((pod) => cluster.probe(podProxyPath(pod, '/statusz') ?? '/', PROBE_LIMIT_MS, signal)),
    )
    return {
      found: recordings(answers.map(({ status, body }) => (status === 200 ? parsed(body) : undefined))),
      forbidden: answers.some(({ status }) => status === 403),
    }
  } catch (error) {
    if (!mayPass(error)) throw error
    return { found: [], forbidden: false }
  }
}

function parsed(body: string): CompanionStatus | undefined {
  try {
    return JSON.parse(body) as CompanionStatus
  } catch {
    return undefined
  }
}
