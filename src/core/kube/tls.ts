import type { ConnectFiles } from './connect-files.ts'
import type { Credential } from './connection-credential.ts'
import type { ServerTrust } from './connection.ts'

/** What a TLS handshake needs, as PEM; Node's tls and Bun's fetch use the same names. */
export interface TlsMaterial {
  readonly ca: string | string[] | undefined
  readonly cert: string | undefined
  readonly key: string | undefined
  readonly rejectUnauthorized: boolean
  /** The name to ask for, and to find in the certificate, in place of the host. */
  readonly serverName: string | undefined
}

/** Every authority that this machine trusts, as PEM; slow, so only for who needs it. */
export function trustedRoots(): string[] {
  // Go trusts what the machine trusts; Node and Bun by themselves only the list that they bring.
  const { getCACertificates } = process.getBuiltinModule('node:tls')
  return [...new Set([...getCACertificates('default'), ...getCACertificates('system')])]
}

/** Gives the material for a credential, from files that may have changed since the last call. */
export function createTlsMaterial(
  trust: ServerTrust,
  files: ConnectFiles,
): (credential: Pick<Credential, 'certificate' | 'key'>) => TlsMaterial {
  let roots: string[] | undefined
  const authorities = (): string | string[] | undefined => {
    if (trust.insecure) return undefined
    if (trust.authority) return files.text(trust.authority)
    roots ??= trustedRoots()
    return roots
  }
  return ({ certificate, key }) => ({
    ca: authorities(),
    cert: certificate,
    key,
    rejectUnauthorized: !trust.insecure,
    serverName: trust.serverName,
  })
}
