import { ageOf } from '../../../core/lib/age.ts'
import { formatBytes } from '../../../core/lib/bytes.ts'
import { plural } from '../../../core/lib/text.ts'
import type { CompanionStatus, RecordingStatus } from '../../../core/wire/companion-status.ts'
import type { PodReport } from './companion-report.ts'
import { recordings } from './recording.ts'

const HOUR_MS = 60 * 60 * 1000

/** What people want to know of the audit log: since when it records, how much waits, when it did not look. */
export function recordingText(pods: readonly PodReport[], now: number): string | undefined {
  const [recording] = recordings(pods.map(({ status }) => status))
  if (!recording) return undefined
  const { since, journal, lastHour, gaps } = recording
  const [gap] = gaps
  const teller = pods.find(({ status }) => recordings([status]).includes(recording))?.status
  return [
    since === undefined ? 'nothing is recorded now' : `without a gap for ${ageOf(Date.parse(since), now)}`,
    `${plural(lastHour.reviews, 'review')} ${countedIn(teller, now)}`,
    `journal ${formatBytes(journal.usedBytes)} of ${formatBytes(journal.limitBytes)}, ${journal.entriesBehind} waiting`,
    ...(recording.export ? [`${plural(recording.export.exported, 'change')} exported`] : []),
    ...(gap ? [`last gap ${gapText(gap, now)}`] : []),
  ].join('; ')
}

/** The time in which a pod counts as that of the last hour: a restart forgets what was before. */
export function countedIn(status: Pick<CompanionStatus, 'startedAt'> | undefined, now: number): string {
  const began = Date.parse(status?.startedAt ?? '')
  if (Number.isNaN(began) || now - began >= HOUR_MS) return 'in the last hour'
  return `in the ${ageOf(began, now)} since it was started`
}

/** How long the API server has been told to send reviews; undefined where it is not. */
export function webhookText(pods: readonly PodReport[], now: number): string | undefined {
  const [recording] = recordings(pods.map(({ status }) => status))
  if (recording?.webhook.ok !== true) return undefined
  const { since } = recording.webhook
  return `registered for ${ageOf(Date.parse(since), now)}`
}

function gapText({ from, to, reason }: RecordingStatus['gaps'][number], now: number): string {
  const began = Date.parse(from)
  return to === undefined
    ? `since ${ageOf(began, now)} (${reason})`
    : `${ageOf(Date.parse(to), now)} ago, ${ageOf(began, Date.parse(to))} long (${reason})`
}
