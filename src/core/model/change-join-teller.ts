import type { ChangeUser } from '../wire/change.ts'
import type { ReviewDecision, Transition } from './change-facts.ts'
import { userKey } from './change-join-keys.ts'
import type { OpenReview } from './change-join-track.ts'

/** What is told of a review. */
export interface ReviewOutcome {
  readonly state: ReviewDecision['state']
  readonly reason: string
  /** The resourceVersion that it landed as, where that is known. */
  readonly version?: string | undefined
  /** All who may have made the change. */
  readonly candidates?: readonly ChangeUser[]
}

/** Tells what became of reviews: each outcome once. */
export class ReviewTeller<T extends Transition> {
  readonly #out: (decision: ReviewDecision) => void

  constructor(out: (decision: ReviewDecision) => void) {
    this.#out = out
  }

  tell(review: OpenReview<T>, { state, reason, version, candidates = [] }: ReviewOutcome): void {
    const text = JSON.stringify([state, version, candidates.map(({ username }) => username)])
    if (text === review.told) return
    review.told = text
    this.#out({ type: 'review', review: review.facts, state, reason, version, candidates })
  }

  /** These landed as one write: the first is shown, in its own name and with `outcome` where all are of one user. */
  landed(reviews: readonly OpenReview<T>[], version: string | undefined, outcome: ReviewOutcome): void {
    const [first, ...others] = reviews
    if (!first) return
    const users = new Map(reviews.map(({ facts }) => [userKey(facts), facts.user]))
    const shared = users.size > 1 && { ...SHARED, version, candidates: [...users.values()] }
    this.tell(first, shared || outcome)
    for (const other of others) this.tell(other, SHOWN_BY_ANOTHER)
  }
}

const SHARED = { state: 'ambiguous', reason: 'several users wrote the same at the same moment' } as const
const SHOWN_BY_ANOTHER = {
  state: 'superseded',
  reason: 'another review of the same write is shown',
} as const
