import type { KubernetesObject } from '../../../core/wire/admission-review.ts'

/** What stands in place of a Secret's value, as in `kubectl diff`. */
const HIDDEN_VALUE = '***'

const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration'

/**
 * A Secret with `***` for each value, its copy in the last-applied annotation included; any other object as it is.
 * Who wrote which key is still known.
 */
export function withoutSecretValues(object: KubernetesObject): KubernetesObject {
  if (object.kind !== 'Secret' || object.apiVersion !== 'v1') return object
  const { metadata } = object
  const annotations = metadata?.annotations
  return {
    ...object,
    ...hiddenPart(object, 'data'),
    ...hiddenPart(object, 'stringData'),
    ...(annotations && Object.hasOwn(annotations, LAST_APPLIED)
      ? { metadata: { ...metadata, annotations: { ...annotations, [LAST_APPLIED]: HIDDEN_VALUE } } }
      : {}),
  }
}

function hiddenPart(object: KubernetesObject, part: 'data' | 'stringData'): KubernetesObject {
  const values = object[part]
  if (typeof values !== 'object' || values === null) return {}
  return { [part]: Object.fromEntries(Object.keys(values).map((key) => [key, HIDDEN_VALUE])) }
}
