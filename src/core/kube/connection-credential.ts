/** What one request says about who asks; `certificate` and `key` are PEM and come together. */
export interface Credential {
  readonly authorization: string | undefined
  readonly certificate: string | undefined
  readonly key: string | undefined
}

/** Who we are, as it may change while we run. */
export interface CredentialSource {
  /** Throws CREDENTIAL_PLUGIN, KUBECONFIG_UNREADABLE, or the signal's reason. */
  current(signal: AbortSignal | undefined): Promise<Credential>
  /** After the server refused `used` with 401: gets new credentials; false where asking again is of no use. */
  renew(used: Credential, signal: AbortSignal | undefined): Promise<boolean>
}

/** A login that knows its token and can get a new one. */
export interface ProviderLogin {
  /** The token to send; a new one where the old has ended, or where `refused` says that the server did not take it. */
  token(refused: boolean, signal: AbortSignal | undefined): Promise<string | undefined>
}

/**
 * The Authorization value of a token, or undefined where it cannot be one: a character that no header may carry would
 * make the HTTP library print the whole header.
 */
export function bearer(token: string): string | undefined {
  const text = token.trim()
  return /^[\u0021-\u007e]+$/.test(text) ? `Bearer ${text}` : undefined
}
