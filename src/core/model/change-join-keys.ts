import type { ReviewFacts } from './change-facts.ts'

/** What tells a person: the name and, where Kubernetes knows one, the uid. */
export function userKey({ user }: ReviewFacts): string {
  return JSON.stringify([user.username, user.uid ?? ''])
}

/** Tries of one request have the same: nothing in a review links them (change-tracking, the API server's retries). */
export function triesKey(facts: ReviewFacts): string {
  return JSON.stringify([userKey(facts), facts.operation, facts.subresource, facts.paths])
}
