import { backoffDelay } from '../../../src/core/kube/backoff.ts'
import { DeckError } from '../../../src/core/lib/errors.ts'
import type { Clock } from '../../../src/core/lib/time.ts'
import type { Log } from '../log.ts'
import { Wakeup } from './wakeup.ts'

/** A step that is done again and again. */
export interface RepeatedStep {
  /** From the end of one to the beginning of the next, in milliseconds; a fifth is taken off or added by chance. */
  readonly periodMs: number
  /** What could not be done, for the log: `keep the serving authority`. */
  readonly what: string
  readonly clock: Clock
  readonly random: () => number
  readonly log: Log
  /** Rings for the next step before its time. */
  readonly wakeup?: Wakeup
  /** Whether the next step can wait no longer, as far as the clock alone tells; asked every few seconds. */
  readonly isDue?: () => boolean
  readonly step: (signal: AbortSignal) => Promise<void>
}

/** A clock that jumps leaves a certificate behind from one moment to the next: it is looked at so often, in milliseconds. */
const DUE_CHECK_MS = 5000

/** Not longer than the shortest period, so that failing makes nothing slower. */
const RETRY = { firstMs: 1000, maxMs: 30_000 }

/** So many failures in a row last half a minute or so. */
const LASTING_FAILURES = 6

/** Repeats a step until the signal aborts, soon again after a failure, which is logged. */
export async function repeatStep(repeated: RepeatedStep, signal: AbortSignal): Promise<void> {
  const { what, clock, random, log, wakeup = new Wakeup(), step } = repeated
  let failures = 0
  while (!signal.aborted) {
    try {
      await step(signal)
      failures = 0
      await untilNext(repeated, wakeup, signal)
    } catch (error) {
      if (signal.aborted) return
      failures += 1
      const retryAfterMs = error instanceof DeckError ? error.retryAfterMs : undefined
      // What passes by itself, as while other pods are still starting, is no error.
      const level = failures < LASTING_FAILURES ? 'warn' : 'error'
      log[level]({ err: error, failures }, `cannot ${what}; trying again`)
      // A new bell: what rings must not make failing faster.
      await new Wakeup().wait(clock, backoffDelay(failures, random(), retryAfterMs, RETRY), signal)
    }
  }
}

/** Waits until the period is over, the bell rings, or the clock alone tells that the step is due. */
async function untilNext(
  { periodMs, clock, random, isDue }: RepeatedStep,
  wakeup: Wakeup,
  signal: AbortSignal,
): Promise<void> {
  let left = periodMs * (0.8 + 0.4 * random())
  while (left > 0 && !signal.aborted) {
    const ms = isDue ? Math.min(left, DUE_CHECK_MS) : left
    left -= ms
    if ((await wakeup.wait(clock, ms, signal)) || isDue?.()) return
  }
}
