import type { Clock } from '../../src/core/lib/time.ts'

const TICK_MS = 1000
/** As with gaps, shorter ones do not count. */
const SHORTEST_MS = 5000

/** Notices that this thread did not run for a while: the process was stopped, or its machine slept. */
export class Standstill {
  readonly #clock: Pick<Clock, 'now' | 'sleep'>
  #ranAt: number
  #stood = false

  constructor(clock: Pick<Clock, 'now' | 'sleep'>) {
    this.#clock = clock
    this.#ranAt = clock.now()
  }

  /** Looks at the clock each second until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#clock.sleep(TICK_MS, signal).catch(() => undefined)
      this.#look()
    }
  }

  /** Whether it stood still since this was asked last. */
  take(): boolean {
    this.#look()
    const stood = this.#stood
    this.#stood = false
    return stood
  }

  #look(): void {
    const now = this.#clock.now()
    if (now - this.#ranAt > SHORTEST_MS) this.#stood = true
    this.#ranAt = now
  }
}
