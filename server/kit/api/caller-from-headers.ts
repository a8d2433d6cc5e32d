import { ApiError } from './api-error.ts'
import type { Caller } from './caller.ts'
import type { FrontProxyTrust } from './front-proxy.ts'

const UTF_8 = new TextDecoder('utf-8', { fatal: true })

/**
 * Who calls, from the headers of a front proxy that was verified before (k8s.io/apiserver, requestheader.go). Reads
 * the raw headers, since Node joins repeated ones with ", ", and a group's name may hold a comma. ApiError Unauthorized
 * where nobody is named.
 */
export function callerFromHeaders(
  rawHeaders: readonly string[],
  trust: Pick<FrontProxyTrust, 'usernameHeaders' | 'uidHeaders' | 'groupHeaders' | 'extraHeaderPrefixes'>,
): Caller {
  const headers: (readonly [name: string, value: string])[] = []
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    headers.push([rawHeaders[index]?.toLowerCase() ?? '', rawHeaders[index + 1] ?? ''])
  }
  const all = (names: readonly string[]): readonly string[] =>
    names.flatMap((name) => headers.filter(([header]) => header === name).map(([, value]) => utf8(value)))
  const username = all(trust.usernameHeaders).find((value) => value !== '')
  if (username === undefined) throw new ApiError('Unauthorized', 'the front proxy names no user')
  return {
    username,
    uid: all(trust.uidHeaders).find((value) => value !== '') ?? '',
    groups: all(trust.groupHeaders),
    extra: extraOf(headers, trust.extraHeaderPrefixes),
  }
}

function extraOf(
  headers: readonly (readonly [name: string, value: string])[],
  prefixes: readonly string[],
): Readonly<Record<string, readonly string[]>> {
  const extra = new Map<string, string[]>()
  for (const prefix of prefixes) {
    for (const [name, value] of headers) {
      if (!name.startsWith(prefix)) continue
      const key = extraKey(name.slice(prefix.length))
      extra.set(key, [...(extra.get(key) ?? []), utf8(value)])
    }
  }
  // Also a key such as __proto__ becomes a property of the object's own.
  return Object.fromEntries(extra)
}

/** Keys such as authentication.kubernetes.io/credential-id are no header names and come percent-encoded. */
function extraKey(encoded: string): string {
  try {
    return decodeURIComponent(encoded)
  } catch {
    return encoded
  }
}

/** Node gives the bytes of a header as Latin-1; names are UTF-8. */
function utf8(value: string): string {
  try {
    return UTF_8.decode(Buffer.from(value, 'latin1'))
  } catch (cause) {
    // Two different names must not become one by replacement characters.
    throw new ApiError('Unauthorized', 'the front proxy names somebody who is not UTF-8', { cause })
  }
}
