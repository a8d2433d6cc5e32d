import type { Clock } from '../../src/core/lib/time.ts'
import type { ThreadPort } from '../kit/thread/serve-thread.ts'
import type { RecordedResource } from './config.ts'
import type { ChangeExporter } from './export/change-exporter.ts'
import { NOTHING_COUNTED, type RecorderReport } from './recorder-report.ts'
import type { Recorder } from './recorder/recorder.ts'
import type { AuditStore, StoredGap } from './store/audit-store.ts'

/** What telling stands on. */
export interface RecorderReporterDeps {
  readonly port: Pick<ThreadPort, 'tellState'>
  readonly clock: Pick<Clock, 'now'>
  readonly resources: readonly RecordedResource[]
  /** Of the journal. */
  readonly writer: number
}

/** What takes a look at the store is looked up no more often. */
const LOOK_MS = 1000
const MAX_GAPS = 20

/** Tells the main thread how the recorder fares: at once what readers need, and about once a second the rest. */
export class RecorderReporter {
  readonly #deps: RecorderReporterDeps
  readonly #kinds: RecorderReport['kinds']
  #gaps: readonly StoredGap[] = []
  #taken = 0
  #gapMs = 0
  #lookedAt = Number.NEGATIVE_INFINITY
  #toldAt: number | undefined
  #last: RecorderReport | undefined

  constructor(deps: RecorderReporterDeps) {
    this.#deps = deps
    this.#kinds = deps.resources.map(({ group, resource }) => ({ group, resource }))
  }

  /** Before the store is open. */
  waiting(reason: string): void {
    this.#post({
      store: undefined,
      ready: { ok: false, reason },
      kinds: this.#kinds,
      since: undefined,
      gaps: [],
      taken: 0,
      pendingAgeMs: 0,
      totals: NOTHING_COUNTED,
      export: undefined,
    })
  }

  tell(recorder: Recorder, store: AuditStore, exporter?: Pick<ChangeExporter, 'progress'>): void {
    const { clock } = this.#deps
    const { counts, ready, state } = recorder
    const now = clock.now()
    if (counts.gap && this.#toldAt !== undefined) this.#gapMs += Math.max(0, now - this.#toldAt)
    this.#toldAt = now
    if (now - this.#lookedAt >= LOOK_MS) {
      this.#lookedAt = now
      void this.#look(store, now)
    }
    const ends = this.#gaps.map(({ to }) => to ?? now)
    this.#post({
      store: state,
      ready,
      kinds: this.#kinds,
      since: counts.gap || !state ? undefined : Math.max(state.begins, ...ends),
      gaps: this.#gaps,
      // What waits for a decision is read, and held in the journal only for a restart.
      taken: recorder.readSeq ?? this.#taken,
      pendingAgeMs: counts.oldestPending === undefined ? 0 : Math.max(0, now - counts.oldestPending),
      totals: {
        changes: { ...counts.decided },
        noOps: counts.noChange,
        excluded: counts.silent.excluded ?? 0,
        gapMs: this.#gapMs,
      },
      export: exporter?.progress,
    })
  }

  async #look(store: AuditStore, now: number): Promise<void> {
    try {
      const [gaps, position] = await Promise.all([store.gaps(0, now), store.position(this.#deps.writer)])
      this.#gaps = gaps.toSorted((one, other) => other.from - one.from).slice(0, MAX_GAPS)
      this.#taken = position?.seq ?? 0
    } catch {
      // The store is away, which the recorder itself tells.
    }
  }

  /** The same again: a recorder that waits for space or for its database is alive. */
  again(): void {
    if (this.#last) this.#deps.port.tellState(this.#last)
  }

  #post(report: RecorderReport): void {
    this.#last = report
    this.#deps.port.tellState(report)
  }
}
