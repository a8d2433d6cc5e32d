import { DeckError } from '../lib/errors.ts'
import type { AuthMethod } from './connection.ts'

/** The server's address as it was given, and what gave it: a flag, a variable or a cluster of the kubeconfig. */
export interface GivenServer {
  readonly text: string
  /** `--server`, `cluster "prod"`. */
  readonly from: string
  readonly byFlag: boolean
}

/** The server's URL without a trailing slash, and the login that stood in it. */
export interface ServerAddress {
  readonly server: string
  readonly login: Extract<AuthMethod, { readonly kind: 'basic' }> | undefined
}

// Whatever may be a login, also where the text is no URL and its parts cannot be told apart.
function withoutLogin(text: string): string {
  return text.replace(/^([a-z][a-z0-9+.-]*:\/\/)?.*@/is, '$1')
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text)
  } catch {
    return undefined
  }
}

/** Reads the address of a server as client-go does; a login in it is never shown. */
export function parseServer({ text, from, byFlag }: GivenServer): ServerAddress {
  const refuse = (fault: string, hint: string): DeckError =>
    new DeckError(
      byFlag ? 'USAGE' : 'KUBECONFIG_MALFORMED',
      `the server ${JSON.stringify(withoutLogin(text))} of ${from} ${fault}`,
      { hint },
    )
  // As client-go: without a scheme it is plain http.
  const url = URL.parse(/^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `http://${text}`)
  const username = decoded(url?.username ?? '')
  const password = decoded(url?.password ?? '')
  const known = url?.protocol === 'https:' || url?.protocol === 'http:'
  if (!url || !known || username === undefined || password === undefined) {
    throw refuse(
      'is not an http or https URL',
      byFlag
        ? 'Write --server https://HOST:PORT.'
        : 'Write https://HOST:PORT in the kubeconfig, or give --server.',
    )
  }
  const server = `${url.protocol}//${url.host}${url.pathname.replace(/\/+$/, '')}`
  if (!username && !password) return { server, login: undefined }
  if (url.protocol === 'http:') {
    throw refuse(
      'has a login in it, and plain http would show that to everyone',
      'Write https://, or leave it out.',
    )
  }
  // net/http, Client.send: it becomes the Authorization header, before any that client-go would set.
  return { server, login: { kind: 'basic', username, password } }
}
