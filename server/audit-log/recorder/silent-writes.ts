import type { SilentReason } from '../../../src/core/model/change-facts.ts'
import type { KubernetesObject, ManagedFieldsEntry } from '../../../src/core/wire/admission-review.ts'
import type { ChangeOperation } from '../../../src/core/wire/change.ts'
import type { AuditLogConfig, RecordedResource } from '../config.ts'
import { leavesOutNamespace, placeOf } from '../left-out-namespace.ts'

/** A step of an object, of which it is asked whether there should have been a review. */
export interface SeenStep {
  readonly recorded: RecordedResource
  readonly operation: Exclude<ChangeOperation, 'CONNECT'>
  readonly namespace: string
  readonly name: string
  /** As it was seen; undefined where only its end was. */
  readonly object: KubernetesObject | undefined
  readonly unchanged: boolean
  /** The deletion had begun before, and this is its end. */
  readonly finished: boolean
  readonly skipped: boolean
}

/** Whom the API server does not ask the webhook about. */
export interface SilentRules {
  readonly config: Pick<AuditLogConfig, 'auditExclude' | 'auditInclude' | 'auditConditions'>
  /** Left out whatever the options say: `unrecordedNamespaces`. */
  readonly namespaces: readonly string[]
}

/** Managers of Kubernetes' own parts, whose writes of pods are not reviewed. */
const PART_OF_KUBERNETES = /^(?:kube-controller-manager|kube-scheduler|kubelet|cloud-controller-manager)$/

/**
 * Why a step without a review is nobody's change, or of nobody whom the options record; undefined where a review is
 * missing. Where the options leave out writers by name or condition, the watch cannot tell whom: then a step without a
 * review counts as theirs, unless it was made while nobody looked.
 */
export function silentReason(step: SeenStep, rules: SilentRules): SilentReason | undefined {
  const { recorded, operation, object, skipped } = step
  if (step.finished) return 'finished'
  const metadataOnly = recorded.watch === 'metadata'
  const byStatus = metadataOnly && operation === 'UPDATE' && newestEntry(object)?.subresource === 'status'
  // Metadata that is as it was says nothing of the rest.
  if ((step.unchanged && !metadataOnly) || byStatus) return 'noise'
  if (!recorded.operations.includes(operation)) return 'unrecorded'
  if (leftOut(step, rules)) return 'excluded'
  if (recorded.group === '' && recorded.resource === 'pods' && metadataOnly && byMachinery(step))
    return 'excluded'
  return !skipped && choosesWriters(rules) ? 'excluded' : undefined
}

/** The entry of managedFields that was written last. */
export function newestEntry(object: KubernetesObject | undefined): ManagedFieldsEntry | undefined {
  let newest: ManagedFieldsEntry | undefined
  for (const entry of object?.metadata?.managedFields ?? []) {
    if (newest === undefined || (entry.time ?? '') >= (newest.time ?? '')) newest = entry
  }
  return newest
}

function leftOut({ recorded, namespace, name }: SeenStep, { config, namespaces }: SilentRules): boolean {
  const at = { ...recorded, namespace, name }
  return namespaces.includes(placeOf(at)) || leavesOutNamespace(config, at)
}

function byMachinery({ operation, object }: SeenStep): boolean {
  if (operation === 'CREATE') return PART_OF_KUBERNETES.test(newestEntry(object)?.manager ?? '')
  // Nobody's name is in a deletion: a pod that has a controller is deleted by it, or by the garbage collector.
  if (!object) return true
  return object.metadata?.ownerReferences?.some(({ controller }) => controller === true) ?? false
}

function choosesWriters({ config }: SilentRules): boolean {
  const { auditExclude, auditInclude, auditConditions } = config
  const named = [auditExclude, auditInclude].some(
    ({ users, groups, extra }) => users.length + groups.length + extra.length > 0,
  )
  return named || auditConditions.length > 0
}
