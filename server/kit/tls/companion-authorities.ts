import type { KubeTransport } from '../../../src/core/kube/transport.ts'
import type { Clock } from '../../../src/core/lib/time.ts'
import type { CertificateStatus } from '../../../src/core/wire/companion-status.ts'
import type { Log } from '../log.ts'
import type { ProbeAnswer } from '../room.ts'
import { type Authority, createAuthority } from './authority.ts'
import { keepCaBundle } from './ca-bundle.ts'
import { publishAuthorities } from './public-authorities.ts'
import { RenewableTls } from './renewable-tls.ts'
import type { KeyPair, TlsSource } from './tls-source.ts'

/** What the api component keeps for the whole companion: its authorities, and the leaf that the API server verifies. */
export interface CompanionAuthorities {
  /** For the listener that kube-apiserver reaches; the initial pair until the Secret was read. */
  readonly serving: TlsSource
  readonly servingAuthority: Authority
  readonly peerAuthority: Authority
  /** Keeps Secrets, ConfigMap and the APIService's caBundle until the signal aborts. */
  run(signal: AbortSignal): Promise<void>
  certificates(): CertificateStatus[]
  ready(): ProbeAnswer
}

/** What they stand on. */
export interface CompanionAuthoritiesOptions {
  readonly transport: KubeTransport
  readonly namespace: string
  /** `<service>.<namespace>.svc` is the one name that kube-apiserver accepts. */
  readonly service: string
  /** Whose caBundle is written; empty: none. */
  readonly apiService: string
  /** What the listener shows until there is a leaf, of `createEphemeralPair`. */
  readonly initial: KeyPair
  readonly clock: Clock
  readonly log: Log
  readonly random?: () => number
}

/** The Secrets, which the companion makes itself: no manifest has them, nobody lists or watches them. */
const SERVING_SECRET = 'deckwatch-tls'
const PEER_SECRET = 'deckwatch-peer-ca'

/** The authorities of a companion, which begin to work with `run`. */
export function createCompanionAuthorities(options: CompanionAuthoritiesOptions): CompanionAuthorities {
  const { namespace, service, apiService, initial, ...rest } = options
  const { transport, clock, log, random = Math.random } = rest
  const shared = { transport, namespace, clock, log, random }
  const tls = new RenewableTls(initial)
  const serving = createAuthority({
    ...shared,
    secret: SERVING_SECRET,
    name: 'serving authority',
    leaf: { name: 'serving', dnsName: `${service}.${namespace}.svc`, tls },
  })
  const peer = createAuthority({ ...shared, secret: PEER_SECRET, name: 'peer authority' })
  return {
    serving: tls,
    servingAuthority: serving,
    peerAuthority: peer,
    async run(signal) {
      await Promise.all([
        serving.run(signal),
        peer.run(signal),
        publishAuthorities({ ...shared, serving, peer }, signal),
        ...(apiService === '' ? [] : [keepCaBundle({ ...shared, apiService, authority: serving }, signal)]),
      ])
    },
    certificates: () => [...serving.certificates(), ...peer.certificates()],
    ready() {
      const answers = [serving.ready(), peer.ready()]
      const failing = answers.find(({ ok }) => !ok)
      return failing ?? { ok: true, reason: answers.map(({ reason }) => reason).join('; ') }
    },
  }
}
