/** The reasons of meta/v1 Status that the companion answers with. */
export type StatusReason =
  | 'BadRequest'
  | 'Unauthorized'
  | 'Forbidden'
  | 'NotFound'
  | 'MethodNotAllowed'
  | 'NotAcceptable'
  | 'Expired'
  | 'RequestEntityTooLarge'
  | 'Invalid'
  | 'TooManyRequests'
  | 'InternalError'
  | 'ServiceUnavailable'
  | 'Timeout'

/** The HTTP status of each reason (k8s.io/apimachinery, pkg/apis/meta/v1/types.go). */
export const STATUS_CODES = {
  BadRequest: 400,
  Unauthorized: 401,
  Forbidden: 403,
  NotFound: 404,
  MethodNotAllowed: 405,
  NotAcceptable: 406,
  Expired: 410,
  RequestEntityTooLarge: 413,
  Invalid: 422,
  TooManyRequests: 429,
  InternalError: 500,
  ServiceUnavailable: 503,
  Timeout: 504,
} as const satisfies Record<StatusReason, number>

/** A failure that a client of the API is told, as a meta/v1 Status; the message never holds what the caller may not see. */
export class ApiError extends Error {
  override readonly name = 'ApiError'
  readonly reason: StatusReason
  /** Seconds after which asking again makes sense (Retry-After). */
  readonly retryAfterSeconds: number | undefined
  /** The methods that are allowed, with MethodNotAllowed (Allow). */
  readonly allow: string | undefined

  constructor(
    reason: StatusReason,
    message: string,
    options: {
      readonly retryAfterSeconds?: number
      readonly allow?: string
      readonly cause?: unknown
    } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.reason = reason
    this.retryAfterSeconds = options.retryAfterSeconds
    this.allow = options.allow
  }

  get status(): number {
    return STATUS_CODES[this.reason]
  }
}
