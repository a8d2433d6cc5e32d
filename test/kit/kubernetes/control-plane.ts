import type { ApiClient } from './api-client.ts'
import type { ApiServer } from './api-server.ts'
import type { KubernetesBinaries } from './build.ts'
import type { CertificateAuthority, Validity } from './certificates.ts'
import type { KubectlOptions, KubectlResult } from './kubectl.ts'
import type { RunFolder } from './run-folder.ts'

/** What a control plane has besides etcd and kube-apiserver. */
export interface ControlPlaneOptions {
  /**
   * `seeded` (the default): all controllers but those that would end seeded pods; `all`: as on a real cluster, for
   * a real node; `none` (the default where KUBEBUILDER_ASSETS has no such program): no controller manager, so a
   * namespace is never quite deleted, and pods run without ServiceAccounts.
   */
  readonly controllers?: 'seeded' | 'all' | 'none'
  /** False by default: seeded pods name their node. */
  readonly scheduler?: boolean
  /** Added to the API server's own, of which a later one wins. */
  readonly apiServerFlags?: readonly string[]
  /** Of all its certificates; a day or two from now where left out. */
  readonly validity?: Validity
  readonly signal?: AbortSignal
}

/** A real control plane on loopback in a folder of its own; several can live side by side. */
export interface ControlPlane {
  /** `https://127.0.0.1:PORT` */
  readonly url: string
  /** The authority behind the server's and every client's certificate. */
  readonly authority: CertificateAuthority
  readonly caFile: string
  readonly adminKubeconfig: string
  /** The administrator's JSON client. */
  readonly admin: ApiClient
  readonly binaries: KubernetesBinaries
  readonly kubectlPath: string
  readonly apiServer: ApiServer
  readonly folder: RunFolder
  /** The path of a kubeconfig with a fresh client certificate of this user; `notAfter` (epoch ms) may be past. */
  user(name: string, groups?: readonly string[], notAfter?: number): string
  /** A token of this ServiceAccount, valid for an hour; the account is made where it is missing. */
  token(namespace: string, serviceAccount: string): Promise<string>
  /** The path of a kubeconfig that carries this token. */
  tokenKubeconfig(token: string): string
  /** Runs the real kubectl to its end, as the administrator unless another kubeconfig is given. */
  kubectl(args: readonly string[], options?: KubectlOptions): Promise<KubectlResult>
  /** Compacts etcd's history away up to now; the API server's own cache still serves what it remembers. */
  compact(): Promise<void>
  /**
   * Makes every resourceVersion and continue token given out before this call answer 410 Expired: etcd is compacted
   * past them, and a running API server, whose cache remembers them, is killed and started again.
   */
  expireResourceVersions(): Promise<void>
  /** Ends everything and removes the folder. */
  stop(): Promise<void>
}
