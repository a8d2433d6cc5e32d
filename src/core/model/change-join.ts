import type { JoinDecision, NamedPart, ReviewFacts, Transition } from './change-facts.ts'
import { DelayLine } from './change-join-delay.ts'
import { bestOf, LONGEST_WRITE_MS } from './change-join-fit.ts'
import { HeldReviews } from './change-join-held.ts'
import { ObjectTracks } from './change-join-objects.ts'
import { FINISHES, TOO_LARGE, TOO_MANY, TRIED_AGAIN, whyNotLanded } from './change-join-reasons.ts'
import { latest, namedPart, skippedChain } from './change-join-skipped.ts'
import { ReviewTeller } from './change-join-teller.ts'
import { type ObjectTrack, type OpenReview, openReview, type OpenStep } from './change-join-track.ts'

/** The join's times in milliseconds, and how much it holds. */
export interface JoinLimits {
  /** Reviews of other replicas may come so long after what the watch told. */
  readonly settleMs: number
  /** What was not seen to land for so long has not. */
  readonly landMs: number
  /** What was decided may be corrected for so long. */
  readonly lateMs: number
  /** Reviews that are open at once; beyond it those that fit no known object go first. */
  readonly maxOpen: number
}

const DEFAULT_LIMITS: JoinLimits = { settleMs: 5000, landMs: 30_000, lateMs: 60_000, maxOpen: 20_000 }

/**
 * Joins the two witnesses of watched resources: reviews (who, and what was wanted) and transitions of objects (what
 * landed). It does no I/O; time is given as epoch milliseconds. Either witness may come first.
 *
 * | review | explains a transition of the same uid where |
 * |---|---|
 * | CREATE | the object was not there before |
 * | UPDATE | its old resourceVersion is the previous one, and its new object (without resourceVersion) is what was seen |
 * | UPDATE that takes the last finalizer | its old resourceVersion is the previous one, and the object is gone |
 * | scale | its old resourceVersion is the previous one, and spec.replicas is what it asked for |
 * | DELETE | its old resourceVersion is the previous one, and the deletion shows or the object is gone |
 * | eviction | the deletion of the pod of that name begins within the time that a write may last |
 * | truncated | the same operation on that name within that time; `admitted`, since nothing was compared |
 *
 * | what is known | state |
 * |---|---|
 * | one user's review explains a transition | `confirmed` with its resourceVersion |
 * | reviews of several users explain it equally well | `ambiguous`: the first, with all users; the others `superseded` |
 * | another try of the same user with the same fields landed | `superseded` |
 * | nothing was seen to land for 30 s while the watch was up | `not-landed` |
 * | a transition has no review, 5 s after it and with the journal read up to it | `unattributed` |
 * | … and is noise, or by a writer whom the rules leave out | nobody's: counted, not recorded |
 *
 * At one resourceVersion at most one write lands, so a transition refutes every other review that began from it. After
 * a list was read again, several writes may lie between two states: the last of them is known by content, the ones
 * before it by the old object of the next (`change-join-skipped`). What was decided without a review, and what seemed
 * not to land, is corrected where the other witness comes late.
 */
export class ChangeJoin<T extends Transition> {
  readonly #limits: JoinLimits
  readonly #tracks = new ObjectTracks<T>()
  readonly #dirty = new Set<ObjectTrack<T>>()
  readonly #agenda = new DelayLine<ObjectTrack<T>>()
  /** Since when a resource's watch is up, in epoch milliseconds; missing while it is not. */
  readonly #watching = new Map<string, number>()
  readonly #held = new HeldReviews<T>()
  readonly #teller = new ReviewTeller<T>((decision) => this.#out.push(decision))
  #out: JoinDecision<T>[] = []
  #now = 0
  #read = 0
  #waiting = 0

  constructor(limits: Partial<JoinLimits> = {}) {
    this.#limits = { ...DEFAULT_LIMITS, ...limits }
  }

  /** Reviews that are held because they have not landed (yet). */
  get held(): number {
    return this.#held.size
  }

  /** Transitions that are not explained yet. */
  get waiting(): number {
    return this.#waiting
  }

