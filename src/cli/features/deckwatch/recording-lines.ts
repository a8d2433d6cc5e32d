import { ageOf } from '../../../core/lib/age.ts'
import { formatBytes } from '../../../core/lib/bytes.ts'
import { plural } from '../../../core/lib/text.ts'
import type { RecordingStatus } from '../../../core/wire/companion-status.ts'
import type { PodReport, Problem } from './companion-report.ts'
import { recordings } from './recording.ts'

const FULL_SHARE = 0.9
/** More waits for the store than a short burst leaves. */
const MANY_BEHIND = 1000
/** A collector that restarts is back within it. */
const EXPORT_PATIENCE_MS = 60_000

/** What people want to know of the audit log: since when it records, how much waits, when it did not look. */
export function recordingText(pods: readonly PodReport[], now: number): string | undefined {
  const [recording] = recordings(pods.map(({ status }) => status))
  if (!recording) return undefined
  const { since, journal, lastHour, gaps } = recording
  const [gap] = gaps
  return [
    since === undefined ? 'nothing is recorded now' : `without a gap for ${ageOf(Date.parse(since), now)}`,
    `${plural(lastHour.reviews, 'review')} in the last hour`,
    `journal ${formatBytes(journal.usedBytes)} of ${formatBytes(journal.limitBytes)}, ${journal.entriesBehind} waiting`,
    ...(recording.export ? [`${plural(recording.export.exported, 'change')} exported`] : []),
    ...(gap ? [`last gap ${gapText(gap, now)}`] : []),
  ].join('; ')
}

/** How long the API server has been told to send reviews; undefined where it is not. */
export function webhookText(pods: readonly PodReport[], now: number): string | undefined {
  const [recording] = recordings(pods.map(({ status }) => status))
  if (recording?.webhook.ok !== true) return undefined
  const { since } = recording.webhook
  return `registered for ${ageOf(Date.parse(since), now)}`
}

/** What is wrong with the recording of one pod, each with its mend. */
export function recordingProblems(
  { name, status }: PodReport,
  {
    namespace,
    reinstall,
    now,
  }: { readonly namespace: string; readonly reinstall: string; readonly now: number },
): readonly Problem[] {
  const logs = `kubectl -n ${namespace} logs ${name} --tail 50`
  return recordings([status]).flatMap(({ webhook, journal, lastHour, export: told }) => [
    ...(webhook.ok
      ? []
      : [
          {
            about: 'webhook',
            ...webhookProblem(webhook, now, { reinstall, logs }),
          },
        ]),
    ...(lastHour.unattributed === 0
      ? []
      : [
          {
            about: 'webhook',
            text: `${plural(lastHour.unattributed, 'change')} of the last hour landed without a review, so without a name`,
            mend: 'kubectl blame -A --state unattributed --since 1h',
          },
        ]),
    ...(lastHour.dropped === 0
      ? []
      : [
          {
            about: 'journal',
            text: `${plural(lastHour.dropped, 'review')} of the last hour could not be kept`,
            mend: logs,
          },
        ]),
    ...journalProblems(journal, logs),
    ...exportProblems(told, now, logs),
  ])
}

function webhookProblem(
  { since, reason }: RecordingStatus['webhook'],
  now: number,
  { reinstall, logs }: { readonly reinstall: string; readonly logs: string },
): Pick<Problem, 'text' | 'mend'> {
  const text = `no change is recorded with its author for ${ageOf(Date.parse(since), now)}: ${reason}`
  if (!reason.endsWith('is not there')) return { text, mend: logs }
  return { text: `${text}. Install brings it back, with the values that were given before`, mend: reinstall }
}

function journalProblems(
  { usedBytes, limitBytes, entriesBehind }: RecordingStatus['journal'],
  logs: string,
): readonly Problem[] {
  if (entriesBehind < MANY_BEHIND || usedBytes < FULL_SHARE * limitBytes) return []
  const percent = Math.round((usedBytes / limitBytes) * 100)
  const text = `is ${percent} % full with ${entriesBehind} reviews that the store has not taken; beyond it they are only counted`
  return [{ about: 'journal', text, mend: logs }]
}

function exportProblems(told: RecordingStatus['export'], now: number, logs: string): readonly Problem[] {
  const { refused = 0, failing } = told ?? {}
  return [
    ...(failing && now - Date.parse(failing.since) >= EXPORT_PATIENCE_MS
      ? [
          {
            about: 'export',
            text: `the collector has taken nothing for ${ageOf(Date.parse(failing.since), now)}: ${failing.reason}. Changes wait in the history`,
            mend: logs,
          },
        ]
      : []),
    ...(refused > 0
      ? [
          {
            about: 'export',
            text: `the collector refused ${plural(refused, 'change')} for good: its copy lacks them`,
            mend: logs,
          },
        ]
      : []),
  ]
}

function gapText({ from, to, reason }: RecordingStatus['gaps'][number], now: number): string {
  const began = Date.parse(from)
  return to === undefined
    ? `since ${ageOf(began, now)} (${reason})`
    : `${ageOf(Date.parse(to), now)} ago, ${ageOf(began, Date.parse(to))} long (${reason})`
}
