/** Things to be looked at when their time has come, those of one time in the order they were added: a binary heap. */
export class DelayLine<V> {
  readonly #heap: { readonly at: number; readonly order: number; readonly value: V }[] = []
  #added = 0

  /** To be looked at from then on (epoch milliseconds). */
  add(value: V, at: number): void {
    const heap = this.#heap
    heap.push({ at, order: (this.#added += 1), value })
    for (let index = heap.length - 1; index > 0;) {
      const parent = (index - 1) >> 1
      if (!this.#earlier(index, parent)) break
      this.#swap(index, parent)
      index = parent
    }
  }

  /** Takes out what is due, the earliest first. */
  *due(now: number): Generator<V, void> {
    const heap = this.#heap
    for (let first = heap[0]; first && first.at <= now; first = heap[0]) {
      const last = heap.pop()
      if (heap.length > 0 && last) {
        heap[0] = last
        this.#sink()
      }
      yield first.value
    }
  }

  #sink(): void {
    for (let index = 0; ;) {
      const [left, right] = [2 * index + 1, 2 * index + 2]
      let least = index
      if (this.#earlier(left, least)) least = left
      if (this.#earlier(right, least)) least = right
      if (least === index) return
      this.#swap(index, least)
      index = least
    }
  }

  #earlier(index: number, than: number): boolean {
    const [one, other] = [this.#heap[index], this.#heap[than]]
    if (one === undefined || other === undefined) return false
    return one.at < other.at || (one.at === other.at && one.order < other.order)
  }

  #swap(one: number, other: number): void {
    const [first, second] = [this.#heap[one], this.#heap[other]]
    if (!first || !second) return
    this.#heap[one] = second
    this.#heap[other] = first
  }
}
