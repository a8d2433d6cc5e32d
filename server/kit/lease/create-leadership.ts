import type { KubeTransport } from '../../../src/core/kube/transport.ts'
import { DeckError } from '../../../src/core/lib/errors.ts'
import type { Clock } from '../../../src/core/lib/time.ts'
import type { Log } from '../log.ts'
import { createLeaseClient, type LeaseClient } from './lease-client.ts'
import { heldSpec, LeaseObservation, type LeaseObject, releasedSpec } from './lease-record.ts'
import type { Leadership } from './leadership.ts'

/** The times of a Lease in milliseconds; the API server keeps the duration in whole seconds. */
export interface LeaseTimes {
  /** So long others let a holder that they hear nothing of. */
  readonly durationMs: number
  readonly renewMs: number
  /** Between two attempts to take a Lease, or to renew one after a failure; a fifth is taken off or added by chance. */
  readonly retryMs: number
  /** So long one request may take. */
  readonly requestMs: number
}

/** What leadership stands on. */
export interface LeadershipOptions {
  readonly transport: KubeTransport
  readonly namespace: string
  /** Of the Lease: `deckwatch-image-graph`. */
  readonly name: string
  /**
   * Who we are, of `holderIdentity`: unlike any other pod's, and the same again after a restart of our container,
   * which then goes on at once.
   */
  readonly identity: string
  readonly clock: Clock
  readonly log: Log
  readonly random?: () => number
  readonly times?: Partial<LeaseTimes>
}

const DEFAULT_TIMES: LeaseTimes = { durationMs: 15_000, renewMs: 5000, retryMs: 2000, requestMs: 5000 }

/** The last request of a process that ends must not hold it up. */
const RELEASE_MS = 3000

/** The name under which a pod holds Leases; a process outside a cluster has no uid and gives a random text for one. */
export function holderIdentity(podName: string, podUid: string): string {
  return `${podName}_${podUid}`
}

/**
 * Leadership by a Lease with resourceVersion preconditions. A holder that cannot reach the API server goes on holding,
 * unlike in client-go: while that server is away nobody can take the Lease, and what the holder writes comes from
 * watching that same server, so it has nothing wrong to write. As soon as the server answers again and another holds
 * the Lease, the holding ends. (Where only the holder is cut off, another takes over while the first one's work stands
 * still for want of events; it ends with its first answer.) A holder that the server keeps refusing, for want of the
 * right to renew, ends when the duration is over.
 */
export function createLeadership(options: LeadershipOptions): Leadership {
  return new LeaseLeadership(options)
}

class LeaseLeadership implements Leadership {
  readonly #options: LeadershipOptions
  readonly #times: LeaseTimes
  readonly #client: LeaseClient
  #holder: string | undefined
  /** What was logged last, so that an outage is told once. */
  #told = ''

  constructor(options: LeadershipOptions) {
    this.#options = options
    this.#times = { ...DEFAULT_TIMES, ...options.times }
    this.#client = createLeaseClient(options.transport, options.namespace, options.name)
  }

  get holder(): string | undefined {
    return this.#holder
  }

  async lead(work: (holding: AbortSignal) => Promise<void>, signal: AbortSignal): Promise<void> {
    const { log, name } = this.#options
    while (!signal.aborted) {
      const taken = await this.#acquire(signal)
      if (!taken) return
      log.info({ lease: name }, 'took the Lease')
      const term = new Term(taken)
      const holding = AbortSignal.any([signal, term.ended.signal])
      const renewing = this.#renewUntilLost(term, holding)
      try {
        await work(holding)
      } catch (error) {
        if (!holding.aborted || error !== holding.reason) throw error
      } finally {
        term.ended.abort()
        await renewing
        if (!term.lost) await this.#release(term.lease)
      }
      // Work that ended by itself is begun again, but not in a hurry.
      await this.#pause(signal)
    }
  }

