import type { X509Certificate } from 'node:crypto'
import type { KubeTransport } from '../../../src/core/kube/transport.ts'
import { DeckError } from '../../../src/core/lib/errors.ts'
import { type Clock, rfc3339Seconds } from '../../../src/core/lib/time.ts'
import type { CertificateStatus } from '../../../src/core/wire/companion-status.ts'
import type { Log } from '../log.ts'
import type { ProbeAnswer } from '../room.ts'
import { readSecret, type SecretPlace, type StoredSecret, writeSecret } from '../kept-secret.ts'
import { createAuthorityPair, createLeaf, type LeafOrder, signLeaf } from './certificate.ts'
import { pemOf, type Validity } from './certificate-facts.ts'
import {
  type AuthorityData,
  type AuthorityTimes,
  dueRenewal,
  type KeptAuthority,
  readKeptAuthority,
  type Renewal,
} from './kept-authority.ts'
import type { RenewableTls } from './renewable-tls.ts'
import { repeatStep } from './repeat-step.ts'

/** An authority that all replicas share by a Secret: made once, renewed in time, followed by each. */
export interface Authority {
  /** Keeps it until the signal aborts. */
  run(signal: AbortSignal): Promise<void>
  /** Reads the Secret at once, and mends and renews what must be; rejects where that is not possible. */
  refresh(signal: AbortSignal): Promise<void>
  /** PEM of every authority whose leaves may be about, newest first; empty before the Secret was read. */
  bundle(): string
  /** Called after each change of the bundle; returns how to stop listening. */
  onChange(listener: () => void): () => void
  /** Signs a certificate for a public key (SubjectPublicKeyInfo, DER); PEM. Rejects before the Secret was read. */
  issue(publicKey: Uint8Array, order: LeafOrder): Promise<string>
  certificates(): CertificateStatus[]
  /** Whether there is an authority, and a leaf where one is kept, that has not ended. */
  ready(): ProbeAnswer
}

/** What an authority stands on. */
export interface AuthorityOptions {
  readonly transport: KubeTransport
  readonly namespace: string
  readonly secret: string
  /** In status and log: `serving authority`. */
  readonly name: string
  /** The leaf that every replica shares: its name in status, its one DNS name, and where each new one is put. */
  readonly leaf?: { readonly name: string; readonly dnsName: string; readonly tls: RenewableTls }
  readonly clock: Clock
  readonly log: Log
  /** Jitter, in [0, 1). */
  readonly random?: () => number
  readonly times?: Partial<AuthorityTimes>
}

const DAY_MS = 86_400_000

const DEFAULT_TIMES: AuthorityTimes = {
  authorityLifeMs: 3650 * DAY_MS,
  authorityRenewBeforeMs: 365 * DAY_MS,
  leafLifeMs: 90 * DAY_MS,
  leafRenewBeforeMs: 30 * DAY_MS,
  settleMs: 10 * 60_000,
}

/** Secrets may not be watched: at the latest after a minute what another replica wrote is known here. */
const PERIOD_MS = 45_000

/** More replicas than this never write at one moment. */
const ATTEMPTS = 8

/** The authority that the Secret keeps, or will keep when it is first run. */
export function createAuthority(options: AuthorityOptions): Authority {
  return new SecretAuthority(options)
}

class SecretAuthority implements Authority {
  readonly #options: AuthorityOptions
  readonly #place: SecretPlace
  readonly #times: AuthorityTimes
  readonly #listeners = new Set<() => void>()
  #kept: KeptAuthority | undefined
  /** Why the last look at the Secret failed. */
  #problem: string | undefined
  /** The refresh that is under way: one at a time, or this replica would race with itself. */
  #turn: Promise<unknown> = Promise.resolve()

  constructor(options: AuthorityOptions) {
    this.#options = options
    this.#place = { transport: options.transport, namespace: options.namespace, name: options.secret }
    this.#times = { ...DEFAULT_TIMES, ...options.times }
  }

  run(signal: AbortSignal): Promise<void> {
    const { name, clock, log, random = Math.random } = this.#options
    const step = (): Promise<void> => this.refresh(signal)
    const isDue = (): boolean => this.#isDue(clock.now())
    return repeatStep(
      { periodMs: PERIOD_MS, what: `keep the ${name}`, clock, random, log, isDue, step },
      signal,
    )
  }

  refresh(signal: AbortSignal): Promise<void> {
    const turn = this.#turn.then(() => this.#refresh(signal))
    this.#turn = turn.catch(() => undefined)
    return turn
  }

