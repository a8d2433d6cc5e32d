import type { Clock } from '../../src/core/lib/time.ts'
import type { Log, LogFields } from './log.ts'

/** What a rare warning is written with. */
export interface RareWarningOptions {
  readonly log: Pick<Log, 'warn'>
  readonly clock: Pick<Clock, 'now'>
}

/** So long it is quiet after each line. */
const QUIET_MS = 60_000

/**
 * A warning that strangers may cause as often as they like: the log gets one a minute, with the fields of the latest
 * and, as `times`, how often it came since the one before.
 */
export class RareWarning {
  readonly #message: string
  readonly #options: RareWarningOptions
  #writtenAt = Number.NEGATIVE_INFINITY
  #times = 0

  constructor(message: string, options: RareWarningOptions) {
    this.#message = message
    this.#options = options
  }

  /** Counts one more, and writes it where none was written for a minute. */
  warn(fields: LogFields): void {
    const { log, clock } = this.#options
    const now = clock.now()
    this.#times += 1
    // A clock that was set back makes no silence longer.
    if (now >= this.#writtenAt && now - this.#writtenAt < QUIET_MS) return
    log.warn({ ...fields, times: this.#times }, this.#message)
    this.#writtenAt = now
    this.#times = 0
  }
}
