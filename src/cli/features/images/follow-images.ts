import type { Clock } from '../../../core/lib/time.ts'
import { ImageGraph, type ImageTransition } from '../../../core/model/image-graph.ts'
import { netEffect } from '../../../core/model/net-effect.ts'
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

/** A pod that began or ceased to use images, or an image that one more or one pod fewer uses. */
export type FollowedChange =
  | {
      readonly type: 'image'
      readonly transition: ImageTransition
      readonly time: number
      readonly late: boolean
    }
  | { readonly type: 'pod'; readonly op: '+' | '-'; readonly pod: PodSlice; readonly time: number }

/** One thing that a follower is told. */
export type FollowItem =
  | FollowedChange
  /** The initial set is complete. */
  | { readonly type: 'synced'; readonly images: number; readonly pods: number }
  | { readonly type: 'interrupted' | 'failing'; readonly at: number; readonly reason: string }
  /** Watching again; what changed meanwhile follows as `late`: with `watch` all of it, with `relist` its net effect. */
  | {
      readonly type: 'resumed'
      readonly at: number
      readonly downMs: number
      readonly how: 'watch' | 'relist'
    }

/**
 * Follows the images in use until the signal aborts: cluster-image-logger's stream, each image announced once. What a relist after
 * an outage brings is told as its true delta: an image that only changed its users meanwhile neither goes nor comes.
 */
export async function* followImages(
  ports: Pick<ImagesPorts, 'watchPods'> & { readonly clock: Clock },
  query: FollowQuery,
  signal: AbortSignal,
): AsyncGenerator<FollowItem> {
  const graph = new ImageGraph({ runningOnly: query.runningOnly })
  let silent = query.skipInitial
  let synced = false
  let missed: FollowedChange[] | undefined
  for await (const event of ports.watchPods(query, signal)) {
    switch (event.type) {
      case 'synced':
        synced = true
        silent = false
        yield { type: 'synced', images: graph.images.size, pods: graph.podCount }
        break
      case 'interrupted':
        // Before the first list is whole nothing was followed that could be missed.
        if (synced) missed = []
        yield event
        break
      case 'failing':
        yield event
        break
      case 'resumed':
        yield event
        yield* event.how === 'relist' ? settledChanges(missed ?? []) : (missed ?? [])
        missed = undefined
        break
      case 'added':
      case 'modified':
      case 'deleted': {
        const pod = matchingImages(event.object, query.match)
        const before = graph.has(pod.uid)
        const transitions = event.type === 'deleted' ? graph.remove(pod) : graph.put(pod)
        if (silent) break
        const time = ports.clock.now()
        const changes: FollowedChange[] = transitions.map((transition) => ({
          type: 'image',
          transition,
          time,
          late: missed !== undefined,
        }))
        if (!before && graph.has(pod.uid)) changes.unshift({ type: 'pod', op: '+', pod, time })
        if (before && !graph.has(pod.uid)) changes.unshift({ type: 'pod', op: '-', pod, time })
        if (missed) missed.push(...changes)
        else yield* changes
        break
      }
    }
  }
}

/** The changes with `netEffect` upon those of images; those of pods are the difference of two lists as they are. */
function settledChanges(changes: readonly FollowedChange[]): FollowedChange[] {
  const images = changes.filter((change) => change.type === 'image')
  const settled = netEffect(images.map(({ transition }) => transition)).values()
  return changes.map((change) => {
    if (change.type !== 'image') return change
    const transition = settled.next().value
    return transition ? { ...change, transition } : change
  })
}
