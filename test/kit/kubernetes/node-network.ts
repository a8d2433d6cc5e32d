/** Addresses of the one node's network, which exists in a network namespace of its own and on one host interface. */
export const NODE_NETWORK = {
  /** Pods and the node share one bridge. */
  podRange: '10.213.0.0/16',
  prefixLength: 16,
  /** The bridge's own address: the node's InternalIP and the pods' gateway. */
  nodeAddress: '10.213.0.1',
  lastPodAddress: '10.213.254.254',
  /** The host's end: here pods and kubelet reach the API server and what else the test offers them. */
  hostAddress: '10.213.255.254',
  /** The name of the host's end. */
  hostInterface: 'deckwatch-kit0',
  /** The Service `kubernetes`, the first address of the service range. */
  apiServiceAddress: '10.96.0.1',
} as const
