import { DeckError } from '../lib/errors.ts'
import type { ConnectFiles } from './connect-files.ts'
import { bearer } from './connection-credential.ts'
import type { Credential, CredentialSource } from './connection-credential.ts'
import type { ClusterConnection, ConnectionEnvironment } from './connection.ts'

function tokenValue(token: string, userName: string): string {
  const value = bearer(token)
  if (value !== undefined) return value
  const fault = token.trim() ? 'has blanks or letters that no header may carry' : 'is empty'
  throw new DeckError('KUBECONFIG_MALFORMED', `the token of user ${JSON.stringify(userName)} ${fault}`, {
    hint: 'Get a new one, and put it into the kubeconfig or give it with --token.',
  })
}

function readToken(files: ConnectFiles, file: string, token: string): string {
  try {
    return files.text({ file }).trim() || token
  } catch (error) {
    if (token) return token
    throw error
  }
}

function writtenCertificate(
  { clientCertificate }: ClusterConnection,
  files: ConnectFiles,
): Pick<Credential, 'certificate' | 'key'> {
  return {
    certificate: clientCertificate && files.text(clientCertificate.certificate),
    key: clientCertificate && files.text(clientCertificate.key),
  }
}

function withCertificate(
  source: CredentialSource,
  connection: ClusterConnection,
  files: ConnectFiles,
): CredentialSource {
  return {
    current: async (signal) => ({
      ...(await source.current(signal)),
      ...writtenCertificate(connection, files),
    }),
    renew: (used, signal) => source.renew(used, signal),
  }
}

/** Credentials that are written down: a token, a token file, a password, a client certificate. */
function writtenSource(connection: ClusterConnection, files: ConnectFiles): CredentialSource {
  const { auth, userName } = connection
  const read = (): Credential => ({
    authorization:
      auth.kind === 'token'
        ? tokenValue(auth.token, userName)
        : auth.kind === 'token-file'
          ? tokenValue(readToken(files, auth.file, auth.token), userName)
          : auth.kind === 'basic'
            ? `Basic ${Buffer.from(`${auth.username}:${auth.password}`).toString('base64')}`
            : undefined,
    ...writtenCertificate(connection, files),
  })
  return {
    current: async () => read(),
    async renew(used) {
      files.forget()
      const now = read()
      return now.authorization !== used.authorization || now.certificate !== used.certificate
    },
  }
}

/** The source of credentials that a connection's auth method calls for. */
export async function createCredentials(
  connection: ClusterConnection,
  environment: ConnectionEnvironment,
  files: ConnectFiles,
): Promise<CredentialSource> {
  const { auth } = connection
  switch (auth.kind) {
    case 'exec': {
      const { createExecCredential } = await import('./exec-credential.ts')
      return createExecCredential(auth.exec, connection, environment, files)
    }
    case 'auth-provider': {
      const { createAuthProvider } = await import('./auth-provider.ts')
      return withCertificate(createAuthProvider(auth.provider, environment), connection, files)
    }
    case 'none':
    case 'token':
    case 'token-file':
    case 'basic':
      return writtenSource(connection, files)
  }
}
