import type { KubernetesObject } from '../wire/admission-review.ts'

/** Annotations that tools keep for themselves: a copy of the object, the number of a rollout. */
const NOISY_ANNOTATIONS = [
  'kubectl.kubernetes.io/last-applied-configuration',
  'deployment.kubernetes.io/revision',
] as const

/**
 * The object without what changes by itself or says nothing of its own: status, managedFields, resourceVersion,
 * generation, selfLink, and tools' annotations. An annotations map that held only those goes with them.
 */
export function withoutNoise(object: KubernetesObject): KubernetesObject {
  const { status: _status, ...rest } = object
  const { metadata } = rest
  if (metadata === undefined || metadata === null) return rest
  const {
    managedFields: _managedFields,
    resourceVersion: _resourceVersion,
    generation: _generation,
    selfLink: _selfLink,
    annotations,
    ...kept
  } = metadata
  const quiet = quietAnnotations(annotations)
  return { ...rest, metadata: quiet === undefined ? kept : { ...kept, annotations: quiet } }
}

type Annotations = NonNullable<KubernetesObject['metadata']>['annotations']

function quietAnnotations(annotations: Annotations): Readonly<Record<string, string>> | undefined {
  if (annotations === undefined || annotations === null) return undefined
  let quiet: Record<string, string> | undefined
  for (const name of NOISY_ANNOTATIONS) {
    if (!Object.hasOwn(annotations, name)) continue
    quiet ??= { ...annotations }
    delete quiet[name]
  }
  const left = quiet ?? annotations
  for (const _ in left) return left
  return undefined
}
