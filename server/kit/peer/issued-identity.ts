import type { Clock } from '../../../src/core/lib/time.ts'
import type { Log } from '../log.ts'
import type { Authority } from '../tls/authority.ts'
import { createKey } from '../tls/certificate.ts'
import type { KeyPair } from '../tls/tls-source.ts'
import { Wakeup } from '../tls/wakeup.ts'
import { LEAF_LIFE_MS } from './leaf-route.ts'
import { createPeerIdentity, type ObtainedLeaf, type PeerIdentity } from './peer-identity.ts'
import { peerUri } from './peer-name.ts'

/** What the identity of a pod stands on that has the peer authority itself. */
export interface IssuedIdentityOptions {
  readonly authority: Pick<Authority, 'issue' | 'bundle' | 'onChange'>
  readonly namespace: string
  /** Our own ServiceAccount: `deckwatch-api`. */
  readonly account: string
  readonly initial: KeyPair
  readonly clock: Clock
  readonly log: Log
  readonly random?: () => number
}

/** The identity of an api pod, which gives itself the leaf by which it asks other pods. */
export function createIssuedIdentity(options: IssuedIdentityOptions): PeerIdentity {
  const { authority, namespace, account, initial, clock, log, random = Math.random } = options
  const wakeup = new Wakeup()
  const obtain = async (signal: AbortSignal): Promise<ObtainedLeaf> => {
    await hasAuthority(authority, signal)
    const { key, publicKey } = await createKey()
    const certificate = await authority.issue(publicKey, {
      commonName: account,
      dnsNames: [],
      uris: [peerUri(namespace, account)],
      uses: ['client'],
      now: clock.now(),
      lifeMs: LEAF_LIFE_MS,
    })
    return { pair: { certificate, key }, authorities: authority.bundle() }
  }
  const identity = createPeerIdentity({
    name: 'peer',
    initial,
    obtain,
    outdated: async (known) => authority.bundle() !== known,
    wakeup,
    clock,
    log,
    random,
  })
  return {
    tls: identity.tls,
    authorities: () => identity.authorities(),
    certificates: () => identity.certificates(),
    ready: () => identity.ready(),
    async run(signal) {
      const stop = authority.onChange(() => wakeup.ring())
      try {
        await identity.run(signal)
      } finally {
        stop()
      }
    },
  }
}

async function hasAuthority(
  authority: Pick<Authority, 'bundle' | 'onChange'>,
  signal: AbortSignal,
): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const stop = authority.onChange(resolve)
  const abort = (): void => reject(signal.reason as Error)
  signal.addEventListener('abort', abort, { once: true })
  try {
    signal.throwIfAborted()
    if (authority.bundle() === '') await promise
  } finally {
    stop()
    signal.removeEventListener('abort', abort)
  }
}
