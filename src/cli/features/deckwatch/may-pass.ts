import { DeckError, type ErrorCode } from '../../../core/lib/errors.ts'

const PASSING: ReadonlySet<ErrorCode> = new Set([
  'KUBE_UNREACHABLE',
  'KUBE_TIMEOUT',
  'KUBE_UNAVAILABLE',
  'KUBE_THROTTLED',
])

/** Whether a failure may pass by itself: an API server that starts anew, or has too much to do. */
export function mayPass(error: unknown): error is DeckError {
  return error instanceof DeckError && PASSING.has(error.code)
}
