import { requestJson } from '../../../src/core/kube/json-request.ts'
import { DeckError } from '../../../src/core/lib/errors.ts'
import { API_SERVICES, apiServiceFromJson } from './api-service.ts'
import { atNamespaceEnd, type LastAct, onNamespaceEnd, type OwnNamespace } from './namespace-end.ts'

/** Whose end takes which APIService with it. */
export interface NamespaceGuard extends OwnNamespace {
  /** Removed only where it points to a Service of that namespace. */
  readonly apiService: string
}

/**
 * Removes the APIService as soon as the companion's namespace is being deleted, until the signal aborts: one whose
 * server is gone makes every later deletion of a namespace in the cluster hang (NamespaceDeletionDiscoveryFailure).
 */
export function guardNamespace(guard: NamespaceGuard, signal: AbortSignal): Promise<void> {
  return onNamespaceEnd(guard, removal(guard), signal)
}

/** The same as one look, for when the process is asked to end; rejects where it could not find out. */
export function checkNamespace(guard: NamespaceGuard, signal: AbortSignal): Promise<void> {
  return atNamespaceEnd(guard, removal(guard), signal)
}

function removal(guard: NamespaceGuard): LastAct {
  return {
    what: 'remove the APIService',
    async act(signal) {
      const { apiService, log } = guard
      if (await removeOnce(guard, signal))
        log.warn({ apiService }, 'the namespace ends: removed the APIService')
    },
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
