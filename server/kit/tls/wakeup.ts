import type { Clock } from '../../../src/core/lib/time.ts'

/** A bell that ends a wait early; rung while nobody waits, it ends the next wait at once. */
export class Wakeup {
  #rung = false
  #end: (() => void) | undefined

  ring(): void {
    this.#rung = true
    this.#end?.()
  }

  /** Resolves when the bell rings, after `ms` milliseconds, or when the signal aborts; true where it rang. */
  async wait(clock: Clock, ms: number, signal: AbortSignal): Promise<boolean> {
    const waiting = new AbortController()
    const either = AbortSignal.any([signal, waiting.signal])
    this.#end = () => waiting.abort()
    if (this.#rung) waiting.abort()
    try {
      await clock.sleep(ms, either)
    } catch (error) {
      if (!either.aborted) throw error
    } finally {
      this.#end = undefined
      this.#rung = false
    }
    return waiting.signal.aborted
  }
}
