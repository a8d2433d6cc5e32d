/** What is read and written of a Lease's spec (coordination.k8s.io/v1). */
export interface LeaseSpec {
  readonly holderIdentity?: string | null
  readonly leaseDurationSeconds?: number | null
  /** MicroTime; told for people only, since other pods' clocks are not believed. */
  readonly acquireTime?: string | null
  readonly renewTime?: string | null
  readonly leaseTransitions?: number | null
}

/** A Lease as the API server has it. */
export interface LeaseObject {
  readonly metadata: { readonly name: string; readonly resourceVersion?: string }
  readonly spec?: LeaseSpec | null
}

/** Epoch milliseconds as MicroTime, whose reader wants exactly six digits after the point. */
export function microTime(epochMs: number): string {
  return new Date(epochMs).toISOString().replace('Z', '000Z')
}

/** The spec by which `identity` takes the Lease, or goes on holding it. */
export function heldSpec(
  before: LeaseSpec | undefined,
  identity: string,
  durationSeconds: number,
  now: number,
): LeaseSpec {
  const goesOn = before?.holderIdentity === identity
  const time = microTime(now)
  return {
    holderIdentity: identity,
    leaseDurationSeconds: durationSeconds,
    acquireTime: goesOn ? (before.acquireTime ?? time) : time,
    renewTime: time,
    leaseTransitions: (before?.leaseTransitions ?? 0) + (goesOn || before === undefined ? 0 : 1),
  }
}

/** The spec of a Lease that its holder gives up: nobody holds it, and whoever looks takes it. */
export function releasedSpec(before: LeaseSpec, now: number): LeaseSpec {
  const { acquireTime: _, ...rest } = before
  return { ...rest, holderIdentity: '', leaseDurationSeconds: 1, renewTime: microTime(now) }
}

/**
 * How long a Lease has been seen unchanged, counted in what this process slept between two looks: no clock is read, so
 * that neither another pod's nor a jump of our own can make a Lease seem expired (client-go: observedRecord,
 * observedTime). Time in which the API server did not answer is not counted, since the holder could not renew then
 * either: an outage takes no Lease from anybody.
 */
export class LeaseObservation {
  #seen = ''
  #unchangedMs = 0
  /** Slept since the last look; undefined after one that failed. */
  #sleptMs: number | undefined = 0

  /** Takes what the API server says now; gives how much longer its holder must be let, 0 where it may be taken. */
  observe(spec: LeaseSpec | undefined): number {
    const seen = JSON.stringify([spec?.holderIdentity, spec?.renewTime, spec?.leaseTransitions])
    this.#unchangedMs = seen === this.#seen ? this.#unchangedMs + (this.#sleptMs ?? 0) : 0
    this.#seen = seen
    this.#sleptMs = 0
    if (!spec?.holderIdentity) return 0
    return Math.max(0, (spec.leaseDurationSeconds ?? 0) * 1000 - this.#unchangedMs)
  }

  /** Counts a sleep that has ended. */
  slept(ms: number): void {
    if (this.#sleptMs !== undefined) this.#sleptMs += ms
  }

  /** The last look failed. */
  lookedInVain(): void {
    this.#sleptMs = undefined
  }
}
