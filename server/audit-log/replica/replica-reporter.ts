import type { RecordedResource } from '../config.ts'
import type { Clock } from '../../../src/core/lib/time.ts'
import type { ThreadPort } from '../../kit/thread/serve-thread.ts'
import { RecorderReporter } from '../recorder-reporter.ts'
import { NOTHING_COUNTED, type RecorderReport, type RecorderTotals } from '../recorder-report.ts'
import type { Recorder } from '../recorder/recorder.ts'
import type { AuditStore, AuditStoreState, StoredGap } from '../store/audit-store.ts'
import type { JournalFeeder } from './journal-feeder.ts'

/** What telling stands on. */
export interface ReplicaReporterDeps {
  readonly port: Pick<ThreadPort, 'tellState'>
  readonly clock: Clock
  readonly resources: readonly RecordedResource[]
  readonly writer: number
}

const LOOK_MS = 500
const GAPS_MS = 1000
const MAX_GAPS = 20
/** Whoever records tells so at least as often. */
const HEARTBEAT_MS = 15_000

/** Tells the main thread how a replica fares, whether it records itself or reads what another records. */
export class ReplicaReporter {
  readonly #deps: ReplicaReporterDeps
  #store: AuditStore | undefined
  #feeder: Pick<JournalFeeder, 'fed' | 'failing'> | undefined
  #waitingFor = 'starting'
  #state: AuditStoreState | undefined
  #gaps: readonly StoredGap[] = []
  #lookedAtGaps = Number.NEGATIVE_INFINITY
  /** Epoch milliseconds by our clock: when somebody was last seen to record. */
  #heardAt = Number.NEGATIVE_INFINITY
  #wasReady = false
  #term: { readonly reporter: RecorderReporter; readonly recorder: () => Recorder } | undefined
  /** Of the terms before. */
  #before: RecorderTotals = NOTHING_COUNTED
  #last: RecorderReport | undefined

  constructor(deps: ReplicaReporterDeps) {
    this.#deps = deps
  }

  /** Before everything is open, and whenever something stands in the way. */
  waiting(reason: string): void {
    this.#waitingFor = reason
    this.#tellWithout()
  }

  /** All is open. */
  uses(store: AuditStore, feeder: Pick<JournalFeeder, 'fed' | 'failing'>): void {
    this.#store = store
    this.#feeder = feeder
    this.#waitingFor = 'nothing was handed over yet'
  }

  /** From now on this replica records; gives how its recorder is to tell. */
  begin(recorder: () => Recorder): RecorderReporter['tell'] {
    const { clock, resources, writer } = this.#deps
    const reporter = new RecorderReporter({
      port: { tellState: (report) => this.#tellOf(report as RecorderReport) },
      clock,
      resources,
      writer,
    })
    this.#term = { reporter, recorder }
    return (...given) => reporter.tell(...given)
  }

  /** It records no more. */
  end(): void {
    this.#term = undefined
    if (this.#last) this.#before = this.#last.totals
    this.#tellWithout()
  }

  /** The same again: a replica that waits for its database is alive. */
  again(): void {
    if (this.#last) this.#post(this.#last)
  }

  /** Looks what others have recorded, until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.look()
      await this.#deps.clock.sleep(LOOK_MS, signal).catch(() => undefined)
    }
  }

  /** Looks at once. */
  async look(): Promise<void> {
    const store = this.#store
    if (!store) return
    const { clock } = this.#deps
    try {
      const state = await store.state()
      if (state.heartbeat !== this.#state?.heartbeat) this.#heardAt = clock.now()
      this.#state = state
      if (Math.abs(clock.now() - this.#lookedAtGaps) >= GAPS_MS) {
        this.#lookedAtGaps = clock.now()
        const gaps = await store.gaps(0, clock.now())
        this.#gaps = gaps.toSorted((one, other) => other.from - one.from).slice(0, MAX_GAPS)
      }
    } catch {
      // The database is away, which the feeder tells.
    }
    if (!this.#recorder) this.#tellWithout()
    else this.#term?.reporter.again()
  }

  /** Who records here, once it has begun to. */
  get #recorder(): Recorder | undefined {
    const recorder = this.#term?.recorder()
    return recorder?.state ? recorder : undefined
  }

  #tellOf(report: RecorderReport): void {
    if (!this.#recorder) {
      this.#tellWithout()
      return
    }
    const { totals, store } = report
    if (store) {
      this.#state = store
      this.#heardAt = this.#deps.clock.now()
    }
    this.#post({ ...report, totals: added(this.#before, totals), joins: this.#recorder.ready.ok })
  }

  #tellWithout(): void {
    const { resources } = this.#deps
    const nothing: RecorderReport = {
      store: undefined,
      ready: { ok: false, reason: '' },
      kinds: resources.map(({ group, resource }) => ({ group, resource })),
      since: undefined,
      gaps: [],
      taken: 0,
      pendingAgeMs: 0,
      totals: NOTHING_COUNTED,
      export: undefined,
    }
    this.#post({
      ...(this.#last ?? nothing),
      store: this.#state,
      gaps: this.#gaps,
      since: this.#since(),
      pendingAgeMs: 0,
      joins: false,
    })
  }

  #post(report: RecorderReport): void {
    this.#last = report
    this.#deps.port.tellState({ ...report, ready: this.#ready(), taken: this.#feeder?.fed ?? 0 })
  }

  /** Once it was, it stays ready while the database is away: its journal keeps what comes. */
  #ready(): RecorderReport['ready'] {
    const feeder = this.#feeder
    if (!feeder) return { ok: false, reason: this.#waitingFor }
    this.#wasReady ||= feeder.failing === undefined && this.#state !== undefined
    const recorder = this.#recorder
    if (!this.#wasReady) return { ok: false, reason: feeder.failing ?? this.#waitingFor }
    if (feeder.failing !== undefined) return { ok: true, reason: `${feeder.failing}: the journal keeps it` }
    return { ok: true, reason: recorder ? recorder.ready.reason : 'handing over to the replica that records' }
  }

  /** Since when somebody has recorded without a gap. */
  #since(): number | undefined {
    const state = this.#state
    const now = this.#deps.clock.now()
    if (!state || Math.abs(now - this.#heardAt) > HEARTBEAT_MS) return undefined
    if (state.heartbeat === undefined || this.#gaps.some(({ to }) => to === undefined)) return undefined
    return Math.max(state.begins, ...this.#gaps.map(({ to }) => to ?? now))
  }
}

function added(before: RecorderTotals, now: RecorderTotals): RecorderTotals {
  const changes = { ...before.changes }
  for (const [state, count] of Object.entries(now.changes)) {
    const name = state as keyof typeof changes
    changes[name] = (changes[name] ?? 0) + count
  }
  return {
    ...now,
    changes,
    noOps: before.noOps + now.noOps,
    excluded: before.excluded + now.excluded,
    gapMs: before.gapMs + now.gapMs,
  }
}
