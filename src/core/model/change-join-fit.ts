import { isOlderVersion } from './change-join-version.ts'
import type { ReviewFacts, Transition } from './change-facts.ts'

/** How well a review explains a transition: the highest wins. */
type Fit = 0 | 1 | 2 | 3

/** No write of the API server lasts longer, in milliseconds (its write requests end after 34 s). */
export const LONGEST_WRITE_MS = 34_000

/** Clocks of replicas may differ by so many milliseconds. */
const SKEW_MS = 1000

/** How well a review explains a transition; undefined where it does not. */
function fitOf(review: ReviewFacts, transition: Transition): Fit | undefined {
  // A review is always before its write, and that before what the watch tells: what comes later can only be made up.
  if (review.time > transition.time + SKEW_MS || review.resource !== transition.resource) return undefined
  if (review.truncated) return fitOfTruncated(review, transition)
  if (review.subresource === 'eviction') return fitOfEviction(review, transition)
  if (review.uid !== transition.uid) return undefined
  return transition.skipped ? fitOverSkipped(review, transition) : fitOfStep(review, transition)
}

/** The reviews that explain a transition best, the earliest first. */
export function bestOf<R extends { readonly facts: ReviewFacts }>(
  reviews: readonly R[],
  transition: Transition,
): readonly R[] {
  const fits = reviews.map((review) => [review, fitOf(review.facts, transition)] as const)
  const highest = Math.max(-1, ...fits.map(([, fit]) => fit ?? -1))
  return fits
    .filter(([, fit]) => fit === highest)
    .map(([review]) => review)
    .toSorted((one, other) => one.facts.time - other.facts.time)
}

function fitOfStep(review: ReviewFacts, transition: Transition): Fit | undefined {
  const { previous, next, gone, deletion, replicas } = transition
  // The API server makes the uid of a CREATE, and no other request has it.
  if (review.operation === 'CREATE') return previous === undefined && !gone ? 3 : undefined
  if (previous === undefined || review.oldVersion !== previous.version) return undefined
  if (review.operation === 'DELETE') return gone || deletion ? 3 : undefined
  if (gone) return review.ends ? 3 : undefined
  if (review.subresource === 'scale') {
    // Where the number is not known, the manager's entry says that it was a scale.
    const scaled =
      replicas.to === undefined ? transition.subresource === 'scale' : replicas.to === review.replicas
    return scaled ? 2 : undefined
  }
  return review.newHash === next.hash ? 3 : undefined
}

/** Whether a review may be the last of the writes between two states that lie apart. */
function fitOverSkipped(review: ReviewFacts, transition: Transition): Fit | undefined {
  const { previous, next, gone, deletion, replicas, silent } = transition
  if (review.operation === 'CREATE') {
    // It landed, whatever was written since; but only what is still there explains the state.
    if (previous !== undefined || gone) return undefined
    return review.newContent === next.content ? 3 : undefined
  }
  if (previous !== undefined && isOlderVersion(review.oldVersion, previous.version)) return undefined
  if (!gone && !isOlderVersion(review.oldVersion, next.version)) return undefined
  // A deletion that only began may not be the last of the writes.
  if (review.operation === 'DELETE') return gone ? 2 : deletion ? 0 : undefined
  if (gone) return review.ends ? 2 : undefined
  if (review.subresource === 'scale') {
    const scaled = replicas.to === review.replicas && replicas.from !== replicas.to
    return scaled && silent !== 'known' ? 1 : undefined
  }
  if (review.newHash === next.hash) return 3
  // Status and managedFields were written since; where the content was the same before, it proves nothing.
  const moved = previous === undefined || previous.content !== next.content
  return moved && review.newContent === next.content ? 2 : undefined
}

function fitOfEviction(review: ReviewFacts, transition: Transition): Fit | undefined {
  const same = review.uid === '' ? review.name === transition.name : review.uid === transition.uid
  const ended = transition.gone || transition.deletion
  return same && ended && isNear(review, transition) ? 1 : undefined
}

function fitOfTruncated(review: ReviewFacts, transition: Transition): Fit | undefined {
  const { previous, gone, deletion, silent } = transition
  if (review.name !== transition.name || silent !== undefined || !isNear(review, transition)) return undefined
  const seen = previous === undefined ? 'CREATE' : gone || deletion ? 'DELETE' : 'UPDATE'
  return review.operation === seen ? 0 : undefined
}

function isNear(review: ReviewFacts, transition: Transition): boolean {
  return transition.time - review.time <= LONGEST_WRITE_MS
}
