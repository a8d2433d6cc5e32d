import type { AdmissionOutcome } from './webhook/admission-route.ts'

/** Reviews that were answered, and that nobody will find in the history. */
const LOST: ReadonlySet<AdmissionOutcome> = new Set([
  'large',
  'crowded',
  'rate',
  'full',
  'slow',
  'failed',
] satisfies AdmissionOutcome[])

/** Whether an outcome means that a change may be missing. */
export function isLost(outcome: AdmissionOutcome): boolean {
  return LOST.has(outcome)
}
