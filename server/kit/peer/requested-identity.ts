import { readFile } from 'node:fs/promises'
import type { KubeTransport } from '../../../src/core/kube/transport.ts'
import type { Clock } from '../../../src/core/lib/time.ts'
import type { Log } from '../log.ts'
import { createSigningRequest } from '../tls/certificate.ts'
import { AUTHORITIES_CONFIG_MAP, readPublicAuthorities } from '../tls/public-authorities.ts'
import type { KeyPair } from '../tls/tls-source.ts'
import type { LeafProfile } from './leaf-wire.ts'
import { createPeerIdentity, type ObtainedLeaf, type PeerIdentity } from './peer-identity.ts'
import { requestLeaf } from './request-leaf.ts'

/** What the identity of a pod stands on that asks the api for its leaf. */
export interface RequestedIdentityOptions {
  /** The cluster's API, where ConfigMap deckwatch-ca is. */
  readonly transport: KubeTransport
  readonly namespace: string
  /** `https://deckwatch.NAMESPACE.svc:443/peer/v1/leaf`. */
  readonly leafUrl: string
  /** The name in the certificate of whoever answers there: `<service>.<namespace>.svc`. */
  readonly serverName: string
  readonly profile: LeafProfile
  /** A projected token of audience `deckwatch-peer`; read anew each time, since the kubelet replaces it. */
  readonly tokenFile: string
  readonly initial: KeyPair
  readonly clock: Clock
  readonly log: Log
  readonly random?: () => number
}

/** The identity of a pod without the api component; its key never leaves this process. */
export function createRequestedIdentity(options: RequestedIdentityOptions): PeerIdentity {
  const { transport, namespace, leafUrl, serverName, profile, tokenFile, initial, clock, log } = options
  const obtain = async (signal: AbortSignal): Promise<ObtainedLeaf> => {
    const { 'ca.crt': authority } = await readPublicAuthorities(transport, namespace, signal)
    if (authority === '') {
      throw new Error(
        `ConfigMap ${namespace}/${AUTHORITIES_CONFIG_MAP} does not say yet whom to trust (ca.crt)`,
      )
    }
    const token = (await readFile(tokenFile, { encoding: 'utf8', signal })).trim()
    const { request, key } = await createSigningRequest()
    const answer = await requestLeaf({ url: leafUrl, serverName, authority, profile, token, request }, signal)
    return { pair: { certificate: answer.certificate, key }, authorities: answer.authorities }
  }
  const outdated = async (known: string, signal: AbortSignal): Promise<boolean> => {
    const published = await readPublicAuthorities(transport, namespace, signal)
    // Only a hint to ask again: the api's own answer is what is believed.
    const current = published[profile === 'peer' ? 'peer-ca.crt' : 'ca.crt']
    return current !== '' && current !== known
  }
  return createPeerIdentity({
    name: profile,
    initial,
    obtain,
    outdated,
    clock,
    log,
    random: options.random ?? Math.random,
  })
}
