import { DeckError } from '../lib/errors.ts'
import { processEnvironment } from './connection.ts'
import type {
  AuthMethod,
  ClientCertificate,
  ClusterConnection,
  ConnectionEnvironment,
  ConnectionOverrides,
  PemSource,
} from './connection.ts'
import { inClusterAccount, inClusterNamespace } from './in-cluster.ts'
import { checkCluster, checkExec, checkImpersonation, checkUser } from './kubeconfig-checks.ts'
import type { KubeconfigCluster, KubeconfigContext, KubeconfigUser } from './kubeconfig-file.ts'
import { readKubeconfigs } from './kubeconfig-list.ts'
import type { KubeconfigList } from './kubeconfig-list.ts'
import {
  NO_CLUSTER,
  NO_USER,
  overrideCluster,
  overrideUser,
  parseRequestTimeout,
} from './kubeconfig-overrides.ts'
import { parseServer } from './kubeconfig-server.ts'
import type { GivenServer } from './kubeconfig-server.ts'

function someOf(names: Iterable<string>): string {
  const sorted = [...names].toSorted()
  const shown = sorted.slice(0, 10).join(', ')
  return sorted.length > 10 ? `${shown} and ${sorted.length - 10} more` : shown
}

/** The names of all contexts that `--context` could take, sorted. */
export async function contextNames(
  overrides: Pick<ConnectionOverrides, 'kubeconfig'> = {},
  environment: ConnectionEnvironment = processEnvironment(),
): Promise<readonly string[]> {
  return [...(await readKubeconfigs(overrides.kubeconfig, environment)).contexts.keys()].toSorted()
}

function chooseContext(list: KubeconfigList, wanted: string | undefined): [string, KubeconfigContext] {
  const name = wanted || list.currentContext
  const context = list.contexts.get(name)
  if (context) return [name, context]
  if (!name) return ['', { cluster: '', user: '', namespace: '' }]
  const where =
    list.read.join(', ') || someOf(list.missing.map((file) => `${file} (missing)`)) || 'no kubeconfig'
  const known =
    list.contexts.size === 0 ? 'There are no contexts in it.' : `There are: ${someOf(list.contexts.keys())}.`
  throw new DeckError(
    'CONTEXT_UNKNOWN',
    wanted
      ? `there is no context ${JSON.stringify(name)} in ${where}`
      : `current-context of ${where} is ${JSON.stringify(name)}, which is not among its contexts`,
    { hint: `${known} Choose one with --context NAME.` },
  )
}

function lookUp<T>(
  entries: ReadonlyMap<string, T>,
  kind: 'cluster' | 'user',
  wanted: string | undefined,
  fromContext: string,
): [string, T | undefined] {
  const name = wanted || fromContext
  const entry = entries.get(name)
  if (wanted && entry === undefined) {
    throw new DeckError(
      'CONTEXT_UNKNOWN',
      `there is no ${kind} ${JSON.stringify(wanted)} in the kubeconfig`,
      {
        hint: entries.size === 0 ? undefined : `There are: ${someOf(entries.keys())}.`,
      },
    )
  }
  return [name, entry]
}

function noServer(
  list: KubeconfigList,
  contextName: string,
  clusterName: string,
  clusterFound: boolean,
): DeckError {
  const files = list.read.join(', ')
  const malformed = (message: string): DeckError =>
    new DeckError('KUBECONFIG_MALFORMED', message, {
      hint: 'Correct the kubeconfig, or name a server with --server.',
    })
  if (list.read.length === 0) {
    const looked =
      list.missing.length > 0 ? `looked for ${list.missing.join(', ')}` : 'HOME and KUBECONFIG are not set'
    return new DeckError('KUBECONFIG_UNREADABLE', `no kubeconfig found: ${looked}`, {
      hint: 'Name one with --kubeconfig FILE or the variable KUBECONFIG, or put it at ~/.kube/config.',
    })
  }
  if (contextName === '' && clusterName === '') {
    if (list.contexts.size === 0) return malformed(`kubeconfig ${files} has no contexts`)
    return new DeckError('CONTEXT_UNKNOWN', `no context is chosen: ${files} has no current-context`, {
      hint: `Choose one of ${someOf(list.contexts.keys())} with --context NAME or \`kubectl config use-context NAME\`.`,
    })
  }
  if (clusterFound) return malformed(`cluster ${JSON.stringify(clusterName)} in ${files} has no server`)
  if (clusterName === '')
    return malformed(`context ${JSON.stringify(contextName)} in ${files} names no cluster`)
  return malformed(
    `context ${JSON.stringify(contextName)} names cluster ${JSON.stringify(clusterName)}, which is not in ${files}`,
  )
}

function givenServer(
  flag: string | undefined,
  cluster: KubeconfigCluster,
  clusterName: string,
  environment: ConnectionEnvironment,
): GivenServer | undefined {
  if (flag) return { text: flag, from: '--server', byFlag: true }
  if (cluster.server) {
    return { text: cluster.server, from: `cluster ${JSON.stringify(clusterName)}`, byFlag: false }
  }
  const text = environment.variables['KUBERNETES_MASTER']
  return text ? { text, from: 'the variable KUBERNETES_MASTER', byFlag: false } : undefined
}

