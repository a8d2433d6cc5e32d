import { DeckError } from '../../../core/lib/errors.ts'
import { Placements, type ImageMatch, type Placement } from '../../../core/model/image-usage.ts'
import { NodeImages } from '../../../core/model/node-images.ts'
import type { PodSlice } from '../../../core/wire/pod.ts'
import type { ImagesPorts, PodQuery } from './ports.ts'

/** What `kubectl images` asks. */
export interface ImagesQuery extends PodQuery {
  readonly match?: ImageMatch | undefined
  readonly runningOnly: boolean
  /** Ask the nodes for sizes. */
  readonly sizes: boolean
  /** Look the owners of ReplicaSets and Jobs up instead of reading them from names. */
  readonly exactOwners: boolean
}

/** The answer to an ImagesQuery. */
export interface ImagesInUse {
  /** How many pods were asked for and found, whether their images match or not. */
  readonly pods: number
  readonly placements: readonly Placement[]
  /** Undefined where nodes were not asked or could not be read. */
  readonly nodes: NodeImages | undefined
  /** What could not be found out, one sentence each. */
  readonly warnings: readonly string[]
}

/** Reads pods, and nodes and owners where asked, all at once; what only adds detail warns instead of failing. */
export async function listImages(
  ports: ImagesPorts,
  query: ImagesQuery,
  signal: AbortSignal,
): Promise<ImagesInUse> {
  const warnings: string[] = []
  const detail = async <T>(pending: Promise<T>, loss: string): Promise<T | undefined> => {
    try {
      return await pending
    } catch (error) {
      if (!(error instanceof DeckError)) throw error
      warnings.push(`${loss}: ${error.message}`)
      return undefined
    }
  }
  const [pods, nodes, owners] = await Promise.all([
    allPods(ports, query, signal),
    query.sizes ? detail(ports.listNodes(signal), 'sizes are unknown') : undefined,
    query.exactOwners
      ? detail(
          ports.listOwners(query.namespace, signal),
          'workloads are guessed from the names of their owners',
        )
      : undefined,
  ])
  const placements = new Placements({ match: query.match, runningOnly: query.runningOnly, owners })
  for (const pod of pods) placements.add(pod)
  return { pods: pods.length, placements: placements.all, nodes: nodes && new NodeImages(nodes), warnings }
}

async function allPods(ports: ImagesPorts, query: PodQuery, signal: AbortSignal): Promise<PodSlice[]> {
  const pods: PodSlice[] = []
  for await (const batch of ports.listPods(query, signal)) pods.push(...batch)
  return pods
}
