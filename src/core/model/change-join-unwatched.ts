import type { ReviewDecision, ReviewFacts } from './change-facts.ts'
import { LONGEST_WRITE_MS } from './change-join-fit.ts'
import { triesKey } from './change-join-keys.ts'
import { ReviewTeller } from './change-join-teller.ts'
import { ObjectTrack, type OpenReview, openReview } from './change-join-track.ts'
import { isOlderVersion } from './change-join-version.ts'

/** What is known of one object whose resource nobody watches. */
interface Unwatched {
  readonly track: ObjectTrack<never>
  readonly name: string
  /** Those that were told as admitted, in the order they came. */
  readonly admitted: OpenReview<never>[]
  deleted: boolean
}

/** Of one object so many changes may wait for their confirmation; older ones stay admitted. */
const MOST_PER_OBJECT = 32

/** So many objects are remembered; those that were written longest ago are forgotten first. */
const MOST_OBJECTS = 20_000

/**
 * The join where there is one witness by choice (Secrets, which nobody shall list): what was reviewed is `admitted` at
 * once, and the old object of a later review of the same uid is the second witness.
 *
 * | a later review's old object | the change before |
 * |---|---|
 * | is what an earlier review asked for | `confirmed`, with that old object's resourceVersion |
 * | belongs to the uid that a CREATE asked for | that CREATE is `confirmed` |
 * | comes from the version from which another change is confirmed | `not-landed`: at one version one write lands |
 * | of the same user with the same fields, and is something else | `superseded`: it was tried again |
 * | has the name that a CREATE asked for, another uid, and is older | that CREATE is `not-landed`: the name was taken |
 */
export class UnwatchedJoin {
  readonly #objects = new Map<string, Unwatched>()
  /** The uid that has a name, as far as reviews told. */
  readonly #uids = new Map<string, string>()
  readonly #teller = new ReviewTeller<never>((decision) => this.#out.push(decision))
  #out: ReviewDecision[] = []

  /** Takes a review, gives what can be said now. */
  review(facts: ReviewFacts): readonly ReviewDecision[] {
    const object = this.#object(facts)
    const review = openReview(facts, object.track)
    if (facts.operation === 'CREATE') this.#created(object, review)
    else this.#look(object, facts)
    if (facts.operation === 'DELETE') object.deleted = true
    if (review.state === 'open') {
      this.#repeat(object, review)
      object.admitted.push(review)
      if (object.admitted.length > MOST_PER_OBJECT) object.admitted.shift()
      this.#teller.tell(review, { state: 'admitted', reason: '' })
    }
    const out = this.#out
    this.#out = []
    return out
  }

  #object(facts: ReviewFacts): Unwatched {
    const key = facts.uid === '' ? `${facts.resource} ${facts.name}` : facts.uid
    const found = this.#objects.get(key)
    this.#objects.delete(key)
    const object = found ?? {
      track: new ObjectTrack<never>(key),
      name: `${facts.resource} ${facts.name}`,
      admitted: [],
      deleted: false,
    }
    this.#objects.set(key, object)
    if (this.#objects.size > MOST_OBJECTS) {
      const [oldest] = this.#objects
      if (oldest) this.#objects.delete(oldest[0])
      if (oldest && this.#uids.get(oldest[1].name) === oldest[0]) this.#uids.delete(oldest[1].name)
    }
    return object
  }

  /** A name that a living object has cannot be taken. */
  #created(object: Unwatched, review: OpenReview<never>): void {
    const taken = this.#uids.get(object.name)
    const owner = taken === undefined ? undefined : this.#objects.get(taken)
    if (owner && !owner.deleted && owner !== object && owner.track.key !== object.name) {
      review.state = 'refuted'
      this.#teller.tell(review, { state: 'not-landed', reason: NAME_TAKEN })
    }
  }

  /** What an old object, which is real, says of the changes before. */
  #look(object: Unwatched, later: ReviewFacts): void {
    if (later.uid === '' || later.oldVersion === '') return
    const before = this.#uids.get(object.name)
    this.#uids.set(object.name, later.uid)
    const rival = before === undefined || before === later.uid ? undefined : this.#objects.get(before)
    if (rival) this.#refuteCreate(rival)
    const older = object.admitted.filter(
      ({ facts }) => facts.operation === 'CREATE' || isOlderVersion(facts.oldVersion, later.oldVersion),
    )
    const exact = older.filter(({ facts }) => facts.newHash !== '' && facts.newHash === later.oldHash)
    const created = older.filter(({ facts }) => facts.operation === 'CREATE')
    if (exact.length > 0) this.#land(object, exact, later.oldVersion)
    else if (created.length > 0) this.#land(object, created, undefined)
    for (const landed of exact) {
      for (const other of object.admitted.filter(
        ({ facts }) => facts.oldVersion === landed.facts.oldVersion && facts.oldVersion !== '',
      )) {
        this.#drop(object, other)
        if (sameTries(other.facts, landed.facts))
          this.#teller.tell(other, { state: 'superseded', reason: TRIED_AGAIN })
        else
          this.#teller.tell(other, {
            state: 'not-landed',
            reason: 'another write came first, and it was not tried again',
          })
      }
    }
  }

  #refuteCreate(object: Unwatched): void {
    for (const review of object.admitted.filter(({ facts }) => facts.operation === 'CREATE')) {
      this.#drop(object, review)
      this.#teller.tell(review, { state: 'not-landed', reason: NAME_TAKEN })
    }
  }

  #land(object: Unwatched, reviews: readonly OpenReview<never>[], version: string | undefined): void {
    for (const review of reviews) this.#drop(object, review)
    this.#teller.landed(reviews, version, { state: 'confirmed', reason: '', version })
  }

  /** Earlier tries of the same request, which another review follows without their result. */
  #repeat(object: Unwatched, review: OpenReview<never>): void {
    const { facts } = review
    const tries = object.admitted.filter((other) => facts.time - other.facts.time <= LONGEST_WRITE_MS)
    for (const tried of tries.filter((other) => sameTries(other.facts, facts))) {
      this.#drop(object, tried)
      this.#teller.tell(tried, { state: 'superseded', reason: TRIED_AGAIN })
    }
  }

  #drop({ admitted }: Unwatched, review: OpenReview<never>): void {
    const index = admitted.indexOf(review)
    if (index >= 0) admitted.splice(index, 1)
  }
}

const TRIED_AGAIN = 'another try of the same write followed'
const NAME_TAKEN = 'an object of that name was there'

function sameTries(one: ReviewFacts, other: ReviewFacts): boolean {
  return triesKey(one) === triesKey(other)
}