function pem(data: string, file: string): PemSource | undefined {
  if (data) return { pem: data }
  return file ? { file } : undefined
}

function certificateOf(user: KubeconfigUser): ClientCertificate | undefined {
  const certificate = pem(user.clientCertificateData, user.clientCertificate)
  const key = pem(user.clientKeyData, user.clientKey)
  return certificate && key && { certificate, key }
}

// client-go's order: what is written down goes before a plugin, which is then not even run.
function authOf(user: KubeconfigUser, userName: string, cluster: KubeconfigCluster): AuthMethod {
  if (user.tokenFile) return { kind: 'token-file', file: user.tokenFile, token: user.token }
  const origin = user.file ? { file: user.file, user: userName } : undefined
  if (user.token) return { kind: 'token', token: user.token, origin }
  if (user.username || user.password) {
    return { kind: 'basic', username: user.username, password: user.password }
  }
  if (user.exec) {
    const exec = checkExec(user.exec, userName, cluster.execConfig)
    return certificateOf(user) ? { kind: 'none' } : { kind: 'exec', exec }
  }
  if (user.authProvider) {
    return { kind: 'auth-provider', provider: { ...user.authProvider, origin } }
  }
  return { kind: 'none' }
}

function namespaceOf(
  context: KubeconfigContext,
  flag: string | undefined,
  environment: ConnectionEnvironment,
): string {
  if (flag || context.namespace) return flag || context.namespace
  // In a pod the pod's namespace is the default also where a kubeconfig names the cluster.
  return inClusterAccount(environment) ? inClusterNamespace(environment) : 'default'
}

/**
 * The cluster, identity and namespace that kubectl would use with the same flags, variables and files. Throws
 * CONTEXT_UNKNOWN, KUBECONFIG_UNREADABLE, KUBECONFIG_MALFORMED or USAGE; nothing is sent, no plugin is run.
 */
export async function loadConnection(
  overrides: ConnectionOverrides = {},
  environment: ConnectionEnvironment = processEnvironment(),
): Promise<ClusterConnection> {
  const { workingDirectory } = environment
  const requestTimeoutMs = parseRequestTimeout(overrides.requestTimeout)
  const list = await readKubeconfigs(overrides.kubeconfig, environment)
  const [contextName, context] = chooseContext(list, overrides.context)
  const [clusterName, namedCluster] = lookUp(list.clusters, 'cluster', overrides.cluster, context.cluster)
  const [userName, namedUser] = lookUp(list.users, 'user', overrides.user, context.user)

  const pod = contextName || clusterName || overrides.server ? undefined : inClusterAccount(environment)
  const cluster = overrideCluster(
    pod?.cluster ?? { ...(namedCluster ?? NO_CLUSTER) },
    overrides,
    workingDirectory,
  )
  const user = overrideUser(namedUser ?? pod?.user ?? NO_USER, overrides, workingDirectory)
  const given = givenServer(overrides.server, cluster, clusterName, environment)
  if (!given) throw noServer(list, contextName, clusterName, namedCluster !== undefined)
  const { server, login } = parseServer(given)
  checkCluster(cluster, clusterName, environment)
  checkUser(user, userName, environment)
  checkImpersonation(user, userName, overrides)
  const auth = login ?? authOf(user, userName, cluster)
  const clientCertificate = certificateOf(user)
  if (userName && !namedUser && auth.kind === 'none' && !clientCertificate) {
    throw new DeckError(
      'KUBECONFIG_MALFORMED',
      `context ${JSON.stringify(contextName)} names user ${JSON.stringify(userName)}, which is not in ${list.read.join(', ')}`,
      { hint: 'Correct the kubeconfig, or name another user with --user NAME.' },
    )
  }

  // Credentials never travel in the clear.
  const secure = server.startsWith('https:')
  return {
    server,
    contextName,
    clusterName,
    userName,
    namespace: namespaceOf(context, overrides.namespace, environment),
    namespaceGiven: Boolean(overrides.namespace),
    source: pod ? 'in-cluster' : contextName || clusterName ? 'kubeconfig' : 'flags',
    trust: {
      authority: pem(cluster.certificateAuthorityData, cluster.certificateAuthority),
      serverName: cluster.tlsServerName || undefined,
      insecure: cluster.insecureSkipTlsVerify,
    },
    clientCertificate: secure ? clientCertificate : undefined,
    auth: secure ? auth : { kind: 'none' },
    impersonate: user.as
      ? { user: user.as, uid: user.asUid, groups: user.asGroups, extra: user.asUserExtra }
      : undefined,
    proxyUrl: cluster.proxyUrl || undefined,
    disableCompression: cluster.disableCompression,
    requestTimeoutMs,
  }
}
