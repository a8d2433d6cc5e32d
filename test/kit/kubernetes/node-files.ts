import { mkdirSync, writeFileSync } from 'node:fs'
import type { ControlPlane } from './control-plane.ts'
import { kubeconfig } from './kubeconfig.ts'
import { cniNetwork, containerdConfig, kubeletConfig, kubeProxyConfig } from './node-config.ts'
import { NODE_NETWORK } from './node-network.ts'
import type { RunFolder } from './run-folder.ts'

/** Paths of the configuration that each of the node's parts starts with. */
export interface NodeFiles {
  readonly containerdConfig: string
  readonly kubeletConfig: string
  readonly kubeletKubeconfig: string
  readonly kubeProxyConfig: string
  /** What the name server asks the API server with: authority, certificate and key. */
  readonly nameServer: readonly [ca: string, certificate: string, key: string]
}

/** Writes all configuration of a node into its folder. */
export function writeNodeFiles(folder: RunFolder, cluster: ControlPlane, nodeName: string): NodeFiles {
  for (const name of ['cni', 'config']) mkdirSync(folder.file(name), { mode: 0o700 })
  const write = (name: string, text: string): string => {
    const path = folder.file('config', name)
    writeFileSync(path, text, { mode: 0o600 })
    return path
  }
  const { authority } = cluster
  const server = `https://${NODE_NETWORK.hostAddress}:${new URL(cluster.url).port}`
  const writeKubeconfig = (user: string, groups: readonly string[] = []): string => {
    const credential = authority.issue({ commonName: user, organizations: groups })
    return write(`${user}.kubeconfig`, kubeconfig({ server, ca: authority.certificate, user, credential }))
  }
  const user = `system:node:${nodeName}`
  const serving = authority.issue({ commonName: user, hosts: [nodeName, NODE_NETWORK.nodeAddress] })
  const reader = authority.issue({ commonName: 'kit-name-server', organizations: ['system:masters'] })
  writeFileSync(folder.file('cni', '10-kit.conflist'), cniNetwork())
  return {
    containerdConfig: write('containerd.toml', containerdConfig(folder.file('cni'))),
    kubeletConfig: write(
      'kubelet.json',
      kubeletConfig({
        clientCa: cluster.caFile,
        certificate: write('kubelet.crt', serving.certificate),
        key: write('kubelet.key', serving.key),
        // Pods learn nothing of the host's name servers.
        resolvConf: write('resolv.conf', ''),
      }),
    ),
    kubeletKubeconfig: writeKubeconfig(user, ['system:nodes']),
    kubeProxyConfig: write(
      'kube-proxy.json',
      kubeProxyConfig(writeKubeconfig('system:kube-proxy'), nodeName),
    ),
    nameServer: [
      cluster.caFile,
      write('name-server.crt', reader.certificate),
      write('name-server.key', reader.key),
    ],
  }
}
