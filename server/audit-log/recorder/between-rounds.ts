/** Work that must see the recorder with nothing in its hands: done between two of its rounds, one after the other. */
export class BetweenRounds {
  #waiting: { readonly work: () => Promise<void>; readonly reject: (reason: Error) => void }[] = []
  #ended = false

  /** Resolves as the work does once its turn has come; rejects where recording ends before. */
  run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#ended) return Promise.reject(new Error(ENDED))
    const { promise, resolve, reject } = Promise.withResolvers<T>()
    this.#waiting.push({ work: () => work().then(resolve, reject), reject })
    return promise
  }

  /** A round is over. */
  async turn(): Promise<void> {
    for (const { work } of this.#waiting.splice(0)) await work()
  }

  /** There are no more rounds. */
  end(): void {
    this.#ended = true
    for (const { reject } of this.#waiting.splice(0)) reject(new Error(ENDED))
  }
}

const ENDED = 'recording has ended meanwhile'
