import type { Transition } from './change-facts.ts'
import type { OpenReview } from './change-join-track.ts'

/** Reviews that have not landed, in the order they came: those that fit no known object, and the others. */
export class HeldReviews<T extends Transition> {
  readonly #strangers = new Set<OpenReview<T>>()
  readonly #fitting = new Set<OpenReview<T>>()

  get size(): number {
    return this.#strangers.size + this.#fitting.size
  }

  /** `fits`: its object is known, or it makes one. */
  add(review: OpenReview<T>, fits: boolean): void {
    ;(fits ? this.#fitting : this.#strangers).add(review)
  }

  delete(review: OpenReview<T>): void {
    this.#strangers.delete(review)
    this.#fitting.delete(review)
  }

  /** The one that goes first where there are too many. */
  get first(): OpenReview<T> | undefined {
    const [first] = this.#strangers.size > 0 ? this.#strangers : this.#fitting
    return first
  }
}
