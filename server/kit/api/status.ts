import { ApiError } from './api-error.ts'

/** A failure as the API tells it (meta/v1 Status). */
export interface FailureStatus {
  readonly kind: 'Status'
  readonly apiVersion: 'v1'
  readonly metadata: Readonly<Record<string, never>>
  readonly status: 'Failure'
  readonly message: string
  readonly reason: string
  readonly details?: { readonly retryAfterSeconds: number }
  readonly code: number
}

/** What may be told of a failure: an ApiError as it is; of anything else only that there was one. */
export function apiErrorOf(error: unknown): ApiError {
  return error instanceof ApiError
    ? error
    : new ApiError('InternalError', 'the companion failed; its log says why', { cause: error })
}

/** The Status of an ApiError. */
export function failureStatus(error: ApiError): FailureStatus {
  const { message, reason, retryAfterSeconds, status: code } = error
  return {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message,
    reason,
    ...(retryAfterSeconds === undefined ? {} : { details: { retryAfterSeconds } }),
    code,
  }
}
