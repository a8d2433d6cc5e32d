import { dirname, resolve, sep } from 'node:path'
import { DeckError } from '../lib/errors.ts'
import { parseYaml, YamlError } from '../lib/yaml.ts'
import { KubeconfigFields } from './kubeconfig-fields.ts'

/** A cluster as a kubeconfig names it; empty strings where nothing was said. */
export interface KubeconfigCluster {
  readonly server: string
  readonly tlsServerName: string
  readonly insecureSkipTlsVerify: boolean
  readonly certificateAuthority: string
  /** Decoded PEM. */
  readonly certificateAuthorityData: string
  readonly proxyUrl: string
  readonly disableCompression: boolean
  /** Extension `client.authentication.k8s.io/exec`. */
  readonly execConfig: unknown
}

/** The command of a user's `exec`, as written; `interactiveMode` may be empty or wrong. */
export interface KubeconfigExec {
  readonly apiVersion: string
  readonly command: string
  readonly args: readonly string[]
  readonly env: readonly { readonly name: string; readonly value: string }[]
  readonly installHint: string
  readonly provideClusterInfo: boolean
  readonly interactiveMode: string
}

/** A user as a kubeconfig names it; empty strings where nothing was said. */
export interface KubeconfigUser {
  readonly clientCertificate: string
  readonly clientCertificateData: string
  readonly clientKey: string
  readonly clientKeyData: string
  readonly token: string
  readonly tokenFile: string
  readonly username: string
  readonly password: string
  readonly as: string
  readonly asUid: string
  readonly asGroups: readonly string[]
  readonly asUserExtra: Readonly<Record<string, readonly string[]>>
  readonly authProvider:
    { readonly name: string; readonly config: Readonly<Record<string, string>> } | undefined
  readonly exec: KubeconfigExec | undefined
  /** The file that named the user; empty where flags did. */
  readonly file: string
}

/** A context: which cluster, as which user, in which namespace. */
export interface KubeconfigContext {
  readonly cluster: string
  readonly user: string
  readonly namespace: string
}

/** What one kubeconfig file, or several merged, say. */
export interface Kubeconfig {
  readonly clusters: ReadonlyMap<string, KubeconfigCluster>
  readonly users: ReadonlyMap<string, KubeconfigUser>
  readonly contexts: ReadonlyMap<string, KubeconfigContext>
  readonly currentContext: string
}

const EXEC_EXTENSION = 'client.authentication.k8s.io/exec'

function decodeExec(fields: KubeconfigFields, path: (reference: string) => string): KubeconfigExec {
  const apiVersion = fields.string('apiVersion')
  const command = fields.string('command')
  return {
    apiVersion,
    // Without a separator it is looked for in PATH.
    command: command.includes(sep) ? path(command) : command,
    args: fields.strings('args'),
    env: fields
      .mappings('env')
      .map((entry) => ({ name: entry.string('name'), value: entry.string('value') })),
    installHint: fields.string('installHint'),
    provideClusterInfo: fields.boolean('provideClusterInfo'),
    // Only v1 makes people choose.
    interactiveMode:
      fields.string('interactiveMode') ||
      (/^client\.authentication\.k8s\.io\/v1(?:alpha|beta)1$/.test(apiVersion) ? 'IfAvailable' : ''),
  }
}

/** Checks and names the values of one file; its relative paths become absolute from its own folder. */
function decodeKubeconfig(document: unknown, file: string): Kubeconfig {
  const fields = new KubeconfigFields(document, file)
  const apiVersion = fields.string('apiVersion') || 'v1'
  const kind = fields.string('kind') || 'Config'
  if (apiVersion !== 'v1' || kind !== 'Config') {
    throw new DeckError(
      'KUBECONFIG_MALFORMED',
      `${file} is not a kubeconfig: it holds a ${kind} of ${apiVersion}`,
      {
        hint: 'A kubeconfig has `apiVersion: v1` and `kind: Config`; name another file with --kubeconfig or KUBECONFIG.',
      },
    )
  }
  const path = (reference: string): string => reference && resolve(dirname(file), reference)
  return {
    clusters: fields.named('clusters', 'cluster', (cluster) => ({
      server: cluster.string('server'),
      tlsServerName: cluster.string('tls-server-name'),
      insecureSkipTlsVerify: cluster.boolean('insecure-skip-tls-verify'),
      certificateAuthority: path(cluster.string('certificate-authority')),
      certificateAuthorityData: cluster.bytes('certificate-authority-data'),
      proxyUrl: cluster.string('proxy-url'),
      disableCompression: cluster.boolean('disable-compression'),
      execConfig: cluster
        .mappings('extensions')
        .find((extension) => extension.string('name') === EXEC_EXTENSION)
        ?.raw('extension'),
    })),
    users: fields.named('users', 'user', (user) => ({
      clientCertificate: path(user.string('client-certificate')),
      clientCertificateData: user.bytes('client-certificate-data'),
      clientKey: path(user.string('client-key')),
      clientKeyData: user.bytes('client-key-data'),
      token: user.string('token'),
      tokenFile: path(user.string('tokenFile')),
      username: user.string('username'),
      password: user.string('password'),
      as: user.string('as'),
      asUid: user.string('as-uid'),
      asGroups: user.strings('as-groups'),
      asUserExtra: user.stringLists('as-user-extra'),
      authProvider: user.has('auth-provider')
        ? {
            name: user.mapping('auth-provider').string('name'),
            config: user.mapping('auth-provider').stringMap('config'),
          }
        : undefined,
      exec: user.has('exec') ? decodeExec(user.mapping('exec'), path) : undefined,
      file,
    })),
    contexts: fields.named('contexts', 'context', (context) => ({
      cluster: context.string('cluster'),
      user: context.string('user'),
      namespace: context.string('namespace'),
    })),
    currentContext: fields.string('current-context'),
  }
}

/** Reads the text of one kubeconfig; throws KUBECONFIG_MALFORMED naming file, line and column. */
export async function parseKubeconfig(text: string, file: string): Promise<Kubeconfig> {
  let document: unknown
  try {
    document = await parseYaml(text)
  } catch (error) {
    if (!(error instanceof YamlError)) throw error
    const position = error.line === undefined ? '' : `:${error.line}:${error.column ?? 1}`
    throw new DeckError(
      'KUBECONFIG_MALFORMED',
      `cannot read kubeconfig ${file}${position}: it is not YAML: ${error.message}`,
      {
        hint: 'Correct the file at that place, or name another with --kubeconfig or KUBECONFIG.',
        cause: error,
      },
    )
  }
  return decodeKubeconfig(document, file)
}
