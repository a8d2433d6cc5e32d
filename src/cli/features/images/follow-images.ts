import type { Clock } from '../../../core/lib/time.ts'
import { ImageGraph, type ImageTransition } from '../../../core/model/image-graph.ts'
import { matchingImages, type ImageMatch } from '../../../core/model/image-usage.ts'
import type { PodSlice } from '../../../core/wire/pod.ts'
import type { ImagesPorts, PodQuery } from './ports.ts'

/** What `kubectl images --follow` asks. */
export interface FollowQuery extends PodQuery {
  readonly match?: ImageMatch | undefined
  readonly runningOnly: boolean
  /** Leave out what was in use at the start. */
  readonly skipInitial: boolean
}

/** One thing that a follower is told. */
export type FollowItem =
  | {
      readonly type: 'image'
      readonly transition: ImageTransition
      readonly time: number
      readonly late: boolean
    }
  | { readonly type: 'pod'; readonly op: '+' | '-'; readonly pod: PodSlice; readonly time: number }
  /** The initial set is complete. */
  | { readonly type: 'synced'; readonly images: number; readonly pods: number }
  | { readonly type: 'interrupted'; readonly at: number; readonly reason: string }
  /** Watching again; whatever changed meanwhile follows as `late`. */
  | { readonly type: 'resumed'; readonly at: number; readonly downMs: number }

/**
 * Follows the images in use until the signal aborts: the seed's stream, each image announced once. What a relist after
 * an outage brings is told as its true delta: an image that only changed its users meanwhile is not mentioned.
 */
export async function* followImages(
  ports: Pick<ImagesPorts, 'watchPods'> & { readonly clock: Clock },
  query: FollowQuery,
  signal: AbortSignal,
): AsyncGenerator<FollowItem> {
  const graph = new ImageGraph({ runningOnly: query.runningOnly })
  let silent = query.skipInitial
  let synced = false
  let outage: Map<string, ImageTransition> | undefined
  for await (const event of ports.watchPods(query, signal)) {
    const time = ports.clock.now()
    switch (event.type) {
      case 'synced':
        silent = false
        synced = true
        yield { type: 'synced', images: graph.images.size, pods: graph.podCount }
        break
      case 'interrupted':
        // Before the initial set is complete there is nothing that could be missed.
        if (synced) outage = new Map()
        yield event
        break
      case 'resumed':
        yield { type: 'resumed', at: event.at, downMs: event.downMs }
        for (const transition of outage?.values() ?? []) yield { type: 'image', transition, time, late: true }
        outage = undefined
        break
      case 'added':
      case 'modified':
      case 'deleted': {
        const pod = matchingImages(event.object, query.match)
        const transitions = event.type === 'deleted' ? graph.remove(pod) : graph.put(pod)
        if (silent) break
        if (event.type !== 'modified' && pod.images.length > 0) {
          yield { type: 'pod', op: event.type === 'added' ? '+' : '-', pod, time }
        }
        for (const transition of transitions) {
          if (outage) settle(outage, transition)
          else yield { type: 'image', transition, time, late: false }
        }
        break
      }
    }
  }
}

/** Keeps the net effect of transitions by image: what came and went again, or went and came again, is no news. */
function settle(outage: Map<string, ImageTransition>, transition: ImageTransition): void {
  const { op, image } = transition
  if (op !== '+' && op !== '-') return
  const earlier = outage.get(image)
  if (earlier && earlier.op !== op) outage.delete(image)
  else outage.set(image, transition)
}
