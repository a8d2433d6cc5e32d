import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Clock } from '../lib/time.ts'
import { systemClock } from '../lib/time.ts'

/** kubectl's connection flags; a flag that is left out, undefined or empty overrides nothing. */
export interface ConnectionOverrides {
  readonly kubeconfig?: string | undefined
  readonly context?: string | undefined
  readonly cluster?: string | undefined
  readonly user?: string | undefined
  readonly server?: string | undefined
  readonly token?: string | undefined
  readonly tokenFile?: string | undefined
  readonly username?: string | undefined
  readonly password?: string | undefined
  readonly as?: string | undefined
  readonly asGroups?: readonly string[] | undefined
  readonly asUid?: string | undefined
  /** `key=value`; a key may come more than once. */
  readonly asUserExtra?: readonly string[] | undefined
  readonly certificateAuthority?: string | undefined
  readonly clientCertificate?: string | undefined
  readonly clientKey?: string | undefined
  readonly insecureSkipTlsVerify?: boolean | undefined
  readonly tlsServerName?: string | undefined
  readonly namespace?: string | undefined
  /** Seconds, or a Go duration such as `1m30s`; 0 waits for ever. */
  readonly requestTimeout?: string | undefined
  readonly disableCompression?: boolean | undefined
}

/** What a connection takes from the process and its machine. */
export interface ConnectionEnvironment {
  readonly variables: Readonly<Record<string, string | undefined>>
  /** The home folder as client-go finds it; undefined where there is none. */
  readonly home: string | undefined
  readonly workingDirectory: string
  readonly clock: Clock
  /** Reads a whole file; throws Node's own error. Synchronous because a command waits for nothing else then. */
  readFile(path: string): Buffer
  /** Whether a credential plugin could ask a person. */
  stdinIsTerminal(): boolean
}

/** PEM text, or the file that holds it and may change while we run. */
export type PemSource = { readonly pem: string } | { readonly file: string }

/** A certificate (with its chain) and the private key for it. */
export interface ClientCertificate {
  readonly certificate: PemSource
  readonly key: PemSource
}

/** How the server is known for the right one. */
export interface ServerTrust {
  /** The only authorities believed; the system's roots where left out. */
  readonly authority?: PemSource | undefined
  /** The name the certificate must carry in place of the server's host. */
  readonly serverName?: string | undefined
  readonly insecure: boolean
}

/** A command that prints credentials (client.authentication.k8s.io). */
export interface ExecConfig {
  readonly apiVersion: string
  readonly command: string
  readonly args: readonly string[]
  readonly env: readonly { readonly name: string; readonly value: string }[]
  readonly installHint: string
  readonly provideClusterInfo: boolean
  readonly interactiveMode: 'Never' | 'IfAvailable' | 'Always'
  /** The cluster's own settings for the plugin, any JSON. */
  readonly clusterConfig: unknown
}

/** A kubeconfig file and the name of a user in it. */
export interface UserOrigin {
  readonly file: string
  readonly user: string
}

/** A login of a legacy provider. */
export interface AuthProviderConfig {
  readonly name: string
  readonly config: Readonly<Record<string, string>>
  /** Where a refreshed login is written back; undefined where no file named the user. */
  readonly origin: UserOrigin | undefined
}

/** How each request says who asks, besides a client certificate. */
export type AuthMethod =
  | { readonly kind: 'none' }
  /** `origin` is where the token was written, to be looked for again there; undefined for a flag's. */
  | { readonly kind: 'token'; readonly token: string; readonly origin: UserOrigin | undefined }
  /** `token` serves while the file cannot be read. */
  | { readonly kind: 'token-file'; readonly file: string; readonly token: string }
  | { readonly kind: 'basic'; readonly username: string; readonly password: string }
  | { readonly kind: 'exec'; readonly exec: ExecConfig }
  | { readonly kind: 'auth-provider'; readonly provider: AuthProviderConfig }

/** Whom the requests are made as in place of ourselves. */
export interface Impersonation {
  readonly user: string
  readonly uid: string
  readonly groups: readonly string[]
  readonly extra: Readonly<Record<string, readonly string[]>>
}

/** Everything a transport must know about one cluster and one identity; made by `loadConnection`. */
export interface ClusterConnection {
  /** `http` or `https` URL without a trailing slash; may have a path, which comes before every request's. */
  readonly server: string
  /** Names in the kubeconfig, empty where the connection came from elsewhere. */
  readonly contextName: string
  readonly clusterName: string
  readonly userName: string
  readonly namespace: string
  /** Whether `namespace` came from the flag. */
  readonly namespaceGiven: boolean
  readonly source: 'kubeconfig' | 'in-cluster' | 'flags'
  readonly trust: ServerTrust
  readonly clientCertificate: ClientCertificate | undefined
  readonly auth: AuthMethod
  readonly impersonate: Impersonation | undefined
  /** The cluster's own `proxy-url`; the environment's proxies apply where it is undefined. */
  readonly proxyUrl: string | undefined
  readonly disableCompression: boolean
  /** 0 waits for ever. */
  readonly requestTimeoutMs: number
}

function homeFolder(
  variables: ConnectionEnvironment['variables'],
  platform: NodeJS.Platform,
): string | undefined {
  const home = variables['HOME'] || undefined
  if (platform !== 'win32') return home
  const drive =
    variables['HOMEDRIVE'] && variables['HOMEPATH'] && variables['HOMEDRIVE'] + variables['HOMEPATH']
  const profile = variables['USERPROFILE']
  // client-go's order: wherever a kubeconfig is, else the profile before the drive.
  const holder = [home, drive, profile].find(
    (folder) => folder && existsSync(join(folder, '.kube', 'config')),
  )
  return holder || home || profile || drive || undefined
}

/** The environment of this process. */
export function processEnvironment(): ConnectionEnvironment {
  return {
    variables: process.env,
    home: homeFolder(process.env, process.platform),
    workingDirectory: process.cwd(),
    clock: systemClock,
    readFile: (path) => readFileSync(path),
    // Loaded on use: it takes longer under Bun than reading a kubeconfig.
    stdinIsTerminal: () => process.getBuiltinModule('node:tty').isatty(0),
  }
}
