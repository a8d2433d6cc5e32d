/** Bounds of an exponential backoff, in milliseconds. */
export interface BackoffLimits {
  readonly firstMs: number
  readonly maxMs: number
}

/** From a quarter of a second to half a minute: soon back after a blip, gentle to a server that is down for long. */
export const DEFAULT_BACKOFF: BackoffLimits = { firstMs: 250, maxMs: 30_000 }

/** A server may ask for any wait; beyond this one we ask again anyway. */
const MAX_RETRY_AFTER_MS = 300_000

/**
 * How long to wait after the given number of failures in a row (from 1), in milliseconds: doubling up to the
 * limit, then 50–100 % of it by `random` in [0, 1), and never less than the server's Retry-After (to which up to
 * a tenth is added, so that many clients do not come back at one instant).
 */
export function backoffDelay(
  failures: number,
  random: number,
  retryAfterMs = 0,
  limits: BackoffLimits = DEFAULT_BACKOFF,
): number {
  const ceiling = Math.min(limits.maxMs, limits.firstMs * 2 ** Math.min(failures - 1, 30))
  const asked = Math.min(retryAfterMs, MAX_RETRY_AFTER_MS)
  return Math.max(ceiling * (0.5 + random / 2), asked * (1 + random / 10))
}
