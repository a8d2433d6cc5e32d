import { DeckError } from '../lib/errors.ts'
import type { Clock } from '../lib/time.ts'
import type { BackoffLimits } from './backoff.ts'
import { purposeText, type RequestPurpose } from './status-error-purpose.ts'

/** The times of a watch, in milliseconds unless the name says seconds. */
export interface WatchTimes {
  /** A watch without a byte for so long is opened again; the server sends bookmarks about every minute. */
  readonly quietMs: number
  /** So long the server may take to accept a watch. */
  readonly answerMs: number
  /** After an outage, what a watch tells within this time from its acceptance counts as missed meanwhile. */
  readonly settleMs: number
  /** The server is asked to end each watch after a random time between these. */
  readonly watchSeconds: readonly [number, number]
  readonly backoff: BackoffLimits
}

/** The times that every watch has where nothing else is said. */
export const WATCH_TIMES = {
  quietMs: 90_000,
  answerMs: 30_000,
  settleMs: 1000,
  watchSeconds: [240, 300],
} as const satisfies Partial<WatchTimes>

/** What a wait ends with when nothing came in time. */
export const QUIET: unique symbol = Symbol('quiet')

/** Waits for a step, but no longer than `ms`; rejects when the signal aborts first. */
export async function within<R>(
  step: Promise<R>,
  ms: number,
  { clock, signal }: { readonly clock: Clock; readonly signal: AbortSignal },
): Promise<R | typeof QUIET> {
  // No AbortSignal.any: a signal that lives for months would remember each of its many waits.
  const wait = new AbortController()
  const end = (): void => wait.abort()
  signal.addEventListener('abort', end)
  if (signal.aborted) end()
  try {
    return await Promise.race([step, clock.sleep(ms, wait.signal).then((): typeof QUIET => QUIET)])
  } finally {
    signal.removeEventListener('abort', end)
    wait.abort()
  }
}

/** The same promise: it may be rejected while the generator stands at a `yield` and nobody awaits it yet. */
export function handled<R>(step: Promise<R>): Promise<R> {
  step.catch(() => undefined)
  return step
}

/** How long the server is asked to let a watch live; `random` in [0, 1). */
export function watchSeconds({ watchSeconds: [least, most] }: WatchTimes, random: number): number {
  return least + Math.floor(random * (most - least + 1))
}

/** The error of a server that said nothing for so long. */
export function silence(purpose: RequestPurpose, ms: number): DeckError {
  const seconds = Math.round(ms / 1000)
  return new DeckError(
    'KUBE_TIMEOUT',
    `cannot ${purposeText(purpose)}: no byte came from the API server for ${seconds} s`,
  )
}
