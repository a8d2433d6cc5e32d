import { Counter, Gauge, Histogram, type MetricsRegistry } from '../kit/metrics.ts'
import { type ExportProgress, NOTHING_COUNTED, type RecorderReport } from './recorder-report.ts'
import { isLost } from './lost-reviews.ts'
import { ADMISSION_OUTCOMES, type AdmissionOutcome } from './webhook/admission-route.ts'

/** What the audit log tells Prometheus. */
export interface AuditMetrics {
  /** A review was answered. */
  answered(outcome: AdmissionOutcome, seconds: number): void
  /** Takes over what the recorder's thread counted. */
  take(report: RecorderReport): void
  /** Another thread begins, whose counts begin with nothing. */
  begin(): void
}

/** What is looked up whenever Prometheus asks. */
export interface AuditGauges {
  readonly recording: () => boolean
  readonly journalBytes: () => number
  readonly entriesBehind: () => number
}

const NOTHING_EXPORTED: ExportProgress = { exported: 0, failures: 0, refused: 0, failing: undefined }

/** From 0.5 ms on: the answer should come within some milliseconds, and after a second the API server goes on without it. */
const REVIEW_BUCKETS = [0.0005, 0.001, 0.0025, 0.005, 0.008, 0.015, 0.03, 0.1, 0.3, 1]

/** Registers the metrics of the audit log; once in a registry. */
export function createAuditMetrics(registry: MetricsRegistry, gauges: AuditGauges): AuditMetrics {
  const registers = [registry]
  const counter = (name: string, help: string): Counter => new Counter({ name, help, registers })
  const gauge = (name: string, help: string, value?: () => number): Gauge =>
    new Gauge({
      name,
      help,
      registers,
      ...(value
        ? {
            collect() {
              this.set(value())
            },
          }
        : {}),
    })
  const changes = new Counter({
    name: 'deckwatch_audit_changes_total',
    help: 'Changes by what was found out about them.',
    labelNames: ['state'],
    registers,
  })
  const noOps = counter('deckwatch_audit_no_ops_total', 'Reviews of writes that change nothing.')
  const excluded = counter(
    'deckwatch_audit_excluded_total',
    'Changes that landed without a review because a rule leaves them out.',
  )
  const gapSeconds = counter(
    'deckwatch_audit_gap_seconds_total',
    'Seconds in which changes were not recorded by both witnesses.',
  )
  const pendingAge = gauge(
    'deckwatch_audit_pending_age_seconds',
    'Age of the oldest change of which it is not known whether it landed.',
  )
  const storeBytes = gauge('deckwatch_audit_store_bytes', 'Bytes of the history of changes.')
  gauge('deckwatch_audit_recording', '1 while changes are recorded by both witnesses.', () =>
    Number(gauges.recording()),
  )
  gauge(
    'deckwatch_audit_journal_bytes',
    'Bytes of reviews that were answered and wait for the store.',
    gauges.journalBytes,
  )
  gauge(
    'deckwatch_audit_journal_entries_behind',
    'Reviews that were answered and wait for the store.',
    gauges.entriesBehind,
  )
  const reviews = new Counter({
    name: 'deckwatch_audit_reviews_total',
    help: 'Reviews that the API server asked for, by what became of them.',
    labelNames: ['outcome'],
    registers,
  })
  const dropped = new Counter({
    name: 'deckwatch_audit_dropped_total',
    help: 'Reviews that were answered and not kept, by reason.',
    labelNames: ['reason'],
    registers,
  })
  for (const outcome of ADMISSION_OUTCOMES) {
    reviews.inc({ outcome }, 0)
    if (isLost(outcome)) dropped.inc({ reason: outcome }, 0)
  }
  const dryRuns = counter('deckwatch_audit_dry_runs_total', 'Reviews of writes that were only tried.')
  const reviewSeconds = new Histogram({
    name: 'deckwatch_audit_review_seconds',
    help: 'Time from the arrival of a review to its answer, in which it was kept.',
    buckets: REVIEW_BUCKETS,
    registers,
  })
  const exported = counter('deckwatch_audit_exported_total', 'Changes of which a collector was told.')
  const exportFailures = counter(
    'deckwatch_audit_export_failures_total',
    'Requests to the collector that failed and are made again.',
  )
  const exportRefused = counter(
    'deckwatch_audit_export_refused_total',
    'Changes that the collector refused for good: they are missing there.',
  )
  let last = NOTHING_COUNTED
  let lastExport = NOTHING_EXPORTED
  return {
    answered(outcome, seconds) {
      reviews.inc({ outcome })
      if (outcome === 'dry-run') dryRuns.inc()
      if (isLost(outcome)) dropped.inc({ reason: outcome })
      reviewSeconds.observe(seconds)
    },
    begin() {
      last = NOTHING_COUNTED
      lastExport = NOTHING_EXPORTED
    },
    take({ totals, pendingAgeMs, store, export: now = NOTHING_EXPORTED }) {
      for (const [state, count] of Object.entries(totals.changes)) {
        const before = last.changes[state as keyof typeof last.changes] ?? 0
        if (count > before) changes.inc({ state }, count - before)
      }
      noOps.inc(totals.noOps - last.noOps)
      excluded.inc(totals.excluded - last.excluded)
      gapSeconds.inc(Math.max(0, totals.gapMs - last.gapMs) / 1000)
      exported.inc(now.exported - lastExport.exported)
      exportFailures.inc(now.failures - lastExport.failures)
      exportRefused.inc(now.refused - lastExport.refused)
      lastExport = now
      pendingAge.set(pendingAgeMs / 1000)
      if (store) storeBytes.set(store.usedBytes)
      last = totals
    },
  }
}
