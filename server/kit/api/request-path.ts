import { ApiError } from './api-error.ts'
import { API_GROUP } from './authorize.ts'

/** The version of the API group that is served. */
export const API_VERSION = 'v1alpha1'

/** What a path below /apis/GROUP/VERSION names. */
export interface ResourcePath {
  readonly plural: string
  /** Undefined: all namespaces, or a cluster-scoped resource. */
  readonly namespace: string | undefined
  /** Undefined: the collection. */
  readonly name: string | undefined
}

/** The name of a namespace (RFC 1123 label). */
const NAMESPACE = /^[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?$/

/** A request target cut at its first `?`; nothing is decoded, so that dots and slashes stay where they were sent. */
export function splitTarget(target: string): { readonly path: string; readonly query: string } {
  const at = target.indexOf('?')
  return at < 0 ? { path: target, query: '' } : { path: target.slice(0, at), query: target.slice(at + 1) }
}

/**
 * The decoded segments of a raw path. kube-apiserver forwards paths uncleaned after RBAC looked at their beginning
 * only, so a path that could be read in two ways is refused: ApiError BadRequest for empty and dot segments, encoded
 * slashes, and what is not percent-encoded UTF-8.
 */
export function pathSegments(path: string): readonly string[] {
  if (!path.startsWith('/')) throw new ApiError('BadRequest', 'the request target is no path')
  return path.slice(1).split('/').map(segment)
}

function segment(raw: string): string {
  let text: string
  try {
    // Once: %2561 is the name %61, which no object has.
    text = decodeURIComponent(raw)
  } catch (cause) {
    throw new ApiError('BadRequest', 'the path is not percent-encoded UTF-8', { cause })
  }
  if (text === '' || text === '.' || text === '..' || /[/\\%\0]/.test(text)) {
    throw new ApiError(
      'BadRequest',
      'the path has an empty or dot segment, or an encoded slash or percent sign',
    )
  }
  return text
}

/** What the segments name, or undefined where they are not below /apis/GROUP/VERSION or name no resource that could be. */
export function resourcePath(segments: readonly string[]): ResourcePath | undefined {
  const [apis, group, version, ...rest] = segments
  if (apis !== 'apis' || group !== API_GROUP || version !== API_VERSION) return undefined
  if (rest[0] === 'namespaces' && rest.length > 1) {
    const [, namespace = '', plural, name, ...more] = rest
    if (plural === undefined || more.length > 0) return undefined
    if (!NAMESPACE.test(namespace)) throw new ApiError('BadRequest', 'the path has no valid namespace')
    return { plural, namespace, name }
  }
  const [plural, name, ...more] = rest
  return plural === undefined || more.length > 0 ? undefined : { plural, namespace: undefined, name }
}