  /** A review was read; `fits`: its object is known, or it makes one. */
  review(facts: ReviewFacts, fits: boolean): void {
    const track = this.#tracks.of(facts)
    const review = openReview(facts, track)
    track.add(review)
    this.#held.add(review, fits)
    this.#dirty.add(track)
    if (facts.uid === '') for (const named of this.#tracks.withName(facts)) this.#dirty.add(named)
    this.#bound()
  }

  /** The watch told a step of an object. */
  transition(transition: T, now: number): void {
    if (transition.silent === 'noise' && !transition.skipped && !this.#tracks.has(transition)) {
      // By far the most are of this kind: nothing is kept of them.
      this.#out.push({ type: 'transition', transition, verdict: 'noise', named: { first: [], last: [] } })
      return
    }
    const track = this.#tracks.of(transition)
    track.steps.push({ transition, verdict: undefined, by: [], earlier: [], since: now })
    this.#waiting += 1
    this.#tracks.name(track, transition)
    this.#dirty.add(track)
  }

  /** A resource's watch is up since then, or (undefined) is not. */
  watching(resource: string, since: number | undefined): void {
    if (since === undefined) this.#watching.delete(resource)
    else this.#watching.set(resource, since)
  }

  /** What can be said by now; `readUpTo` is the number of the last journal entry that was read. */
  decide(now: number, readUpTo: number): readonly JoinDecision<T>[] {
    this.#now = now
    this.#read = readUpTo
    for (const track of this.#agenda.due(now)) {
      track.wakesAt = undefined
      this.#dirty.add(track)
    }
    const tracks = [...this.#dirty]
    this.#dirty.clear()
    for (const track of tracks) this.#look(track)
    const out = this.#out
    this.#out = []
    return out
  }

  #look(track: ObjectTrack<T>): void {
    for (const step of track.steps) {
      if (this.#read < step.transition.mark) {
        this.#dirty.add(track)
        break
      }
      if (step.transition.skipped) this.#lookSkipped(track, step)
      else this.#lookStep(track, step)
    }
    this.#giveUp(track)
    this.#forget(track)
  }

  #lookStep(track: ObjectTrack<T>, step: OpenStep<T>): void {
    const { transition } = step
    const candidates = [...step.by, ...this.#candidates(track, step)]
    const by = bestOf(candidates, transition)
    if (by.length > 0) this.#attribute(step, by, transition.next.version)
    else this.#unexplained(track, step, { first: [], last: [] })
    this.#refute(track, step)
  }

  /** Reviews that may explain a step; also those that name no uid, by the object's name. */
  #candidates(track: ObjectTrack<T>, { transition }: OpenStep<T>): readonly OpenReview<T>[] {
    const own = transition.skipped ? [...track.reviews] : track.from(transition.previous?.version)
    const named = this.#tracks.byName(transition)
    return [...own, ...(named?.reviews ?? [])]
  }

  #lookSkipped(track: ObjectTrack<T>, step: OpenStep<T>): void {
    const { transition } = step
    const candidates = [...step.by, ...step.earlier, ...this.#candidates(track, step)]
    // What was wanted from the newest state came last; the same may have been wanted, and made, before.
    const last = latest(bestOf(candidates, transition))
    const chain = skippedChain(transition, last, candidates)
    for (const { reviews, version } of chain) this.#tell(step, reviews, version)
    step.earlier = chain.flatMap(({ reviews }) => reviews)
    const named = namedPart(transition, last, chain)
    // As which version it landed is known only where nothing was written since.
    const exact = last.some(({ facts }) => facts.newHash !== '' && facts.newHash === transition.next.hash)
    const version = exact ? transition.next.version : undefined
    if (named === undefined) this.#attribute(step, last, version)
    else {
      this.#tell(step, last, version)
      step.by = last
      this.#unexplained(track, step, named)
    }
    if (step.verdict === undefined) return
    for (const review of track.reviews) {
      if (review.facts.oldVersion === '' || review.facts.oldVersion === transition.next.version) continue
      review.unseen = true
    }
  }

