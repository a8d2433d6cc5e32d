import { isMap } from '../../../core/model/object-diff-equal.ts'
import type { KubernetesObject } from '../../../core/wire/admission-review.ts'

type Fields = Record<string, unknown>

/** What the API server gives an object when it is created, and takes from nobody. */
const GIVEN = [
  'uid',
  'resourceVersion',
  'generation',
  'creationTimestamp',
  'deletionTimestamp',
  'deletionGracePeriodSeconds',
  'managedFields',
  'selfLink',
] as const

/** Labels by which a Job finds its pods; they hold the old object's uid. */
const JOB_LABELS = ['controller-uid', 'batch.kubernetes.io/controller-uid'] as const

/** Marks that tie a claim to a volume which no longer knows it. */
const CLAIM_ANNOTATIONS = ['pv.kubernetes.io/bind-completed', 'pv.kubernetes.io/bound-by-controller'] as const

/** The object as it can be created again: without what only the deleted one could have. */
export function creatable(object: KubernetesObject): KubernetesObject {
  const fresh = structuredClone(object) as Fields
  drop(fresh, ['status'])
  drop(fresh['metadata'], GIVEN)
  switch (`${object.apiVersion ?? ''} ${object.kind ?? ''}`) {
    case 'v1 Pod':
      // A pod that names its node passes by the scheduler, and the node may be gone.
      drop(fresh['spec'], ['nodeName'])
      break
    case 'v1 Namespace':
      drop(fresh['spec'], ['finalizers'])
      break
    case 'v1 PersistentVolumeClaim':
      drop(memberOf(fresh['metadata'], 'annotations'), CLAIM_ANNOTATIONS)
      break
    case 'batch/v1 Job':
      freeOfUid(fresh['spec'])
      break
  }
  return fresh
}

/** The API server refuses a Job whose generated selector is not the one that it would generate. */
function freeOfUid(spec: unknown): void {
  if (!isMap(spec) || spec['manualSelector'] === true) return
  drop(spec, ['selector'])
  const metadata = memberOf(spec['template'], 'metadata')
  drop(memberOf(metadata, 'labels'), JOB_LABELS)
}

function memberOf(value: unknown, key: string): unknown {
  return isMap(value) ? value[key] : undefined
}

function drop(value: unknown, keys: readonly string[]): void {
  if (!isMap(value)) return
  for (const key of keys) delete (value as Fields)[key]
}
