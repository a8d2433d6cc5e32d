import { DeckError } from '../lib/errors.ts'
import { bearer } from './connection-credential.ts'
import type { Credential } from './connection-credential.ts'
import type { ExecConfig } from './connection.ts'

/** What a credential plugin printed; `expiresAt` in epoch milliseconds, undefined for the life of the process. */
export interface ExecAnswer {
  readonly credential: Credential
  readonly expiresAt: number | undefined
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : ''
}

/** Reads a plugin's standard output; throws CREDENTIAL_PLUGIN, never with any of that output, which is secret. */
export function decodeExecCredential(output: string, exec: ExecConfig): ExecAnswer {
  const fault = (what: string): DeckError =>
    new DeckError('CREDENTIAL_PLUGIN', `the credential plugin ${JSON.stringify(exec.command)} ${what}`, {
      hint: `Run it by hand to see what it prints; it must print an ExecCredential of ${exec.apiVersion}.`,
    })
  let answer: { kind?: unknown; apiVersion?: unknown; status?: Record<string, unknown> | null } | null
  try {
    answer = JSON.parse(output) as typeof answer
  } catch {
    // Without the cause: JSON.parse quotes the text.
    throw fault(output.trim() ? 'printed something that is not JSON' : 'printed nothing')
  }
  if (answer?.kind !== 'ExecCredential') throw fault('printed no ExecCredential')
  if (answer.apiVersion !== exec.apiVersion) {
    throw fault(`is configured for ${exec.apiVersion} and printed ${JSON.stringify(answer.apiVersion)}`)
  }
  const { status } = answer
  if (!status) throw fault('printed no status')
  const token = text(status['token'])
  const certificate = text(status['clientCertificateData'])
  const key = text(status['clientKeyData'])
  if (!token && !certificate && !key) throw fault('printed neither a token nor a certificate with its key')
  if (Boolean(certificate) !== Boolean(key))
    throw fault('printed a certificate without its key, or a key alone')
  const authorization = token ? bearer(token) : undefined
  if (token && !authorization) throw fault('printed a token with blanks or letters that no header may carry')
  const expiry = status['expirationTimestamp'] ?? undefined
  const expiresAt = expiry === undefined ? undefined : Date.parse(text(expiry))
  if (Number.isNaN(expiresAt)) throw fault('printed an expirationTimestamp that is not a time')
  return {
    credential: {
      authorization,
      certificate: certificate || undefined,
      key: key || undefined,
    },
    expiresAt,
  }
}
