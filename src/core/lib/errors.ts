/** How a deckwatch process ends: 0 fine, 1 the answer is bad news, 2 wrong usage, 3 could not find out, 130 Ctrl-C. */
export type ExitCode = 0 | 1 | 2 | 3 | 130

/** Stable codes with the exit code each leads to, explained in docs/errors.md; scripts match on them, so none is renamed. */
export const EXIT_CODES = {
  USAGE: 2,
  NOT_YET: 2,
  CONTEXT_UNKNOWN: 2,
  KUBECONFIG_UNREADABLE: 3,
  KUBECONFIG_MALFORMED: 3,
  CREDENTIAL_PLUGIN: 3,
  KUBE_UNREACHABLE: 3,
  KUBE_TLS: 3,
  KUBE_TIMEOUT: 3,
  KUBE_BAD_REQUEST: 2,
  KUBE_UNAUTHORIZED: 3,
  KUBE_FORBIDDEN: 3,
  KUBE_NOT_FOUND: 3,
  KUBE_CONFLICT: 3,
  KUBE_EXPIRED: 3,
  KUBE_THROTTLED: 3,
  KUBE_UNAVAILABLE: 3,
  KUBE_PROTOCOL: 3,
  COMPANION_ABSENT: 3,
  COMPANION_CONFLICT: 1,
  COMPANION_NOT_READY: 1,
  COMPANION_UNREACHABLE: 1,
  COMPANION_STAYS: 1,
  DECLINED: 1,
  UNDO_CONFLICT: 1,
  PURGE_REFUSED: 1,
  STORE_FAILED: 3,
  STORE_LOCKED: 3,
  STORE_NEWER: 3,
  OUTPUT: 3,
  INTERNAL: 3,
} as const satisfies Record<string, ExitCode>

/** A stable, documented name of one kind of failure. */
export type ErrorCode = keyof typeof EXIT_CODES

/** What a failure tells besides its message; `hint` is one sentence naming the flag, right or command that helps. */
export interface DeckErrorOptions {
  readonly hint?: string | undefined
  readonly cause?: unknown
  /** HTTP status, where an API server answered. */
  readonly status?: number | undefined
  /** How long the server asked us to wait, in milliseconds (Retry-After). */
  readonly retryAfterMs?: number | undefined
}

/** The one error that reaches people: a message that says what was tried and what came back, and what to do. */
export class DeckError extends Error {
  override readonly name = 'DeckError'
  readonly code: ErrorCode
  readonly hint: string | undefined
  readonly status: number | undefined
  readonly retryAfterMs: number | undefined

  constructor(code: ErrorCode, message: string, options: DeckErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.hint = options.hint
    this.status = options.status
    this.retryAfterMs = options.retryAfterMs
  }

  get exitCode(): ExitCode {
    return EXIT_CODES[this.code]
  }
}
