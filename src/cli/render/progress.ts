import { truncate, visible } from '../../core/lib/text.ts'
import type { Clock } from '../../core/lib/time.ts'

/** The stream that progress is shown on, as `process.stderr` is. */
export interface ProgressStream {
  readonly isTTY?: boolean
  /** Width of the terminal in cells. */
  readonly columns?: number
  write(text: string): unknown
}

/** What progress needs. */
export interface ProgressOptions {
  readonly stream: ProgressStream
  readonly clock: Clock
}

/** Work shorter than this, in milliseconds, shows nothing at all. */
const QUIET_MS = 500
/** The least time between two paints in milliseconds. */
const PAINT_MS = 100
const CLEAR_LINE = '\r\u001b[K'

/**
 * One line on a terminal's stderr that says what a command is waiting for; nothing in a pipe, nothing in the first half
 * second, at most ten paints a second. Call `clear` before writing anything else to the terminal (the next `update`
 * brings the line back) and `stop` when the work ends, also after failure.
 */
export class Progress {
  readonly #stream: ProgressStream
  readonly #clock: Clock
  readonly #stopped = new AbortController()
  #text = ''
  #paintAt: number
  #shown = false
  #waiting = false

  constructor({ stream, clock }: ProgressOptions) {
    this.#stream = stream
    this.#clock = clock
    this.#paintAt = clock.now() + QUIET_MS
    if (stream.isTTY !== true) this.stop()
  }

  /** Says what is being waited for now, in a few words without a line feed. */
  update(text: string): void {
    this.#text = text
    if (this.#stopped.signal.aborted || this.#waiting) return
    const wait = this.#paintAt - this.#clock.now()
    if (wait <= 0) this.#paint()
    else void this.#paintAfter(wait)
  }

  /** Takes the line away, so that other output starts at the left edge. */
  clear(): void {
    this.#text = ''
    if (!this.#shown) return
    this.#shown = false
    this.#stream.write(CLEAR_LINE)
  }

  /** Takes the line away for good. */
  stop(): void {
    this.clear()
    this.#stopped.abort()
  }

  async #paintAfter(wait: number): Promise<void> {
    this.#waiting = true
    try {
      await this.#clock.sleep(wait, this.#stopped.signal)
    } catch {
      return // stopped while waiting
    } finally {
      this.#waiting = false
    }
    if (this.#text !== '') this.#paint()
  }

  #paint(): void {
    // A line as wide as the terminal wraps, and only its last part could be cleared.
    const line = truncate(visible(this.#text), (this.#stream.columns || 80) - 1)
    this.#stream.write(CLEAR_LINE + line)
    this.#shown = true
    this.#paintAt = this.#clock.now() + PAINT_MS
  }
}