  #attribute(step: OpenStep<T>, by: readonly OpenReview<T>[], version: string | undefined): void {
    const before = step.verdict
    step.by = by
    step.verdict = 'attributed'
    this.#tell(step, by, version)
    const { transition } = step
    if (before === undefined) {
      this.#waiting -= 1
      this.#out.push({
        type: 'transition',
        transition,
        verdict: 'attributed',
        named: { first: [], last: [] },
      })
    } else if (before === 'unattributed') this.#out.push({ type: 'named', transition })
  }

  /** These landed as one write: the first is shown, in its own name where all are of one user. */
  #tell(step: OpenStep<T>, reviews: readonly OpenReview<T>[], version: string | undefined): void {
    const [first] = reviews
    if (!first) return
    const { gone, silent } = step.transition
    // One request may delete in two steps: the deletion shows, and then the object goes.
    const again = silent === 'finished' && first.state !== 'landed' && first.home.triedAgain(first.facts)
    const finishes = gone && (first.facts.finishes || again || first.finished)
    for (const review of reviews) review.finished ||= finishes
    for (const review of reviews) this.#close(review, () => review.home.land(review))
    if (finishes) this.#teller.landed(reviews, version, FINISHES)
    else if (first.facts.truncated) this.#teller.landed(reviews, version, { ...TOO_LARGE, version })
    else this.#teller.landed(reviews, version, { state: 'confirmed', reason: '', version })
    for (const review of reviews) {
      for (const tried of review.home.triesOf(review.facts)) this.#supersede(tried)
    }
  }

  /** No review explains a step, or all of it. */
  #unexplained(track: ObjectTrack<T>, step: OpenStep<T>, named: NamedPart): void {
    if (step.verdict !== undefined) return
    const { transition } = step
    if (transition.silent === undefined && this.#now - step.since < this.#limits.settleMs) {
      this.#wake(track, step.since + this.#limits.settleMs)
      return
    }
    step.verdict = transition.silent ?? 'unattributed'
    this.#waiting -= 1
    this.#out.push({ type: 'transition', transition, verdict: step.verdict, named })
  }

  /** What began from the state that a step left, and is not the step, cannot land. */
  #refute(track: ObjectTrack<T>, { transition }: OpenStep<T>): void {
    const stale = transition.gone ? [...track.reviews] : track.from(transition.previous?.version)
    for (const review of stale) {
      const { operation, oldVersion, uid } = review.facts
      if (operation === 'CREATE' || oldVersion === '' || uid !== transition.uid) continue
      track.refute(review)
      if (track.triedAgain(review.facts)) this.#supersede(review)
    }
  }

  #supersede(review: OpenReview<T>): void {
    this.#close(review, () => review.home.drop(review))
    this.#teller.tell(review, TRIED_AGAIN)
  }

  /** Tells of reviews for which no waiting helps any more. */
  #giveUp(track: ObjectTrack<T>): void {
    const { landMs, lateMs } = this.#limits
    for (const review of [...track.reviews, ...track.refuted]) {
      const { facts } = review
      const since = this.#watching.get(facts.resource)
      // While the watch is down nothing can be said; it is looked at again then and then.
      const due = since === undefined ? this.#now + landMs : Math.max(facts.time, since) + landMs
      if (due > this.#now) this.#wake(track, due)
      else if (review.state === 'given-up') {
        if (due + lateMs <= this.#now) this.#close(review, () => track.drop(review))
        else this.#wake(track, due + lateMs)
      } else {
        const reason = whyNotLanded(review)
        if (review.state === 'refuted') this.#close(review, () => track.drop(review))
        else {
          review.state = 'given-up'
          this.#wake(track, due + lateMs)
        }
        if (track.triedAgain(facts)) this.#teller.tell(review, TRIED_AGAIN)
        else this.#teller.tell(review, { state: 'not-landed', reason })
      }
    }
  }

  #forget(track: ObjectTrack<T>): void {
    const { lateMs } = this.#limits
    track.steps = track.steps.filter((step) => {
      if (step.verdict === undefined) return true
      if (this.#now - step.since >= lateMs) return false
      this.#wake(track, step.since + lateMs)
      return true
    })
    track.forget(this.#now - lateMs - LONGEST_WRITE_MS)
    if (!track.empty || this.#dirty.has(track)) return
    this.#tracks.delete(track)
  }

  /** Looks at a track at that time again, or before. */
  #wake(track: ObjectTrack<T>, at: number): void {
    if (track.wakesAt !== undefined && track.wakesAt <= at) return
    track.wakesAt = at
    this.#agenda.add(track, at)
  }

  /** Takes a review out of those that are held. */
  #close(review: OpenReview<T>, how: () => void): void {
    how()
    this.#held.delete(review)
  }

  #bound(): void {
    while (this.held > this.#limits.maxOpen) {
      const oldest = this.#held.first
      if (!oldest) return
      this.#close(oldest, () => oldest.home.drop(oldest))
      if (oldest.state === 'given-up') continue
      this.#teller.tell(oldest, TOO_MANY)
    }
  }
}
