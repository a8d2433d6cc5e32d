import { DeckError } from '../lib/errors.ts'
import type { ConnectFiles } from './connect-files.ts'
import { bearer } from './connection-credential.ts'
import type { Credential, CredentialSource } from './connection-credential.ts'
import type { ClusterConnection, ConnectionEnvironment, UserOrigin } from './connection.ts'
import { parseKubeconfig } from './kubeconfig-file.ts'

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

/** The token that the kubeconfig has for the user by now; undefined where it cannot be told. */
async function tokenWrittenNow(
  { file, user }: UserOrigin,
  environment: ConnectionEnvironment,
): Promise<string | undefined> {
  try {
    const { users } = await parseKubeconfig(environment.readFile(file).toString('utf8'), file)
    return users.get(user)?.token
  } catch {
    // It may be just being written: the token that we have is still the one to be refused.
    return undefined
  }
}

/** Credentials that are written down: a token, a token file, a password, a client certificate. */
function writtenSource(
  connection: ClusterConnection,
  environment: ConnectionEnvironment,
  files: ConnectFiles,
): CredentialSource {
  const { auth, userName } = connection
  let token = auth.kind === 'token' ? auth.token : ''
  const read = (): Credential => ({
    authorization:
      auth.kind === 'token'
        ? tokenValue(token, userName)
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
      // `kubectl config set-credentials` and `oc login` put the new token where the old one was.
      if (auth.kind === 'token' && auth.origin) {
        token = (await tokenWrittenNow(auth.origin, environment)) || token
      }
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
      return writtenSource(connection, environment, files)
  }
}
