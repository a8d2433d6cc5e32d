import { labelsOf } from './labels.ts'
import { NAMES } from './names.ts'
import type { DeployValues } from './values.ts'

/** One alert of Prometheus. */
export interface AlertRule {
  readonly alert: string
  readonly expr: string
  /** How long it must hold; at once where left out. */
  readonly for?: string
  readonly labels: { readonly severity: 'critical' | 'warning' | 'info' }
  readonly annotations: { readonly summary: string; readonly description: string }
}

/** What became of reviews that were answered and that nobody will find in the history. */
export const LOST_OUTCOMES = ['large', 'crowded', 'rate', 'full', 'slow', 'failed'] as const

const STATUS = 'kubectl deckwatch status tells more.'

/** When somebody should look at the audit log. A restart is over before any of them fires. */
export const AUDIT_ALERTS: readonly AlertRule[] = [
  {
    alert: 'DeckwatchRecordingStopped',
    expr: 'max by (namespace) (deckwatch_audit_recording) == 0',
    for: '3m',
    labels: { severity: 'critical' },
    annotations: {
      summary: 'Changes are not recorded',
      description: `The companion in namespace {{ $labels.namespace }} has recorded no changes for three minutes: they will have no author. ${STATUS}`,
    },
  },
  {
    alert: 'DeckwatchRecordingUnseen',
    expr: 'absent(deckwatch_audit_recording)',
    for: '10m',
    labels: { severity: 'critical' },
    annotations: {
      summary: 'Nobody knows whether changes are recorded',
      description: `Prometheus has had no figures of the audit log for ten minutes. ${STATUS}`,
    },
  },
  {
    alert: 'DeckwatchRecordingFallingBehind',
    expr: 'max by (namespace) (deckwatch_audit_pending_age_seconds) > 120 or max by (namespace) (deckwatch_audit_journal_entries_behind) > 10000',
    for: '5m',
    labels: { severity: 'warning' },
    annotations: {
      summary: 'The audit log is falling behind',
      description: `What was received in namespace {{ $labels.namespace }} waits for the store for more than five minutes; when the journal is full, changes are only counted. ${STATUS}`,
    },
  },
  {
    alert: 'DeckwatchReviewsDropped',
    expr: `sum by (namespace, outcome) (increase(deckwatch_audit_reviews_total{outcome=~"${LOST_OUTCOMES.join('|')}"}[10m])) > 0`,
    labels: { severity: 'warning' },
    annotations: {
      summary: 'Reviews of changes could not be kept',
      description: `{{ $value | humanize }} reviews of the last ten minutes were answered and not kept ({{ $labels.outcome }}). ${STATUS}`,
    },
  },
  {
    alert: 'DeckwatchReviewsSlow',
    expr: 'histogram_quantile(0.99, sum by (namespace, le) (rate(deckwatch_audit_review_seconds_bucket[5m]))) > 0.1',
    for: '10m',
    labels: { severity: 'warning' },
    annotations: {
      summary: 'Writes wait for the audit log',
      description: `One in a hundred writes waits longer than 0.1 s for its review in namespace {{ $labels.namespace }}. Emergency exit: kubectl delete validatingwebhookconfiguration ${NAMES.auditLog}`,
    },
  },
  {
    alert: 'DeckwatchExportStopped',
    expr: 'sum by (namespace) (increase(deckwatch_audit_export_failures_total[15m])) > 0 and sum by (namespace) (increase(deckwatch_audit_exported_total[15m])) == 0',
    for: '15m',
    labels: { severity: 'warning' },
    annotations: {
      summary: 'The collector is not told of changes',
      description:
        'The collector of the audit log in namespace {{ $labels.namespace }} has taken nothing for half an hour. Changes wait in the history; what ends there by age or size before it answers again will be missing in its copy.',
    },
  },
  {
    alert: 'DeckwatchExportIncomplete',
    expr: 'sum by (namespace) (increase(deckwatch_audit_export_refused_total[1h])) > 0',
    labels: { severity: 'warning' },
    annotations: {
      summary: 'Changes are missing in the copy of the collector',
      description:
        '{{ $value | humanize }} changes of the last hour were refused for good by the collector of the audit log in namespace {{ $labels.namespace }}; its log and that of the companion name them.',
    },
  },
  {
    alert: 'DeckwatchChangesUnattributed',
    expr: 'sum by (namespace) (increase(deckwatch_audit_changes_total{state="unattributed"}[1h])) > 0',
    for: '5m',
    labels: { severity: 'info' },
    annotations: {
      summary: 'Changes landed without a review',
      description:
        '{{ $value | humanize }} changes of the last hour have no author. kubectl blame -A --state unattributed --since 1h shows them.',
    },
  },
]

/** The alerts as the Prometheus Operator takes them (monitoring.coreos.com/v1). */
export function prometheusRule({ namespace }: DeployValues): unknown {
  return {
    apiVersion: 'monitoring.coreos.com/v1',
    kind: 'PrometheusRule',
    metadata: { name: NAMES.companion, namespace, labels: labelsOf('companion') },
    spec: { groups: [{ name: 'deckwatch-audit-log', rules: AUDIT_ALERTS }] },
  }
}
