import { CNI_PLUGINS } from './node-packages.ts'
import { NODE_NETWORK } from './node-network.ts'

/** The image behind every pod sandbox. */
export const PAUSE_IMAGE = 'deckwatch.test/pause:1'

/** Where containerd listens, in the node's own /run. */
const CONTAINERD_SOCKET = '/run/containerd/containerd.sock'

/** The cgroup below which the kubelet keeps its own, apart from a kubelet that the host may have. */
export const CGROUP_ROOT = 'deckwatch-kit'

/** containerd's configuration, version 2 (containerd 1.5 and later read it). */
export function containerdConfig(cniFolder: string): string {
  // restrict_oom_score_adj: without the right to lower it, every sandbox would die (containerd asks for -998).
  return `version = 2
disabled_plugins = ["io.containerd.internal.v1.opt", "io.containerd.internal.v1.tracing"]
[grpc]
  address = "${CONTAINERD_SOCKET}"
[plugins."io.containerd.grpc.v1.cri"]
  restrict_oom_score_adj = true
  sandbox_image = "${PAUSE_IMAGE}"
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "${CNI_PLUGINS}"
    conf_dir = "${cniFolder}"
`
}

/** The CNI network list (CNI 1.0.0): the bridge that the node already has, and published host ports. */
export function cniNetwork(): string {
  return JSON.stringify({
    cniVersion: '1.0.0',
    name: 'deckwatch-kit',
    plugins: [
      {
        type: 'bridge',
        bridge: 'cni0',
        isGateway: true,
        ipMasq: true,
        hairpinMode: true,
        ipam: {
          type: 'host-local',
          ranges: [[{ subnet: NODE_NETWORK.podRange, rangeEnd: NODE_NETWORK.lastPodAddress }]],
          routes: [{ dst: '0.0.0.0/0' }],
        },
      },
      { type: 'portmap', capabilities: { portMappings: true } },
    ],
  })
}

/** Paths that the kubelet is told. */
export interface KubeletPaths {
  readonly clientCa: string
  readonly certificate: string
  readonly key: string
  readonly resolvConf: string
}

/** KubeletConfiguration; JSON is YAML. */
export function kubeletConfig(paths: KubeletPaths): string {
  return JSON.stringify({
    apiVersion: 'kubelet.config.k8s.io/v1beta1',
    kind: 'KubeletConfiguration',
    authentication: {
      anonymous: { enabled: false },
      x509: { clientCAFile: paths.clientCa },
      webhook: { enabled: true },
    },
    authorization: { mode: 'Webhook' },
    tlsCertFile: paths.certificate,
    tlsPrivateKeyFile: paths.key,
    containerRuntimeEndpoint: `unix://${CONTAINERD_SOCKET}`,
    cgroupDriver: 'cgroupfs',
    cgroupRoot: `/${CGROUP_ROOT}`,
    // KEP-5573: from 1.35 on the kubelet refuses cgroup v1 unless told otherwise.
    failCgroupV1: false,
    failSwapOn: false,
    localStorageCapacityIsolation: false,
    resolvConf: paths.resolvConf,
    // name-server.ts
    clusterDNS: [NODE_NETWORK.hostAddress],
    clusterDomain: 'cluster.local',
    // The pause image must never be collected, nor a pod evicted because the test machine's disk is rather full.
    imageGCHighThresholdPercent: 100,
    evictionHard: { 'nodefs.available': '1%', 'memory.available': '100Mi' },
    // Rotation within seconds instead of minutes.
    containerLogMaxSize: '1Mi',
    containerLogMonitorInterval: '3s',
    serializeImagePulls: false,
    nodeStatusUpdateFrequency: '3s',
  })
}

/** KubeProxyConfiguration; JSON is YAML. */
export function kubeProxyConfig(kubeconfigFile: string, nodeName: string): string {
  return JSON.stringify({
    apiVersion: 'kubeproxy.config.k8s.io/v1alpha1',
    kind: 'KubeProxyConfiguration',
    clientConnection: { kubeconfig: kubeconfigFile },
    mode: 'iptables',
    clusterCIDR: NODE_NETWORK.podRange,
    hostnameOverride: nodeName,
    // Connection tracking's limits belong to the whole host.
    conntrack: { maxPerCore: 0, min: 0 },
  })
}
