import { setTimeout as delay } from 'node:timers/promises'
import { DeckError } from './errors.ts'

/** Where time comes from, so that tests can turn it by hand (`test/kit/manual-clock.ts`). */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number
  /** Resolves after `ms` milliseconds; rejects with the signal's reason when it aborts first. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>
}

/** The machine's own clock. */
export const systemClock: Clock = {
  now: () => Date.now(),
  sleep: async (ms, signal) => {
    signal?.throwIfAborted()
    try {
      await delay(ms, undefined, signal ? { signal } : {})
    } catch (error) {
      signal?.throwIfAborted()
      throw error
    }
  },
}

/**
 * What is left of a time of `ms` milliseconds that is over at `until` (epoch milliseconds); nothing where the clock was
 * set back meanwhile to before its beginning, so that nobody waits longer for that.
 */
export function timeLeft(clock: Pick<Clock, 'now'>, until: number, ms: number): number {
  const left = until - clock.now()
  return left > ms ? 0 : Math.max(0, left)
}

/** An instant in epoch milliseconds as RFC 3339 UTC to the second: `2026-11-21T02:14:07Z`. */
export function rfc3339Seconds(epochMs: number): string {
  return `${new Date(epochMs).toISOString().slice(0, 19)}Z`
}

const SECOND = 1000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE

const DURATION_UNITS: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  // Go takes both the micro sign and the Greek letter.
  '\u00b5s': 1e-3,
  '\u03bcs': 1e-3,
  ms: 1,
  s: SECOND,
  m: MINUTE,
  h: HOUR,
}

/**
 * Milliseconds of a duration as Go writes it (`300ms`, `5m`, `1h30m`, `1.5h`, `0`) or of a bare whole number, which
 * means seconds as in kubectl's --request-timeout. What is neither, or is negative, is a DeckError USAGE.
 */
export function parseDuration(text: string): number {
  const unsigned = text.startsWith('+') ? text.slice(1) : text
  if (/^\d+$/.test(unsigned)) return Number(unsigned) * SECOND
  if (text.startsWith('-')) throw badDuration(text, 'it is negative')
  let total = 0
  let rest = unsigned
  do {
    const [part, number, unit] = /^(\d+\.?\d*|\.\d+)([^\d.]*)/.exec(rest) ?? []
    if (part === undefined || number === undefined) throw badDuration(text, 'a number is expected')
    const scale = DURATION_UNITS[unit ?? '']
    if (scale === undefined) throw badDuration(text, unit ? `unknown unit "${unit}"` : 'a unit is missing')
    total += Number(number) * scale
    rest = rest.slice(part.length)
  } while (rest !== '')
  return total
}

function badDuration(text: string, reason: string): DeckError {
  return new DeckError('USAGE', `"${text}" is not a duration: ${reason}`, {
    hint: 'write it like 300ms, 30s, 5m or 1h30m; a bare number means seconds',
  })
}
