import type { Clock } from '../../../src/core/lib/time.ts'
import type { ChangeSource } from './change-source.ts'

/** Lets a watch sleep until the recorder tells something new. */
export class Waker {
  readonly #clock: Clock
  readonly #signal: AbortSignal
  readonly #stop: () => void
  #woken = false
  #wake: (() => void) | undefined

  constructor(source: ChangeSource, clock: Clock, signal: AbortSignal) {
    this.#clock = clock
    this.#signal = signal
    this.#stop = source.onState(() => {
      this.#woken = true
      this.#wake?.()
    })
  }

  /** Resolves when something was told since the last wait, after so many milliseconds, or when the signal aborts. */
  async wait(ms: number): Promise<void> {
    if (!this.#woken) {
      const waking = new AbortController()
      this.#wake = () => waking.abort()
      await this.#clock.sleep(ms, AbortSignal.any([waking.signal, this.#signal])).catch(() => undefined)
      this.#wake = undefined
    }
    this.#woken = false
  }

  close(): void {
    this.#stop()
  }
}
