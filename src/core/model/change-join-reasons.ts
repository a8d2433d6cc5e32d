import type { Transition } from './change-facts.ts'
import type { OpenReview } from './change-join-track.ts'
import { unseenReason } from './unseen-change.ts'

/** The API server tries again what met another write. */
export const TRIED_AGAIN = {
  state: 'superseded',
  reason: 'another try of the same write landed',
} as const

/** What finalizers and grace periods held up goes by a second write. */
export const FINISHES = {
  state: 'superseded',
  reason: 'it finishes a deletion that had begun before',
} as const

/** Of a body beyond the limit there is nothing to compare. */
export const TOO_LARGE = { state: 'admitted', reason: 'too large to be compared with what landed' } as const

/** Memory is bounded, whoever sends what. */
export const TOO_MANY = {
  state: 'not-landed',
  reason: 'too many reviews were open, and nothing had landed so far',
} as const

/** Why a review that was waited for is told as not landed, in one clause. */
export function whyNotLanded<T extends Transition>({
  state,
  unseen,
}: Pick<OpenReview<T>, 'state' | 'unseen'>): string {
  if (unseen) return unseenReason('the watch was interrupted meanwhile')
  if (state === 'refuted') return 'another write came first, and it was not tried again'
  return 'nothing landed within 30 s: it was refused after the review'
}
