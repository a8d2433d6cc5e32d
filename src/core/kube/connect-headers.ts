import type { Impersonation } from './connection.ts'

/** Header names and values in order; a name may come more than once. */
export type HeaderList = readonly (readonly [string, string])[]

// Headers carry bytes; Go sends UTF-8, Node writes each letter below 256 as one byte.
function utf8Bytes(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1')
}

// client-go, transport.headerKeyEscape: everything but RFC 7230 token letters, and the percent sign itself.
function escapeKey(key: string): string {
  return [...Buffer.from(key, 'utf8')]
    .map((byte) => {
      const letter = String.fromCodePoint(byte)
      return /[A-Za-z0-9!#$&'*+.^_`|~-]/.test(letter)
        ? letter
        : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`
    })
    .join('')
}

/** The headers by which the API server acts as somebody else. */
export function impersonationHeaders(impersonate: Impersonation | undefined): HeaderList {
  if (!impersonate) return []
  const { user, uid, groups, extra } = impersonate
  return [
    ['impersonate-user', utf8Bytes(user)],
    ...(uid ? [['impersonate-uid', utf8Bytes(uid)] as const] : []),
    ...groups.map((group) => ['impersonate-group', utf8Bytes(group)] as const),
    ...Object.entries(extra).flatMap(([key, values]) =>
      values.map((value) => [`impersonate-extra-${escapeKey(key)}`, utf8Bytes(value)] as const),
    ),
  ]
}
