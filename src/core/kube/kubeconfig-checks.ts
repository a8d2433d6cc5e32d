import { DeckError } from '../lib/errors.ts'
import type { ConnectionEnvironment, ConnectionOverrides, ExecConfig } from './connection.ts'
import type { KubeconfigCluster, KubeconfigExec, KubeconfigUser } from './kubeconfig-file.ts'

const EXEC_VERSIONS = ['client.authentication.k8s.io/v1', 'client.authentication.k8s.io/v1beta1']

function malformed(message: string, hint: string): DeckError {
  return new DeckError('KUBECONFIG_MALFORMED', message, { hint })
}

function checkReadable(environment: ConnectionEnvironment, path: string, field: string, owner: string): void {
  if (!path) return
  try {
    environment.readFile(path)
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    const reason =
      code === 'ENOENT' ? 'there is no such file' : code === 'EACCES' ? 'permission denied' : message
    throw new DeckError('KUBECONFIG_UNREADABLE', `cannot read the ${field} ${path} of ${owner}: ${reason}`, {
      hint: `Correct ${field} in the kubeconfig, or give --${field}.`,
      cause: error,
    })
  }
}

/** Refuses what client-go refuses in a cluster. */
export function checkCluster(
  cluster: KubeconfigCluster,
  name: string,
  environment: ConnectionEnvironment,
): void {
  const owner = `cluster ${JSON.stringify(name)}`
  if (cluster.certificateAuthority && cluster.certificateAuthorityData) {
    throw malformed(
      `${owner} has both certificate-authority and certificate-authority-data`,
      'Keep one of the two in the kubeconfig.',
    )
  }
  if (cluster.insecureSkipTlsVerify && (cluster.certificateAuthority || cluster.certificateAuthorityData)) {
    throw malformed(
      `${owner} has a certificate authority and insecure-skip-tls-verify, which would ignore it`,
      'Remove one of the two from the kubeconfig.',
    )
  }
  checkReadable(environment, cluster.certificateAuthority, 'certificate-authority', owner)
  if (cluster.proxyUrl && !/^(?:https?|socks5):\/\/[^/]/.test(cluster.proxyUrl)) {
    // Without the URL: it may hold a password.
    throw malformed(
      `the proxy-url of ${owner} is not a proxy's URL`,
      'Write http://, https:// or socks5://HOST:PORT.',
    )
  }
}

/** Refuses what client-go refuses in a user. */
export function checkUser(user: KubeconfigUser, name: string, environment: ConnectionEnvironment): void {
  const owner = `user ${JSON.stringify(name)}`
  if (user.clientCertificate || user.clientCertificateData) {
    if (user.clientCertificate && user.clientCertificateData) {
      throw malformed(
        `${owner} has both client-certificate and client-certificate-data`,
        'Keep one of the two.',
      )
    }
    if (user.clientKey && user.clientKeyData) {
      throw malformed(`${owner} has both client-key and client-key-data`, 'Keep one of the two.')
    }
    if (!user.clientKey && !user.clientKeyData) {
      throw malformed(
        `${owner} has a client certificate and no key for it`,
        'Add client-key, or give --client-key.',
      )
    }
    checkReadable(environment, user.clientCertificate, 'client-certificate', owner)
    checkReadable(environment, user.clientKey, 'client-key', owner)
  }
  if (!user.token) checkReadable(environment, user.tokenFile, 'tokenFile', owner)
  if (user.token && (user.username || user.password)) {
    throw malformed(
      `${owner} has a token and a username or password`,
      'Only one of the two can be sent: keep one.',
    )
  }
  if (user.exec && user.authProvider) {
    throw malformed(`${owner} has both exec and auth-provider`, 'Keep one of the two.')
  }
}

/** Refuses an impersonation of nobody, and one that no header could carry. */
export function checkImpersonation(user: KubeconfigUser, name: string, flags: ConnectionOverrides): void {
  const extra = Object.values(user.asUserExtra).flat()
  const parts = [
    { flag: '--as', field: 'as', byFlag: flags.as, values: [user.as].filter(Boolean) },
    { flag: '--as-uid', field: 'as-uid', byFlag: flags.asUid, values: [user.asUid].filter(Boolean) },
    { flag: '--as-group', field: 'as-groups', byFlag: flags.asGroups?.length, values: user.asGroups },
    { flag: '--as-user-extra', field: 'as-user-extra', byFlag: flags.asUserExtra?.length, values: extra },
  ]
  for (const { flag, field, byFlag, values } of parts) {
    const what = byFlag ? flag : `${field} of user ${JSON.stringify(name)}`
    const code = byFlag ? 'USAGE' : 'KUBECONFIG_MALFORMED'
    // oxlint-disable-next-line no-control-regex -- control characters are what is refused
    if (values.some((value) => /[\u0000-\u001f\u007f]/.test(value))) {
      throw new DeckError(code, `${what} has a control character (a line break?) in it`, {
        hint: 'No request can carry that: write the name without it.',
      })
    }
    if (!user.as && values.length > 0) {
      throw new DeckError(
        code,
        `${what} is of use only with ${byFlag ? '--as' : 'as'}, which names the user to act as`,
        {
          hint: 'Name whom to act as: --as USER.',
        },
      )
    }
  }
}

/** The plugin's settings once nothing is missing in them. */
export function checkExec(exec: KubeconfigExec, userName: string, clusterConfig: unknown): ExecConfig {
  const owner = `the exec plugin of user ${JSON.stringify(userName)}`
  if (!exec.command) throw malformed(`${owner} has no command`, 'Add exec.command to the user.')
  if (!EXEC_VERSIONS.includes(exec.apiVersion)) {
    throw malformed(
      `${owner} has apiVersion ${JSON.stringify(exec.apiVersion)}`,
      `The versions that can be read are ${EXEC_VERSIONS.join(' and ')}; newer plugins print them.`,
    )
  }
  if (exec.env.some(({ name }) => !name)) {
    throw malformed(`${owner} has an env entry without a name`, 'Name it, or remove it.')
  }
  const { interactiveMode } = exec
  switch (interactiveMode) {
    case 'Never':
    case 'IfAvailable':
    case 'Always':
      return { ...exec, interactiveMode, clusterConfig }
    default:
      throw malformed(
        `${owner} has ${interactiveMode ? `interactiveMode ${JSON.stringify(interactiveMode)}` : 'no interactiveMode'}`,
        'Write Never, IfAvailable or Always.',
      )
  }
}
