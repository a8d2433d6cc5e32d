import type { ReviewFacts, SilentReason, Transition } from './change-facts.ts'
import { LONGEST_WRITE_MS } from './change-join-fit.ts'
import { triesKey } from './change-join-keys.ts'

/** A review on its way to an explanation. */
export interface OpenReview<T extends Transition> {
  readonly facts: ReviewFacts
  readonly home: ObjectTrack<T>
  /** `refuted`: it can no longer land; `given-up`: nothing was seen in time, but it still may. */
  state: 'open' | 'refuted' | 'landed' | 'given-up'
  /** The watch was interrupted while it may have landed. */
  unseen: boolean
  /** It only ends what had begun before. */
  finished: boolean
  /** What was told of it last, so that it is told once. */
  told: string
}

/** A review that was just read. */
export function openReview<T extends Transition>(facts: ReviewFacts, home: ObjectTrack<T>): OpenReview<T> {
  return { facts, home, state: 'open', unseen: false, finished: false, told: '' }
}

/** A transition on its way to an explanation. */
export interface OpenStep<T extends Transition> {
  readonly transition: T
  verdict: undefined | 'attributed' | 'unattributed' | SilentReason
  /** The reviews that explain it, the one that is shown first. */
  by: readonly OpenReview<T>[]
  /** Where several writes lie between its states: reviews of those before the last. */
  earlier: readonly OpenReview<T>[]
  /** Epoch milliseconds of the join's clock. */
  readonly since: number
}

/** What is open about one object (or, where reviews do not tell the uid, about one name). */
export class ObjectTrack<T extends Transition> {
  readonly key: string
  /** Reviews that may still land. */
  readonly reviews = new Set<OpenReview<T>>()
  readonly #byVersion = new Map<string, Set<OpenReview<T>>>()
  readonly #refuted = new Map<string, Set<OpenReview<T>>>()
  /** By the key of a user's tries: when the latest that landed was reviewed. */
  readonly #landed = new Map<string, number>()
  steps: OpenStep<T>[] = []
  /** The names under which the object was seen. */
  readonly names = new Set<string>()
  /** Epoch milliseconds: when it is looked at again at the latest; undefined where it is not. */
  wakesAt: number | undefined

  constructor(key: string) {
    this.key = key
  }

  get refuted(): Iterable<OpenReview<T>> {
    return [...this.#refuted.values()].flatMap((reviews) => [...reviews])
  }

  get empty(): boolean {
    return this.reviews.size === 0 && this.#refuted.size === 0 && this.steps.length === 0
  }

  /** Forgets what was reviewed too long ago to matter. */
  forget(before: number): void {
    for (const [key, time] of this.#landed) if (time < before) this.#landed.delete(key)
  }

  add(review: OpenReview<T>): void {
    this.reviews.add(review)
    into(this.#byVersion, review.facts.oldVersion, review)
  }

  /** Reviews that name this version as the one before (CREATE, evictions and truncated ones name none). */
  from(version: string | undefined): readonly OpenReview<T>[] {
    const loose = this.#byVersion.get('') ?? []
    const exact = version === undefined || version === '' ? [] : (this.#byVersion.get(version) ?? [])
    return [...exact, ...loose]
  }

  /** It cannot land any more. */
  refute(review: OpenReview<T>): void {
    this.#leave(review)
    review.state = 'refuted'
    into(this.#refuted, triesKey(review.facts), review)
  }

  land(review: OpenReview<T>): void {
    this.#leave(review)
    out(this.#refuted, triesKey(review.facts), review)
    review.state = 'landed'
    const key = triesKey(review.facts)
    this.#landed.set(key, Math.max(this.#landed.get(key) ?? 0, review.facts.time))
  }

  drop(review: OpenReview<T>): void {
    this.#leave(review)
    out(this.#refuted, triesKey(review.facts), review)
  }

  /** Refuted tries of the request that a review belongs to. */
  triesOf(facts: ReviewFacts): readonly OpenReview<T>[] {
    return [...(this.#refuted.get(triesKey(facts)) ?? [])].filter(
      (other) => Math.abs(other.facts.time - facts.time) <= LONGEST_WRITE_MS,
    )
  }

  /** Whether another try of the same request landed. */
  triedAgain(facts: ReviewFacts): boolean {
    const landed = this.#landed.get(triesKey(facts))
    return landed !== undefined && Math.abs(landed - facts.time) <= LONGEST_WRITE_MS
  }

  #leave(review: OpenReview<T>): void {
    this.reviews.delete(review)
    out(this.#byVersion, review.facts.oldVersion, review)
  }
}

function into<K, V>(map: Map<K, Set<V>>, key: K, value: V): void {
  const values = map.get(key)
  if (values) values.add(value)
  else map.set(key, new Set([value]))
}

function out<K, V>(map: Map<K, Set<V>>, key: K, value: V): void {
  const values = map.get(key)
  if (values?.delete(value) && values.size === 0) map.delete(key)
}
