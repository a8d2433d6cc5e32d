import type {
  AdmissionRequest,
  GroupVersionKind,
  GroupVersionResource,
  KubernetesObject,
} from '../../../src/core/wire/admission-review.ts'

type Fields = Readonly<Record<string, unknown>>

const OPERATIONS = ['CREATE', 'UPDATE', 'DELETE', 'CONNECT'] as const
const MAX_UID = 256

/**
 * The request of an AdmissionReview (admission.k8s.io/v1), with the fields that are read and nothing else; undefined where
 * the text is none. Anybody may send anything, so nothing is taken for what it should be.
 */
export function readReview(text: string): AdmissionRequest | undefined {
  let review: unknown
  try {
    review = JSON.parse(text)
  } catch {
    return undefined
  }
  if (!isFields(review) || review.kind !== 'AdmissionReview') return undefined
  if (review.apiVersion !== 'admission.k8s.io/v1' || !isFields(review.request)) return undefined
  return readRequest(review.request)
}

function readRequest(request: Fields): AdmissionRequest | undefined {
  const { uid } = request
  const kind = readKind(request.kind)
  const resource = readResource(request.resource)
  const operation = OPERATIONS.find((one) => one === request.operation)
  if (typeof uid !== 'string' || uid === '' || uid.length > MAX_UID) return undefined
  if (!kind || !resource || !operation) return undefined
  const requestKind = readKind(request.requestKind)
  const requestResource = readResource(request.requestResource)
  return {
    uid,
    kind,
    resource,
    ...textOf(request, 'subResource'),
    ...(requestKind ? { requestKind } : {}),
    ...(requestResource ? { requestResource } : {}),
    ...textOf(request, 'requestSubResource'),
    ...textOf(request, 'name'),
    ...textOf(request, 'namespace'),
    operation,
    userInfo: readUser(request.userInfo),
    ...objectOf(request, 'object'),
    ...objectOf(request, 'oldObject'),
    ...(request.dryRun === true ? { dryRun: true } : {}),
    ...(isFields(request.options) ? { options: textOf(request.options, 'fieldManager') } : {}),
  }
}

function readKind(value: unknown): GroupVersionKind | undefined {
  if (!isFields(value)) return undefined
  const { group = '', version, kind } = value
  if (typeof group !== 'string' || typeof version !== 'string' || typeof kind !== 'string') return undefined
  return { group, version, kind }
}

function readResource(value: unknown): GroupVersionResource | undefined {
  if (!isFields(value)) return undefined
  const { group = '', version, resource } = value
  if (typeof group !== 'string' || typeof version !== 'string' || typeof resource !== 'string')
    return undefined
  return { group, version, resource }
}

function readUser(value: unknown): AdmissionRequest['userInfo'] {
  if (!isFields(value)) return {}
  return {
    ...textOf(value, 'username'),
    ...textOf(value, 'uid'),
    ...(Array.isArray(value.groups) ? { groups: textsOf(value.groups) } : {}),
    ...(isFields(value.extra) ? { extra: readExtra(value.extra) } : {}),
  }
}

function readExtra(extra: Fields): Readonly<Record<string, readonly string[]>> {
  return Object.fromEntries(
    Object.entries(extra).flatMap(([key, values]) => (Array.isArray(values) ? [[key, textsOf(values)]] : [])),
  )
}

function textsOf(values: readonly unknown[]): readonly string[] {
  return values.filter((value) => typeof value === 'string')
}

function textOf<Key extends string>(fields: Fields, key: Key): { readonly [key in Key]?: string } {
  const value = fields[key]
  return typeof value === 'string' ? ({ [key]: value } as { readonly [key in Key]?: string }) : {}
}

function objectOf<Key extends string>(
  fields: Fields,
  key: Key,
): { readonly [key in Key]?: KubernetesObject } {
  const value = fields[key]
  if (!isFields(value)) return {}
  // Whatever metadata is, others read it as an object.
  const sound = value.metadata === undefined || isFields(value.metadata)
  return sound ? ({ [key]: value } as { readonly [key in Key]?: KubernetesObject }) : {}
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
