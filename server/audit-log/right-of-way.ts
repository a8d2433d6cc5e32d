/**
 * Who goes first where two threads have one core: requests that are being answered. A scheduler alone lets the other
 * thread finish its slice of some milliseconds, however low its priority, each time that an answer waits for something.
 */
export class RightOfWay {
  readonly #cell: Int32Array

  /** On the memory of another thread's, or on its own. */
  constructor(memory: SharedArrayBuffer = new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT)) {
    this.#cell = new Int32Array(memory)
  }

  /** Handed to the other thread. */
  get memory(): SharedArrayBuffer {
    return this.#cell.buffer as SharedArrayBuffer
  }

  /** A request is being answered from now on. */
  enter(): void {
    Atomics.add(this.#cell, 0, 1)
  }

  /** It was answered, or given up. */
  leave(): void {
    if (Atomics.sub(this.#cell, 0, 1) === 1) Atomics.notify(this.#cell, 0)
  }

  /** Stands still until no request is being answered, at most for so many milliseconds. */
  giveWay(mostMs: number): void {
    const until = performance.now() + mostMs
    for (;;) {
      const requests = Atomics.load(this.#cell, 0)
      const left = until - performance.now()
      if (requests <= 0 || left <= 0) return
      Atomics.wait(this.#cell, 0, requests, left)
    }
  }
}
