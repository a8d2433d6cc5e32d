import { resolve } from 'node:path'
import { DeckError } from '../lib/errors.ts'
import { parseDuration } from '../lib/time.ts'
import type { ConnectionOverrides } from './connection.ts'
import type { KubeconfigCluster, KubeconfigUser } from './kubeconfig-file.ts'

/** A cluster of which nothing is said. */
export const NO_CLUSTER: KubeconfigCluster = {
  server: '',
  tlsServerName: '',
  insecureSkipTlsVerify: false,
  certificateAuthority: '',
  certificateAuthorityData: '',
  proxyUrl: '',
  disableCompression: false,
  execConfig: undefined,
}

/** A user of whom nothing is said. */
export const NO_USER: KubeconfigUser = {
  clientCertificate: '',
  clientCertificateData: '',
  clientKey: '',
  clientKeyData: '',
  token: '',
  tokenFile: '',
  username: '',
  password: '',
  as: '',
  asUid: '',
  asGroups: [],
  asUserExtra: {},
  authProvider: undefined,
  exec: undefined,
  file: '',
}

/** The cluster with the flags over it, by client-go's rules of what a flag also clears. */
export function overrideCluster(
  cluster: KubeconfigCluster,
  flags: ConnectionOverrides,
  workingDirectory: string,
): KubeconfigCluster {
  const trust =
    flags.insecureSkipTlsVerify || flags.certificateAuthority
      ? {
          insecureSkipTlsVerify: flags.insecureSkipTlsVerify ?? false,
          certificateAuthority: flags.certificateAuthority
            ? resolve(workingDirectory, flags.certificateAuthority)
            : '',
          certificateAuthorityData: '',
        }
      : {}
  return {
    ...cluster,
    ...trust,
    server: flags.server || cluster.server,
    // Another server is not expected to carry the name that the kubeconfig's server carries.
    tlsServerName: flags.tlsServerName || (flags.server ? '' : cluster.tlsServerName),
    disableCompression: flags.disableCompression || cluster.disableCompression,
  }
}

function parseUserExtra(pairs: readonly string[]): Record<string, string[]> {
  const extra = new Map<string, string[]>()
  for (const pair of pairs) {
    const at = pair.indexOf('=')
    if (at < 1) {
      throw new DeckError('USAGE', `--as-user-extra wants KEY=VALUE and got ${JSON.stringify(pair)}`)
    }
    const key = pair.slice(0, at)
    extra.set(key, [...(extra.get(key) ?? []), pair.slice(at + 1)])
  }
  return Object.fromEntries(extra)
}

/** The user with the flags over it, by client-go's rules of what a flag also clears. */
export function overrideUser(
  user: KubeconfigUser,
  flags: ConnectionOverrides,
  workingDirectory: string,
): KubeconfigUser {
  const certificate = flags.clientCertificate
    ? { clientCertificate: resolve(workingDirectory, flags.clientCertificate), clientCertificateData: '' }
    : {}
  const key = flags.clientKey
    ? { clientKey: resolve(workingDirectory, flags.clientKey), clientKeyData: '' }
    : {}
  // client-go keeps the user's tokenFile beside --token, and then lets the file win; whoever gives a token means it.
  const token = flags.token
    ? { token: flags.token, tokenFile: '', file: '' }
    : flags.tokenFile
      ? { token: '', tokenFile: resolve(workingDirectory, flags.tokenFile) }
      : {}
  return {
    ...user,
    ...certificate,
    ...key,
    ...token,
    username: flags.username || user.username,
    password: flags.password || user.password,
    as: flags.as || user.as,
    asUid: flags.asUid || user.asUid,
    asGroups: flags.asGroups?.length ? flags.asGroups : user.asGroups,
    asUserExtra: { ...user.asUserExtra, ...parseUserExtra(flags.asUserExtra ?? []) },
  }
}

/** Milliseconds of `--request-timeout`: whole seconds, or a Go duration such as `1m30s`; 0 waits for ever. */
export function parseRequestTimeout(text: string | undefined): number {
  if (!text) return 0
  try {
    const ms = parseDuration(text)
    // Shorter than a millisecond is still a limit, not its absence.
    return ms > 0 ? Math.max(1, Math.round(ms)) : 0
  } catch (cause) {
    throw new DeckError('USAGE', `--request-timeout wants a duration and got ${JSON.stringify(text)}`, {
      hint: 'Write seconds (30) or a number with a unit (500ms, 30s, 2m, 1h); 0 waits for ever.',
      cause,
    })
  }
}
