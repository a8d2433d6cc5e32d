import type { ClusterConnection } from '../../../core/kube/connection.ts'
import { requestJson, type JsonRequest } from '../../../core/kube/json-request.ts'
import type { KubeTransport } from '../../../core/kube/transport.ts'
import { DeckError } from '../../../core/lib/errors.ts'
import type { KubernetesObject } from '../../../core/wire/admission-review.ts'
import type { ResourceType } from '../../features/blame/ports.ts'
import type { UndoPlan } from '../../features/blame/undo-plan.ts'
import { collectionPath } from '../../../core/kube/api-resource.ts'
import { objectPath, objectPurpose } from './object-ports.ts'

/** Under this name the API server keeps who wrote the fields. */
const FIELD_MANAGER = 'kubectl-blame-undo'

/** A plan that writes something. */
export type WritingPlan = Exclude<UndoPlan, { readonly type: 'nothing' }>

/** The object that a plan is about. */
export interface UndoTarget {
  readonly type: ResourceType
  readonly namespace: string | undefined
  readonly name: string
}

/**
 * Lets the API server do what a plan says, or with `dryRun` all of it but keeping it; gives the object as it then is,
 * or as it was where it is deleted. A DeckError UNDO_CONFLICT where something changed since the plan was made.
 */
export async function requestUndo(
  plan: WritingPlan,
  target: UndoTarget,
  { transport, connection }: { readonly transport: KubeTransport; readonly connection: ClusterConnection },
  { dryRun, signal }: { readonly dryRun: boolean; readonly signal: AbortSignal },
): Promise<KubernetesObject> {
  const request = writingRequest(plan, target, connection, dryRun)
  try {
    return await requestJson<KubernetesObject>(transport, { ...request, signal })
  } catch (error) {
    // A test of a JSON patch that fails is 422, a uid that is another one's 409, a name that is taken 409.
    if (!(error instanceof DeckError) || (error.status !== 409 && error.status !== 422)) throw error
    throw new DeckError('UNDO_CONFLICT', `nothing was written: ${error.message}`, {
      hint: 'The object may have changed meanwhile, or does not allow it: try again, and look at what differs then.',
      status: error.status,
      cause: error,
    })
  }
}

function writingRequest(
  plan: WritingPlan,
  { type, namespace, name }: UndoTarget,
  connection: ClusterConnection,
  dryRun: boolean,
): JsonRequest {
  const query = new URLSearchParams({ fieldManager: FIELD_MANAGER, ...(dryRun ? { dryRun: 'All' } : {}) })
  const path = objectPath(type, namespace, name)
  const purpose = (verb: string) => ({ ...objectPurpose(verb, type, namespace, connection), name })
  switch (plan.type) {
    case 'patch':
      return {
        method: 'PATCH',
        path: `${path}${plan.subresource === '' ? '' : `/${plan.subresource}`}?${query.toString()}`,
        body: plan.patch,
        contentType: 'application/json-patch+json',
        purpose: purpose('patch'),
      }
    case 'create':
      return {
        method: 'POST',
        path: `${collectionPath(type, namespace)}?${query.toString()}`,
        body: plan.object,
        contentType: 'application/json',
        purpose: purpose('create'),
      }
    case 'delete':
      return {
        method: 'DELETE',
        path,
        body: deleteOptions(plan, dryRun),
        contentType: 'application/json',
        purpose: purpose('delete'),
      }
  }
}

/** meta/v1 DeleteOptions: that very object only, and what it owns after it, as kubectl deletes. */
export function deleteOptions({ uid }: Extract<UndoPlan, { type: 'delete' }>, dryRun = false): object {
  return {
    kind: 'DeleteOptions',
    apiVersion: 'v1',
    preconditions: { uid },
    propagationPolicy: 'Background',
    ...(dryRun ? { dryRun: ['All'] } : {}),
  }
}