  async #refresh(signal: AbortSignal): Promise<void> {
    try {
      await this.#look(signal)
      this.#problem = undefined
    } catch (error) {
      if (!signal.aborted) this.#problem = error instanceof Error ? error.message : String(error)
      throw error
    }
  }

  #isDue(now: number): boolean {
    if (!this.#kept) return false
    const { authority, leaf } = dueRenewal(this.#kept, now, this.#times, this.#options.leaf !== undefined)
    return authority !== 'keep' || leaf !== 'keep'
  }

  async #look(signal: AbortSignal): Promise<void> {
    const { clock, leaf, namespace, secret, log, name } = this.#options
    for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
      signal.throwIfAborted()
      const stored = await readSecret(this.#place, signal)
      const now = clock.now()
      const kept = readKeptAuthority(stored?.data ?? {}, { leafName: leaf?.dnsName, now })
      const due = dueRenewal(kept, now, this.#times, leaf !== undefined)
      if (due.authority === 'keep' && due.leaf === 'keep') {
        this.#adopt(kept)
        return
      }
      for (const fault of kept.faults) {
        log.error(
          { secret: `${namespace}/${secret}`, fault },
          `the Secret of the ${name} is replaced: ${fault}`,
        )
      }
      // What is good until it is renewed serves on, also where renewing fails.
      if (due.authority !== 'replace' && (due.leaf === 'keep' || isCurrent(kept.leaf, now))) this.#adopt(kept)
      if (await this.#renew(stored, kept, due, signal)) return
    }
    throw new DeckError('KUBE_CONFLICT', `Secret ${namespace}/${secret} is changed by others all the time`)
  }

  async #renew(
    stored: StoredSecret | undefined,
    kept: KeptAuthority,
    due: Renewal,
    signal: AbortSignal,
  ): Promise<boolean> {
    const { log, name, leaf, clock } = this.#options
    const data = await this.#renewed(kept, due)
    if (!(await writeSecret(this.#place, stored, { ...data }, signal))) return false
    const now = clock.now()
    const made = readKeptAuthority(data, { leafName: leaf?.dnsName, now })
    if (due.authority !== 'keep') log.info({ ...lifeOf(made.signer) }, `made a new ${name}`)
    if (leaf && due.leaf === 'make') log.info({ ...lifeOf(made.leaf) }, `made a new ${leaf.name} certificate`)
    this.#adopt(made)
    return true
  }

  async #renewed(kept: KeptAuthority, due: Renewal): Promise<AuthorityData> {
    const { clock, leaf, name } = this.#options
    const { authorityLifeMs, leafLifeMs } = this.#times
    const now = clock.now()
    const commonName = `deckwatch ${name} ${rfc3339Seconds(now)}`
    const fresh =
      due.authority === 'keep'
        ? undefined
        : await createAuthorityPair({ commonName, now, lifeMs: authorityLifeMs })
    const signer = fresh ?? kept.signer
    if (!signer) throw new Error('nothing to sign with, though nothing was to be made')
    const old = due.authority === 'replace' ? [] : kept.bundle
    const data: AuthorityData = {
      'ca.crt': [...(fresh ? [fresh.certificate] : []), ...old.map(pemOf)].join(''),
      'ca.key': signer.key,
    }
    if (!leaf) return data
    const pair =
      due.leaf === 'make'
        ? await createLeaf(signer, {
            commonName: leaf.dnsName.slice(0, 64),
            dnsNames: [leaf.dnsName],
            uris: [],
            uses: ['server'],
            now,
            lifeMs: leafLifeMs,
          })
        : kept.leaf
    return { ...data, 'tls.crt': pair?.certificate, 'tls.key': pair?.key }
  }

  #adopt(kept: KeptAuthority): void {
    const before = this.bundle()
    this.#kept = kept
    if (kept.leaf) this.#options.leaf?.tls.replace({ certificate: kept.leaf.certificate, key: kept.leaf.key })
    if (this.bundle() === before) return
    for (const listener of this.#listeners) listener()
  }

  bundle(): string {
    return this.#kept?.bundle.map((certificate: X509Certificate) => pemOf(certificate)).join('') ?? ''
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  async issue(publicKey: Uint8Array, order: LeafOrder): Promise<string> {
    const signer = this.#kept?.signer
    if (!signer) throw new Error(`there is no ${this.#options.name} yet`)
    return signLeaf(signer, publicKey, order)
  }

  certificates(): CertificateStatus[] {
    const { name, leaf } = this.#options
    const { authorityRenewBeforeMs, leafRenewBeforeMs } = this.#times
    return [
      ...statusOf(name, this.#kept?.signer, authorityRenewBeforeMs),
      ...(leaf ? statusOf(leaf.name, this.#kept?.leaf, leafRenewBeforeMs) : []),
    ]
  }

  ready(): ProbeAnswer {
    const { name, leaf, clock } = this.#options
    const why = this.#problem === undefined ? '' : `: ${this.#problem}`
    if (!this.#kept) return { ok: false, reason: `no ${name} yet${why}` }
    const shown = leaf ? this.#kept.leaf : this.#kept.signer
    const what = leaf ? `${leaf.name} certificate` : name
    if (!shown) return { ok: false, reason: `no ${what} yet${why}` }
    // One that has not begun is what a clock that went back makes of it: clients whose clocks did not, believe it.
    if (clock.now() >= shown.notAfter) return { ok: false, reason: `the ${what} has ended${why}` }
    return { ok: true, reason: `the ${what} is valid until ${rfc3339Seconds(shown.notAfter)}${why}` }
  }
}

function isCurrent(validity: Validity | undefined, now: number): boolean {
  return validity !== undefined && now >= validity.notBefore && now < validity.notAfter
}

function lifeOf(validity: Validity | undefined) {
  return (
    validity && { notBefore: rfc3339Seconds(validity.notBefore), notAfter: rfc3339Seconds(validity.notAfter) }
  )
}

function statusOf(name: string, validity: Validity | undefined, renewBeforeMs: number): CertificateStatus[] {
  const life = lifeOf(validity)
  if (!validity || !life) return []
  return [{ name, ...life, renewAt: rfc3339Seconds(validity.notAfter - renewBeforeMs) }]
}
