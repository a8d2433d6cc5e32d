/** The Lease of a killed holder is taken over within so many milliseconds, and with it what its pod served. */
const TAKEOVER_MS = 20_000
const RETRY_SECONDS = 2

/**
 * When to ask again what cannot be answered since a moment (epoch milliseconds), as an option of ApiError. Clients of
 * Kubernetes that are told so wait without a word, kubectl ten times: that bridges the replacement of a pod. What takes
 * longer is told at once.
 */
export function retryAfter(since: number, now: number): { readonly retryAfterSeconds?: number } {
  return now - since < TAKEOVER_MS ? { retryAfterSeconds: RETRY_SECONDS } : {}
}
