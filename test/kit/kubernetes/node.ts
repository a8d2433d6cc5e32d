import type { Daemon } from './daemon.ts'
import type { ImageContent } from './node-images.ts'
import type { RunFolder } from './run-folder.ts'

/** A real node of a control plane: containerd, kubelet and kube-proxy in namespaces of their own. */
export interface Node {
  readonly name: string
  /** The kubelet's address, which the host reaches, as it reaches every pod's. */
  readonly address: string
  /** The host's path of what is /var/log/pods on the node. */
  readonly podLogsFolder: string
  readonly folder: RunFolder
  readonly kubelet: Daemon
  /**
   * Puts an image with a busybox userland into the node's store, under a fully qualified reference such as
   * `docker.io/library/nginx:1.25`; gives its digest, `sha256:…`. Equal contents give equal digests.
   */
  importImage(reference: string, content?: ImageContent): Promise<string>
  /** Puts the image of an archive, as `npm run image` makes them, into the node's store, as if pulled; gives its digest. */
  importArchive(path: string): Promise<string>
  /** The command line that runs a command on the node. */
  command(command: readonly string[]): readonly string[]
  /** Removes its pods and itself from the API server, and ends all that it runs; nothing stays on the host. */
  stop(): Promise<void>
}
