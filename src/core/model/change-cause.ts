import type { KubernetesObject } from '../wire/admission-review.ts'
import type { ChangeCause, ChangeOperation } from '../wire/change.ts'
import { actorOf, serviceAccountOf } from './actor.ts'

/** A change as a cause names it. */
export interface CausingChange {
  /** metadata.name of the change. */
  readonly change: string
  readonly username: string
}

/** What is known of a change whose cause is asked for. */
export interface CausedChange {
  readonly operation: ChangeOperation
  readonly subresource: string
  readonly kind: string
  readonly namespace: string
  readonly name: string
  readonly uid: string
  /** Empty where nobody knows. */
  readonly username: string
  /** The object that was written; of a DELETE as it was before. */
  readonly object: KubernetesObject | undefined
}

/** Where earlier changes are looked up; undefined where none was recorded. */
export interface CauseLookups {
  /** The latest change of an object, or the latest that deleted it. */
  latest(uid: string, operation: 'DELETE' | undefined): CausingChange | undefined
  /** The latest eviction of a pod. */
  eviction(uid: string): CausingChange | undefined
  /** The uid of a namespace that is being deleted; undefined of any other. */
  endingNamespace(namespace: string): string | undefined
  /** The HorizontalPodAutoscaler that scales an object. */
  autoscaler(namespace: string, kind: string, name: string): string | undefined
}

/** The change or owner that led to a change: what Kubernetes' own controllers do follows from something else. */
export function causeOf(change: CausedChange, lookups: CauseLookups): ChangeCause | undefined {
  const account = serviceAccountOf(change.username)
  const controller = account?.namespace === 'kube-system' ? account.name : ''
  if (change.operation === 'DELETE') {
    const evicted = change.subresource === '' ? lookups.eviction(change.uid) : undefined
    if (evicted) return { type: 'eviction', object: `Pod ${change.name}`, ...evicted }
    const ending = lookups.endingNamespace(change.namespace)
    if (controller === 'namespace-controller' || (change.username === '' && ending !== undefined)) {
      const cause = ending === undefined ? undefined : lookups.latest(ending, 'DELETE')
      return { type: 'namespace', object: `Namespace ${change.namespace}`, ...(cause ?? NOT_RECORDED) }
    }
  }
  if (
    controller === 'horizontal-pod-autoscaler' ||
    (change.username === '' && change.subresource === 'scale')
  ) {
    const name = lookups.autoscaler(change.namespace, change.kind, change.name)
    if (name === undefined) return undefined
    return {
      type: 'autoscaler',
      object: `HorizontalPodAutoscaler ${name}`,
      ...NOT_RECORDED,
      username: change.username,
    }
  }
  const byMachine = change.username === '' || actorOf(change) === 'control-plane'
  return byMachine ? ownerCause(change, lookups) : undefined
}

const NOT_RECORDED: CausingChange = { change: '', username: '' }

function ownerCause({ object, operation }: CausedChange, lookups: CauseLookups): ChangeCause | undefined {
  const owners = object?.metadata?.ownerReferences ?? []
  const owner = owners.find(({ controller }) => controller === true) ?? owners[0]
  if (!owner) return undefined
  const deleted = operation === 'DELETE' ? lookups.latest(owner.uid, 'DELETE') : undefined
  const cause = deleted ?? lookups.latest(owner.uid, undefined) ?? NOT_RECORDED
  return { type: 'owner', object: `${owner.kind} ${owner.name}`, ...cause }
}
