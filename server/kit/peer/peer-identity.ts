import { type Clock, rfc3339Seconds } from '../../../src/core/lib/time.ts'
import type { CertificateStatus } from '../../../src/core/wire/companion-status.ts'
import type { Log } from '../log.ts'
import type { ProbeAnswer } from '../room.ts'
import {
  issuerOf,
  keyFits,
  readBundle,
  readCertificate,
  type Validity,
  validityOf,
} from '../tls/certificate-facts.ts'
import { RenewableTls } from '../tls/renewable-tls.ts'
import { repeatStep } from '../tls/repeat-step.ts'
import type { KeyPair, TlsSource } from '../tls/tls-source.ts'
import type { Wakeup } from '../tls/wakeup.ts'

/** A pod's certificate for other pods, and whom it believes; both are renewed under it. */
export interface PeerIdentity {
  /** The initial pair until there is a leaf. Tells of changes of the authorities too, since each comes with a new leaf. */
  readonly tls: TlsSource
  /** PEM of the authorities whose leaves are believed; empty until there is a leaf. */
  authorities(): string
  /** Renews until the signal aborts. */
  run(signal: AbortSignal): Promise<void>
  certificates(): CertificateStatus[]
  ready(): ProbeAnswer
}

/** A leaf as it was got. */
export interface ObtainedLeaf {
  readonly pair: KeyPair
  /** PEM. */
  readonly authorities: string
}

/** What an identity stands on. */
export interface PeerIdentityOptions {
  /** In status and log: `peer`. */
  readonly name: string
  /** Of `createEphemeralPair`. */
  readonly initial: KeyPair
  /** Gets a new leaf for a new key. */
  readonly obtain: (signal: AbortSignal) => Promise<ObtainedLeaf>
  /** Whether other authorities hold by now than these; asked often. */
  readonly outdated: (authorities: string, signal: AbortSignal) => Promise<boolean>
  /** Rings where `outdated` should be asked at once. */
  readonly wakeup?: Wakeup
  readonly clock: Clock
  readonly log: Log
  readonly random: () => number
}

const PERIOD_MS = 45_000

/** An identity that has no leaf before it is first run. */
export function createPeerIdentity(options: PeerIdentityOptions): PeerIdentity {
  return new RenewedIdentity(options)
}

class RenewedIdentity implements PeerIdentity {
  readonly #options: PeerIdentityOptions
  readonly #tls: RenewableTls
  #validity: Validity | undefined
  #authorities = ''
  #problem: string | undefined

  constructor(options: PeerIdentityOptions) {
    this.#options = options
    this.#tls = new RenewableTls(options.initial)
  }

  get tls(): TlsSource {
    return this.#tls
  }

  authorities(): string {
    return this.#authorities
  }

  run(signal: AbortSignal): Promise<void> {
    const { name, clock, random, log, wakeup } = this.#options
    const isDue = (): boolean => this.#isDue(clock.now())
    const repeated = { periodMs: PERIOD_MS, what: `renew the ${name} certificate`, clock, random, log, isDue }
    const step = (): Promise<void> => this.#renewWhereDue(signal)
    return repeatStep({ ...repeated, step, ...(wakeup ? { wakeup } : {}) }, signal)
  }

  async #renewWhereDue(signal: AbortSignal): Promise<void> {
    const { clock, obtain, outdated, log, name } = this.#options
    try {
      if (!this.#isDue(clock.now()) && !(await outdated(this.#authorities, signal))) {
        this.#problem = undefined
        return
      }
      const { pair, authorities } = await obtain(signal)
      const certificate = readCertificate(pair.certificate)
      const bundle = readBundle(authorities)
      if (!certificate || !bundle || !keyFits(certificate, pair.key) || !issuerOf(certificate, bundle)) {
        throw new Error('what came is no certificate of its authorities for the key that was sent')
      }
      this.#validity = validityOf(certificate)
      this.#authorities = authorities
      this.#problem = undefined
      log.info({ notAfter: rfc3339Seconds(this.#validity.notAfter) }, `got a ${name} certificate`)
      this.#tls.replace(pair)
    } catch (error) {
      if (!signal.aborted) this.#problem = error instanceof Error ? error.message : String(error)
      throw error
    }
  }

  #isDue(now: number): boolean {
    if (!this.#validity) return true
    // Before its beginning only where the clock went back.
    return now < this.#validity.notBefore || now >= renewAt(this.#validity)
  }

  certificates(): CertificateStatus[] {
    if (!this.#validity) return []
    return [
      {
        name: this.#options.name,
        notBefore: rfc3339Seconds(this.#validity.notBefore),
        notAfter: rfc3339Seconds(this.#validity.notAfter),
        renewAt: rfc3339Seconds(renewAt(this.#validity)),
      },
    ]
  }

  ready(): ProbeAnswer {
    const { name, clock } = this.#options
    const why = this.#problem === undefined ? '' : `: ${this.#problem}`
    if (!this.#validity) return { ok: false, reason: `no ${name} certificate yet${why}` }
    if (clock.now() >= this.#validity.notAfter)
      return { ok: false, reason: `the ${name} certificate has ended${why}` }
    const until = rfc3339Seconds(this.#validity.notAfter)
    return { ok: true, reason: `the ${name} certificate is valid until ${until}${why}` }
  }
}

/** When a third of its life is left. */
function renewAt({ notBefore, notAfter }: Validity): number {
  return notAfter - (notAfter - notBefore) / 3
}
