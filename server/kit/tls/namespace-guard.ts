import { requestJson } from '../../../src/core/kube/json-request.ts'
import type { KubeTransport } from '../../../src/core/kube/transport.ts'
import type { Watched } from '../../../src/core/kube/watch-frame.ts'
import { DeckError } from '../../../src/core/lib/errors.ts'
import type { Clock } from '../../../src/core/lib/time.ts'
import type { Log } from '../log.ts'
import { API_SERVICES, apiServiceFromJson } from './api-service.ts'
import { repeatStep } from './repeat-step.ts'
import { followObject } from './single-object.ts'
import { Wakeup } from './wakeup.ts'

/** Whose end takes which APIService with it. */
export interface NamespaceGuard {
  readonly transport: KubeTransport
  /** The companion's own. */
  readonly namespace: string
  /** Removed only where it points to a Service of that namespace. */
  readonly apiService: string
  readonly clock: Clock
  readonly log: Log
  readonly random?: () => number
}

interface NamespaceSlice extends Watched {
  readonly ending: boolean
}

/** Our ServiceAccount is deleted together with the namespace: there are seconds, or less. */
const RETRY_MS = 200

const LOOK_AGAIN_MS = 5000

/**
 * Removes the APIService as soon as the companion's namespace is being deleted, until the signal aborts: one whose
 * server is gone makes every later deletion of a namespace in the cluster hang (NamespaceDeletionDiscoveryFailure).
 */
export async function guardNamespace(guard: NamespaceGuard, signal: AbortSignal): Promise<void> {
  const { transport, namespace, clock, log, random = Math.random } = guard
  const step = async (): Promise<void> => {
    const object = {
      transport,
      path: '/api/v1/namespaces',
      name: namespace,
      purpose: { resource: 'namespaces', namespaced: false },
      fromJson: namespaceFromJson,
      clock,
      random,
    }
    for await (const state of followObject(object, signal)) {
      if (!state || state.ending) await removeApiService(guard, signal)
    }
  }
  await repeatStep(
    { periodMs: LOOK_AGAIN_MS, what: 'follow the own namespace', clock, random, log, step },
    signal,
  )
}

/** The same as one look, for when the process is asked to end; rejects where it could not find out. */
export async function checkNamespace(guard: NamespaceGuard, signal: AbortSignal): Promise<void> {
  const { transport, namespace } = guard
  let ending = false
  try {
    const found = await requestJson<unknown>(transport, {
      path: `/api/v1/namespaces/${namespace}`,
      purpose: { verb: 'get', resource: 'namespaces', name: namespace, namespaced: false },
      signal,
    })
    ;({ ending } = namespaceFromJson(found))
  } catch (error) {
    if (!(error instanceof DeckError && error.status === 404)) throw error
    ending = true
  }
  if (ending) await removeApiService(guard, signal)
}

/** Tries until it is gone, or points to another namespace, or the signal aborts. */
async function removeApiService(guard: NamespaceGuard, signal: AbortSignal): Promise<void> {
  const { apiService, clock, log } = guard
  let told = ''
  while (!signal.aborted) {
    try {
      if (await removeOnce(guard, signal))
        log.warn({ apiService }, 'the namespace ends: removed the APIService')
      return
    } catch (error) {
      if (signal.aborted) return
      const reason = error instanceof Error ? error.message : String(error)
      if (reason !== told) log.error({ err: error, apiService }, 'cannot remove the APIService; trying again')
      told = reason
    }
    await new Wakeup().wait(clock, RETRY_MS, signal)
  }
}

async function removeOnce(
  { transport, namespace, apiService }: NamespaceGuard,
  signal: AbortSignal,
): Promise<boolean> {
  const resource = 'apiservices.apiregistration.k8s.io'
  const { items } = await requestJson<{ readonly items?: readonly unknown[] | null }>(transport, {
    path: `${API_SERVICES}?fieldSelector=${encodeURIComponent(`metadata.name=${apiService}`)}`,
    purpose: { verb: 'list', resource, name: apiService, namespaced: false },
    signal,
  })
  const found = items?.map(apiServiceFromJson).find((candidate) => candidate.namespace === namespace)
  if (!found) return false
  try {
    await requestJson(transport, {
      method: 'DELETE',
      path: `${API_SERVICES}/${apiService}`,
      body: { apiVersion: 'v1', kind: 'DeleteOptions', preconditions: { uid: found.uid } },
      purpose: { verb: 'delete', resource, name: apiService, namespaced: false },
      signal,
    })
  } catch (error) {
    if (!(error instanceof DeckError && error.status === 404)) throw error
  }
  return true
}

function namespaceFromJson(value: unknown): NamespaceSlice {
  const { metadata } = value as {
    readonly metadata?: {
      readonly uid?: string
      readonly resourceVersion?: string
      readonly deletionTimestamp?: string
    }
  }
  return {
    uid: metadata?.uid ?? '',
    resourceVersion: metadata?.resourceVersion ?? '',
    ending: metadata?.deletionTimestamp !== undefined,
  }
}
