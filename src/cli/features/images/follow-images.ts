import type { Clock } from '../../../core/lib/time.ts'
import { ImageGraph, type ImageTransition } from '../../../core/model/image-graph.ts'
import { netEffect } from '../../../core/model/net-effect.ts'
import { matchingImages, type ImageMatch } from '../../../core/model/image-usage.ts'
import type { ServedMetadata } from '../../../core/wire/image.ts'
import type { PodSlice } from '../../../core/wire/pod.ts'
import type { ImagesPorts, PodQuery } from './ports.ts'

/** What `kubectl images --follow` asks. */
export interface FollowQuery extends PodQuery {
  readonly match?: ImageMatch | undefined
  readonly runningOnly: boolean
  /** Leave out what was in use at the start. */
  readonly skipInitial: boolean
  /** What was told before to be in use, with the pod that brought it: the start is told as the difference to it. */
  readonly told?: ReadonlyMap<string, PodName> | undefined
}

/** The pod that made a difference. */
export type PodName = Pick<PodSlice, 'namespace' | 'name' | 'uid'>

/** A pod that began or ceased to use images, or an image that one more or one pod fewer uses. */
export type FollowedChange =
  | {
      readonly type: 'image'
      readonly transition: Pick<ImageTransition, 'op' | 'image'> & { readonly pod: PodName }
      /** Epoch milliseconds. */
      readonly time: number
      readonly late: boolean
      /** What the companion that recorded it calls it. */
      readonly metadata?: ServedMetadata | undefined
    }
  | { readonly type: 'pod'; readonly op: '+' | '-'; readonly pod: PodName; readonly time: number }

/** One thing that a follower is told. */
export type FollowItem =
  | FollowedChange
  /** The initial set is complete; the number of pods is not known where the companion chose among its images. */
  | { readonly type: 'synced'; readonly images: number; readonly pods: number | undefined }
  | { readonly type: 'interrupted' | 'failing'; readonly at: number; readonly reason: string }
  /** Watching again; what changed meanwhile follows: with `watch` all of it, with `relist` its net effect, late. */
  | {
      readonly type: 'resumed'
      readonly at: number
      readonly downMs: number
      readonly how: 'watch' | 'relist'
    }
  /** The recorded changes of that moment (epoch milliseconds) or later have been told; the last item. */
  | { readonly type: 'replayed'; readonly since: number; readonly changes: number }
  /** What the companion wants its reader to know. */
  | { readonly type: 'warning'; readonly text: string }
  /** The companion is given up: pods are watched from here on, and the net effect of what was missed follows, late. */
  | { readonly type: 'abandoned'; readonly at: number; readonly reason: string }

type PodChange = Exclude<FollowedChange, { type: 'image' }>
type GraphChange = {
  readonly type: 'image'
  readonly transition: ImageTransition
  readonly time: number
  readonly late: boolean
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
  let silent = query.skipInitial || query.told !== undefined
  let synced = false
  let missed: (PodChange | GraphChange)[] | undefined
  const bringers = new Map<string, PodName>()
  for await (const event of ports.watchPods(query, signal)) {
    switch (event.type) {
      case 'synced':
        synced = true
        silent = false
        if (query.told) yield* difference(query.told, bringers, ports.clock.now())
        bringers.clear()
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
        if (query.told && !synced) note(bringers, transitions)
        if (silent) break
        const time = ports.clock.now()
        const changes: (PodChange | GraphChange)[] = transitions.map((transition) => ({
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

/** Late, what went and came between two sets of images in use, each with the pod that brought it. */
export function* difference(
  before: ReadonlyMap<string, PodName>,
  now: ReadonlyMap<string, PodName>,
  time: number,
): Generator<FollowedChange, void> {
  for (const [op, these, others] of [
    ['+', now, before],
    ['-', before, now],
  ] as const) {
    for (const [image, pod] of these) {
      if (!others.has(image)) yield { type: 'image', transition: { op, image, pod }, time, late: true }
    }
  }
}

function note(bringers: Map<string, PodName>, transitions: readonly ImageTransition[]): void {
  for (const { op, image, pod } of transitions) {
    if (op === '+') bringers.set(image, pod)
    else if (op === '-') bringers.delete(image)
  }
}

/** The changes with `netEffect` upon those of images; those of pods are the difference of two lists as they are. */
function settledChanges(changes: readonly (PodChange | GraphChange)[]): FollowedChange[] {
  const images = changes.filter((change) => change.type === 'image')
  const settled = netEffect(images.map(({ transition }) => transition)).values()
  return changes.map((change) => {
    if (change.type !== 'image') return change
    const transition = settled.next().value
    return transition ? { ...change, transition } : change
  })
}
