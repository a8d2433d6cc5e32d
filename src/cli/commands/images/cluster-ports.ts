import type { ClusterConnection } from '../../../core/kube/connection.ts'
import { listNodes } from '../../../core/kube/node-list.ts'
import { listJson } from '../../../core/kube/paged-list.ts'
import { listPods, podSource } from '../../../core/kube/pod-list.ts'
import { listWatch } from '../../../core/kube/list-watch.ts'
import type { KubeTransport } from '../../../core/kube/transport.ts'
import type { Clock } from '../../../core/lib/time.ts'
import type { PodOwner } from '../../../core/wire/pod.ts'
import type { ImagesPorts } from '../../features/images/ports.ts'

/** What the ports stand on. */
export interface ClusterPortsOptions {
  readonly transport: KubeTransport
  readonly connection: ClusterConnection
  readonly clock: Clock
  /** False asks for JSON only. */
  readonly protobuf: boolean
}

/** The images features' view of a real cluster. */
export function clusterPorts({ transport, connection, clock, protobuf }: ClusterPortsOptions): ImagesPorts {
  const identity = connection
  return {
    listPods: (query, signal) => listPods(transport, { ...query, protobuf, signal, clock, identity }),
    listNodes: (signal) => listNodes(transport, { signal, protobuf, identity }),
    watchPods: (query, signal) =>
      listWatch({
        transport,
        source: podSource({ ...query, protobuf, identity }),
        clock,
        signal,
        failFast: true,
      }),
    async listOwners(namespace, signal) {
      const owners = new Map<string, PodOwner>()
      const within = namespace === undefined ? '' : `namespaces/${encodeURIComponent(namespace)}/`
      for (const [group, resource] of [
        ['apps', 'replicasets'],
        ['batch', 'jobs'],
      ] as const) {
        const source = {
          path: `/apis/${group}/v1/${within}${resource}`,
          purpose: { resource: `${resource}.${group}`, namespace, identity },
        }
        for await (const batch of listJson<OwnedObject>(transport, source, { signal, clock })) {
          for (const { metadata } of batch) {
            const owner = metadata.ownerReferences?.find(({ controller }) => controller)
            if (owner) owners.set(metadata.uid, owner)
          }
        }
      }
      return owners
    },
  }
}

/** The slice of a ReplicaSet or Job that names its owner. */
interface OwnedObject {
  readonly metadata: {
    readonly namespace: string
    readonly name: string
    readonly uid: string
    readonly ownerReferences?: readonly (PodOwner & { readonly controller?: boolean })[]
  }
}
