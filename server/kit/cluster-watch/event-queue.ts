/** Events on their way to one reader, in order; who puts them in can wait for room. */
export class EventQueue<E> {
  readonly #limit: number
  #events: E[] = []
  /** Where the next event stands; those before it are gone. */
  #head = 0
  #closed = false
  #wakeReader: (() => void) | undefined
  #wakeWriter: (() => void) | undefined

  constructor(limit: number) {
    this.#limit = limit
  }

  /** Takes an event, also beyond the limit: who puts in looks at `roomLeft` before the next. */
  put(event: E): void {
    if (this.#closed) return
    this.#events.push(event)
    this.#wakeReader?.()
  }

  /** Undefined where there is room; else resolves when half of the queue is read, or nobody reads any more. */
  roomLeft(): Promise<void> | undefined {
    if (this.#closed || this.#length < this.#limit) return undefined
    return new Promise((resolve) => {
      this.#wakeWriter = resolve
    })
  }

  /** The next event; undefined when the queue is closed and empty. */
  async next(): Promise<E | undefined> {
    while (this.#length === 0) {
      if (this.#closed) return undefined
      await new Promise<void>((resolve) => {
        this.#wakeReader = resolve
      })
    }
    const event = this.#events[this.#head++]
    // Moving what is left only now and then keeps each step cheap.
    if (this.#head > 1000 || this.#length === 0) {
      this.#events = this.#events.slice(this.#head)
      this.#head = 0
    }
    if (this.#length <= this.#limit / 2) this.#wakeWriter?.()
    return event
  }

  /** Takes no more; what is in it may still be read, unless it is to be forgotten. */
  close({ forget }: { readonly forget: boolean }): void {
    this.#closed = true
    if (forget) {
      this.#events = []
      this.#head = 0
    }
    this.#wakeReader?.()
    this.#wakeWriter?.()
  }

  get #length(): number {
    return this.#events.length - this.#head
  }
}