  async #acquire(signal: AbortSignal): Promise<LeaseObject | undefined> {
    const { clock, identity, log, name } = this.#options
    const observation = new LeaseObservation()
    while (!signal.aborted) {
      let waitMs = this.#retryMs()
      try {
        const lease = await this.#client.read(this.#limit(signal))
        this.#holder = lease?.spec?.holderIdentity ?? ''
        const leftMs = observation.observe(lease?.spec ?? undefined)
        if (leftMs === 0 || this.#holder === identity) {
          const taken = await this.#take(lease, signal)
          if (taken) return taken
        } else {
          this.#tell(`held by ${this.#holder}`, (said) =>
            log.info({ lease: name }, `waiting for the Lease: ${said}`),
          )
          // Not long after the moment at which it may be taken.
          waitMs = Math.min(waitMs, leftMs)
        }
      } catch (error) {
        if (signal.aborted) return undefined
        observation.lookedInVain()
        this.#tellFailure('take', error)
      }
      await clock.sleep(waitMs, signal).catch((error: unknown) => {
        if (!signal.aborted) throw error
      })
      observation.slept(waitMs)
    }
    return undefined
  }

  async #take(lease: LeaseObject | undefined, signal: AbortSignal): Promise<LeaseObject | undefined> {
    const { identity, clock } = this.#options
    const spec = heldSpec(lease?.spec ?? undefined, identity, this.#durationSeconds(), clock.now())
    const taken = await this.#client.write(lease, spec, this.#limit(signal))
    if (taken) this.#holder = identity
    return taken
  }

  /** Renews until the signal aborts; ends the term itself when the Lease is another's. */
  async #renewUntilLost(term: Term, signal: AbortSignal): Promise<void> {
    const { clock, log, name, identity } = this.#options
    /** Since the last success, but without the time in which nobody could have taken the Lease. */
    let refusedMs = 0
    let waitMs = this.#times.renewMs
    while (!signal.aborted) {
      await clock.sleep(waitMs, signal).catch((error: unknown) => {
        if (!signal.aborted) throw error
      })
      if (signal.aborted) return
      const waitedMs = waitMs
      waitMs = this.#retryMs()
      try {
        const taken = await this.#take(term.lease, signal)
        if (taken) {
          term.lease = taken
          refusedMs = 0
          waitMs = this.#times.renewMs
          this.#told = ''
          continue
        }
        const found = await this.#client.read(this.#limit(signal))
        this.#holder = found?.spec?.holderIdentity ?? ''
        if (this.#holder !== '' && this.#holder !== identity) {
          log.warn({ lease: name, holder: this.#holder }, 'another pod holds the Lease')
          term.lose()
          return
        }
        // Ours still, given up for us, or deleted: the next attempt is at once, from what is there now.
        term.lease = found
        waitMs = 0
      } catch (error) {
        if (signal.aborted) return
        this.#tellFailure('renew', error)
        if (isRefusal(error)) refusedMs += waitedMs
        if (refusedMs >= this.#times.durationMs) {
          term.lose()
          return
        }
      }
    }
  }

  async #release(lease: LeaseObject | undefined): Promise<void> {
    const { clock, identity, log, name } = this.#options
    const signal = AbortSignal.timeout(RELEASE_MS)
    try {
      let held = lease
      for (let attempt = 1; attempt <= 2; attempt += 1) {
        if (held?.spec?.holderIdentity !== identity) return
        if (await this.#client.write(held, releasedSpec(held.spec, clock.now()), signal)) {
          this.#holder = ''
          log.info({ lease: name }, 'gave the Lease up')
          return
        }
        // The last renewal was cut off, and may have come through.
        held = await this.#client.read(signal)
      }
    } catch (error) {
      log.warn({ lease: name, err: error }, 'could not give the Lease up; the next holder has to wait')
    }
  }

  async #pause(signal: AbortSignal): Promise<void> {
    if (signal.aborted) return
    await this.#options.clock.sleep(this.#retryMs(), signal).catch((error: unknown) => {
      if (!signal.aborted) throw error
    })
  }

  /** A request that hangs must not take the next one's time; real time, since what hangs does not heed a clock. */
  #limit(signal: AbortSignal): AbortSignal {
    return AbortSignal.any([signal, AbortSignal.timeout(this.#times.requestMs)])
  }

  #retryMs(): number {
    const { random = Math.random } = this.#options
    return this.#times.retryMs * (0.8 + 0.4 * random())
  }

  #durationSeconds(): number {
    return Math.ceil(this.#times.durationMs / 1000)
  }

  #tell(what: string, say: (what: string) => void): void {
    if (what === this.#told) return
    this.#told = what
    say(what)
  }

  #tellFailure(verb: string, error: unknown): void {
    const { log, name } = this.#options
    const what = error instanceof Error ? error.message : String(error)
    this.#tell(what, () => log.warn({ lease: name, err: error }, `cannot ${verb} the Lease; trying again`))
  }
}

/** One time of holding. */
class Term {
  /** As it was last written or read; undefined where it was deleted under us. */
  lease: LeaseObject | undefined
  readonly ended = new AbortController()
  lost = false

  constructor(lease: LeaseObject) {
    this.lease = lease
  }

  lose(): void {
    this.lost = true
    this.ended.abort()
  }
}

/** The server answered and will not let us, which waiting for it does not heal; others may be let. */
function isRefusal(error: unknown): boolean {
  if (!(error instanceof DeckError) || error.status === undefined) return false
  return error.status >= 400 && error.status < 500 && error.status !== 408 && error.status !== 429
}
