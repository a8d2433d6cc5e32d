import { OWNED_SELECTOR } from '../../../../server/deploy/index.ts'
import { DeckError } from '../../../core/lib/errors.ts'
import type { Clock } from '../../../core/lib/time.ts'
import { DECKWATCH_API_VERSION } from '../../../core/wire/image.ts'
import { KINDS, spokenName, type ObjectRef } from './kinds.ts'
import { mayPass } from './may-pass.ts'
import type { UninstallPlan } from './plan-uninstall.ts'
import type { ClusterPort } from './ports.ts'
import { PROBE_LIMIT_MS } from './reach.ts'
import { fieldOf } from './stored-object.ts'

/** What a removal tells while it goes on. */
export type UninstallStep =
  { readonly type: 'deleted'; readonly ref: ObjectRef } | { readonly type: 'waiting'; readonly for: string }

/** What a removal stands on. */
export interface UninstallDeps {
  readonly cluster: ClusterPort
  readonly clock: Clock
}

const LOOK_MS = 500

interface NamespaceState {
  readonly conditions: readonly {
    readonly type: string
    readonly status: string
    readonly message?: string
  }[]
}

/**
 * Removes what was planned and ends when all of it is gone: the webhook first, on which every write would wait, then the
 * APIService, since the cluster can delete no namespace while it is registered and nothing answers. DeckError COMPANION_STAYS where something is not gone in time.
 */
export async function* uninstall(
  { cluster, clock }: UninstallDeps,
  plan: UninstallPlan,
  timeoutMs: number,
  signal: AbortSignal,
): AsyncGenerator<UninstallStep> {
  const until = clock.now() + timeoutMs
  const { namespace, apiService, objects, data, ownNamespace, terminating } = plan
  const gone = async (isGone: () => Promise<boolean>, explain: () => Promise<string>): Promise<void> => {
    for (;;) {
      try {
        if (await isGone()) return
      } catch (error) {
        if (clock.now() >= until || !mayPass(error)) throw error
        await clock.sleep(LOOK_MS, signal)
        continue
      }
      if (clock.now() >= until) {
        throw new DeckError('COMPANION_STAYS', await explain(), {
          hint: 'It may still go by itself; run the same command again, or give it longer with --timeout.',
        })
      }
      await clock.sleep(LOOK_MS, signal)
    }
  }

  const webhooks = objects.filter(({ kind }) => kind === KINDS.ValidatingWebhookConfiguration)
  yield* remove(cluster, webhooks, signal)
  if (apiService) {
    if (await cluster.delete(apiService, signal)) yield { type: 'deleted', ref: apiService }
    yield { type: 'waiting', for: 'the API group to leave discovery' }
    await gone(
      async () =>
        (await cluster.probe(`/apis/${DECKWATCH_API_VERSION}`, PROBE_LIMIT_MS, signal)).status === 404,
      async () => `the API server still serves ${DECKWATCH_API_VERSION}`,
    )
  }

  // Workloads first: what they need is taken from under no running pod.
  const [workloads, others] = [
    objects.filter(({ kind }) => kind === KINDS.Deployment),
    objects.filter((ref) => ref.kind !== KINDS.Deployment && !webhooks.includes(ref)),
  ]
  yield* remove(cluster, workloads, signal)
  if (!terminating && workloads.length > 0) {
    yield { type: 'waiting', for: 'the pods to end' }
    await gone(
      async () => (await listPods()).length === 0,
      async () => `pods have not ended: ${(await listPods()).join(', ')}`,
    )
  }
  yield* remove(cluster, [...others, ...data], signal)
  // Made by what still ran a moment ago, as a Lease or a Secret.
  for (const ref of [...others, ...data]) {
    await gone(
      async () => (await cluster.get(ref, signal)) === undefined,
      async () => `${spokenName(ref)} is marked for deletion and not gone`,
    )
  }
  if (ownNamespace) yield* remove(cluster, [ownNamespace], signal)
  if (ownNamespace || terminating) {
    const ref = { kind: KINDS.Namespace, name: namespace }
    yield { type: 'waiting', for: `namespace ${namespace} to be gone` }
    await gone(
      async () => (await cluster.get(ref, signal)) === undefined,
      async () => `namespace ${namespace} is not gone: ${await whatHolds(cluster, ref, signal)}`,
    )
    if (terminating) yield { type: 'deleted', ref }
  }

  async function listPods(): Promise<readonly string[]> {
    const query = { kind: KINDS.Pod, namespace, labelSelector: OWNED_SELECTOR, metadataOnly: true }
    return (await cluster.list(query, signal)).map(({ metadata }) => metadata.name)
  }
}

async function* remove(
  cluster: ClusterPort,
  refs: readonly ObjectRef[],
  signal: AbortSignal,
): AsyncGenerator<UninstallStep> {
  for (const ref of refs) if (await cluster.delete(ref, signal)) yield { type: 'deleted', ref }
}

/** What the namespace controller says it waits for. */
async function whatHolds(cluster: ClusterPort, ref: ObjectRef, signal: AbortSignal): Promise<string> {
  const { conditions = [] } = fieldOf<NamespaceState>(await cluster.get(ref, signal), 'status')
  const messages = conditions.flatMap(({ status, message }) =>
    status === 'True' && message !== undefined ? [message] : [],
  )
  return messages.join('; ') || 'the cluster has not said what holds it'
}
