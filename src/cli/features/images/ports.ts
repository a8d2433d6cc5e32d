import type { KnownOwners } from '../../../core/model/workload-owner.ts'
import type { ListWatchEvent } from '../../../core/kube/list-watch.ts'
import type { NodeSlice } from '../../../core/wire/node.ts'
import type { PodSlice } from '../../../core/wire/pod.ts'

/** Which pods are asked for; no namespace means all of them. Selectors are passed to the API server as they stand. */
export interface PodQuery {
  readonly namespace?: string | undefined
  readonly labelSelector?: string | undefined
  readonly fieldSelector?: string | undefined
}

/** What the images features need of a cluster; every call ends with a DeckError or the signal's reason. */
export interface ImagesPorts {
  /** Pods in batches as they arrive, each once. */
  listPods(query: PodQuery, signal: AbortSignal): AsyncIterable<readonly PodSlice[]>
  listNodes(signal: AbortSignal): Promise<readonly NodeSlice[]>
  /** Owners of ReplicaSets and Jobs by the uid of these. */
  listOwners(namespace: string | undefined, signal: AbortSignal): Promise<KnownOwners>
  /** Pods and what happens to them, until the signal aborts. */
  watchPods(query: PodQuery, signal: AbortSignal): AsyncIterable<ListWatchEvent<PodSlice>>
}
