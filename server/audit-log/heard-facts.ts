import type { RecorderFacts } from './recorder-report.ts'

/** What the main thread tells, as the recorder asks for it: between two commits, when what was over by then is told all the same. */
export class HeardFacts {
  #witness: RecorderFacts['witness'] = { ok: false, reason: 'starting', since: 0 }
  #failed: string | undefined

  hear({ witness }: RecorderFacts): void {
    this.#witness = witness
    if (!witness.ok) this.#failed = witness.reason
  }

  /** Nobody has recorded so far: what failed before is of no interest. */
  begin(): void {
    this.#failed = this.#witness.ok ? undefined : this.#witness.reason
  }

  /** Why reviews did not come in, or were not kept, since this was asked last; undefined where they were all the time. */
  take(): string | undefined {
    const failed = this.#failed
    this.begin()
    return failed
  }
}
