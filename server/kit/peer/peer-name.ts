import type { X509Certificate } from 'node:crypto'
import { alternativeNames, issuerOf, readBundle, validityOf } from '../tls/certificate-facts.ts'

/** The audience of the projected tokens by which pods of the companion prove who they are. */
export const PEER_AUDIENCE = 'deckwatch-peer'

/** The name of a ServiceAccount in a leaf, as URI. */
export function peerUri(namespace: string, account: string): string {
  return `deckwatch://${namespace}/${account}`
}

/** Which peers are believed. */
export interface PeerTrust {
  /** PEM of the peer authority's certificates; empty: nobody is believed. */
  readonly authorities: string
  readonly namespace: string
  /** Names of ServiceAccounts of the namespace. */
  readonly accounts: readonly string[]
  /** Epoch milliseconds. */
  readonly now: number
}

/** The ServiceAccount that a certificate names, or why it is not believed. */
export function peerAccount(
  certificate: X509Certificate | undefined,
  { authorities, namespace, accounts, now }: PeerTrust,
): { readonly account: string } | { readonly refusal: string } {
  if (!certificate) return { refusal: 'it showed no certificate' }
  const bundle = readBundle(authorities) ?? []
  // Not left to the TLS library alone, which goes by the authorities of the moment at which the connection was made.
  if (!issuerOf(certificate, bundle)) return { refusal: 'its certificate is not of the peer authority' }
  const { notBefore, notAfter } = validityOf(certificate)
  if (now < notBefore || now >= notAfter) return { refusal: 'its certificate is not valid now' }
  const names = alternativeNames(certificate)
  const account = accounts.find((candidate) => names.includes(`URI:${peerUri(namespace, candidate)}`))
  if (account === undefined) return { refusal: `its certificate names ${names.join(', ') || 'nobody'}` }
  return { account }
}
