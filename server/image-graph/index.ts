import type { WatchedNode } from '../../src/core/kube/node-list.ts'
import type { KubeTransport } from '../../src/core/kube/transport.ts'
import type { Clock } from '../../src/core/lib/time.ts'
import type { PodSlice } from '../../src/core/wire/pod.ts'
import type { Reflector } from '../kit/cluster-watch/cluster-watch.ts'
import type { Leadership } from '../kit/lease/leadership.ts'
import type { Log } from '../kit/log.ts'
import type { MetricsRegistry } from '../kit/metrics.ts'
import type { Store, StoreOptions } from '../kit/store/store.ts'
import type { ImageGraphConfig } from './config.ts'

export { IMAGE_GRAPH_DEFAULTS, type ImageGraphConfig } from './config.ts'
export { IMAGE_GRAPH_PLURALS, imageGraphResources, type ImageGraphPlural } from './resources.ts'

/** What the image graph stands on. */
export interface ImageGraphDeps {
  readonly pods: Reflector<PodSlice>
  readonly nodes: Reflector<WatchedNode>
  /** For the uids of namespaces. */
  readonly transport: KubeTransport
  /** Opens the room's store in the folder of the volume; closed by the room when it no longer leads. */
  readonly openStore: (options: Omit<StoreOptions, 'folder'>) => Store
  /** Of the Lease `deckwatch-image-graph`. */
  readonly leadership: Leadership
  readonly clock: Clock
  readonly log: Log
  readonly metrics: MetricsRegistry
  readonly config: ImageGraphConfig
}
