import { ageOf } from '../../../core/lib/age.ts'
import { plural } from '../../../core/lib/text.ts'
import type { RecordingStatus } from '../../../core/wire/companion-status.ts'
import type { PodReport, Problem } from './companion-report.ts'
import { countedIn } from './recording-lines.ts'
import { recordings } from './recording.ts'

const FULL_SHARE = 0.9
/** More waits for the store than a short burst leaves. */
const MANY_BEHIND = 1000
/** A collector that restarts is back within it. */
const EXPORT_PATIENCE_MS = 60_000
const TEN_MINUTES_MS = 600_000

/** What the judgement of one pod's recording stands on; `now` in epoch milliseconds. */
export interface RecordingPlace {
  readonly namespace: string
  /** The command that brings a deleted webhook back. */
  readonly reinstall: string
  readonly now: number
  /** All pods: of several replicas each gets a share of the reviews, and one finds changes that had none. */
  readonly pods: readonly PodReport[]
}

/** What is wrong with the recording of one pod now, each with its mend. */
export function recordingProblems(pod: PodReport, place: RecordingPlace): readonly Problem[] {
  const logs = logsOf(pod, place)
  return recordings([pod.status]).flatMap((recording) => [
    ...webhookProblems(recording, place, logs),
    ...journalProblems(recording, logs),
    ...exportProblems(recording, place.now, logs),
  ])
}

/** What was wrong with it within the last hour and is no more: nothing is to be mended, and yet something is missing. */
export function recordingWarnings(pod: PodReport, place: RecordingPlace): readonly Problem[] {
  const logs = logsOf(pod, place)
  const when = countedIn(pod.status, place.now)
  return recordings([pod.status]).flatMap((recording) => {
    const { lastHour, export: told } = recording
    const { refused = 0 } = told ?? {}
    return [
      ...(lastHour.unattributed === 0 || isUnreviewed(recording, place)
        ? []
        : [
            {
              about: 'webhook',
              text: `${plural(lastHour.unattributed, 'change')} ${when} landed without a review, so without a name`,
              mend: UNNAMED,
            },
          ]),
      ...(lastHour.dropped === 0 || isDropping(recording)
        ? []
        : [
            {
              about: 'journal',
              text: `${plural(lastHour.dropped, 'review')} ${when} could not be kept`,
              mend: logs,
            },
          ]),
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
  })
}

const UNNAMED = 'kubectl blame -A --state unattributed --since 1h'

function logsOf({ name }: PodReport, { namespace }: RecordingPlace): string {
  return `kubectl -n ${namespace} logs ${name} --tail 50`
}

function webhookProblems(
  recording: RecordingStatus,
  place: RecordingPlace,
  logs: string,
): readonly Problem[] {
  const { now, reinstall } = place
  const { webhook, gaps, lastTenMinutes } = recording
  if (!webhook.ok) return [{ about: 'webhook', ...webhookProblem(webhook, now, { reinstall, logs }) }]
  const lasting = gaps.find(({ to }) => to === undefined)
  if (lasting) {
    const text = `not every change is recorded for ${ageOf(Date.parse(lasting.from), now)}: ${lasting.reason}`
    return [{ about: 'recording', text, mend: logs }]
  }
  if (!isUnreviewed(recording, place)) return []
  const { unattributed = 0 } = lastTenMinutes ?? {}
  const reviews = latestReviews(place)
  const came = reviews === 0 ? 'none came' : `${reviews} came`
  const text = `the API server does not get through with its reviews: ${plural(unattributed, 'change')} in the last 10 minutes landed without one, and ${came}. May it connect to the pod (network policies, firewalls)?`
  return [{ about: 'webhook', text, mend: UNNAMED }]
}

/** More changes land without a review than with one, and no gap says why: so it is where the API server is kept from us. */
function isUnreviewed({ lastTenMinutes: counts, gaps }: RecordingStatus, place: RecordingPlace): boolean {
  if (!counts || counts.unattributed <= latestReviews(place)) return false
  return gaps.every(({ to }) => to !== undefined && place.now - Date.parse(to) > TEN_MINUTES_MS)
}

function latestReviews({ pods }: RecordingPlace): number {
  return recordings(pods.map(({ status }) => status)).reduce(
    (sum, { lastTenMinutes }) => sum + (lastTenMinutes?.reviews ?? 0),
    0,
  )
}

function isDropping({ lastTenMinutes }: RecordingStatus): boolean {
  return (lastTenMinutes?.dropped ?? 0) > 0
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

function journalProblems(recording: RecordingStatus, logs: string): readonly Problem[] {
  const { usedBytes, limitBytes, entriesBehind } = recording.journal
  if (isDropping(recording)) {
    const dropped = recording.lastTenMinutes?.dropped ?? 0
    return [
      {
        about: 'journal',
        text: `${plural(dropped, 'review')} in the last 10 minutes could not be kept`,
        mend: logs,
      },
    ]
  }
  if (entriesBehind < MANY_BEHIND || usedBytes < FULL_SHARE * limitBytes) return []
  const percent = Math.round((usedBytes / limitBytes) * 100)
  const text = `is ${percent} % full with ${entriesBehind} reviews that the store has not taken; beyond it they are only counted`
  return [{ about: 'journal', text, mend: logs }]
}

function exportProblems({ export: told }: RecordingStatus, now: number, logs: string): readonly Problem[] {
  const { failing } = told ?? {}
  if (!failing || now - Date.parse(failing.since) < EXPORT_PATIENCE_MS) return []
  return [
    {
      about: 'export',
      text: `the collector has taken nothing for ${ageOf(Date.parse(failing.since), now)}: ${failing.reason}. Changes wait in the history`,
      mend: logs,
    },
  ]
}
