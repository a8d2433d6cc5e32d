import { rfc3339Seconds } from '../../../core/lib/time.ts'
import { visible } from '../../../core/lib/text.ts'
import { DECKWATCH_API_VERSION, type ImageEvent } from '../../../core/wire/image.ts'
import type { ImageTransition } from '../../../core/model/image-graph.ts'
import type { FollowItem } from './follow-images.ts'

type ImageItem = Extract<FollowItem, { type: 'image' }>
type PodItem = Extract<FollowItem, { type: 'pod' }>

/**
 * The seed's line, byte for byte: `[2021-01-13T20:51:14Z INFO ] [+|image]  perl  [foo|pi-t5zl5]`. Further users of an
 * image (`+=`, `-=`) are its DEBUG lines.
 */
export function imageLine({ time, transition: { op, image, pod } }: ImageItem): string {
  return `${prefix(time, levelOf(op))} [${op}|image]  ${visible(image)}  [${visible(pod.namespace)}|${visible(pod.name)}]\n`
}

/** The seed's DEBUG line of a pod: `[… DEBUG] [+|pod]  NAME  [NAMESPACE]`. */
export function podLine({ time, op, pod }: PodItem): string {
  return `${prefix(time, 'DEBUG')} [${op}|pod]  ${visible(pod.name)}  [${visible(pod.namespace)}]\n`
}

/**
 * One event as a JSON line, of the kind for one namespace or for all of them; undefined for `+=` and `-=`, which are no
 * events of an image.
 */
export function imageEvent(
  { time, late, transition: { op, image, pod }, metadata }: ImageItem,
  kind: ImageEvent['kind'],
): ImageEvent | undefined {
  if (op !== '+' && op !== '-') return undefined
  return {
    apiVersion: DECKWATCH_API_VERSION,
    kind,
    ...(metadata ? { metadata } : {}),
    op,
    image,
    pod: { namespace: pod.namespace, name: pod.name, uid: pod.uid },
    time: new Date(time).toISOString(),
    late,
  }
}

/** Whether a line is told only with `--verbose`. */
export function isDetail(op: ImageTransition['op']): boolean {
  return levelOf(op) === 'DEBUG'
}

function levelOf(op: ImageTransition['op']): 'INFO' | 'DEBUG' {
  return op === '+' || op === '-' ? 'INFO' : 'DEBUG'
}

function prefix(time: number, level: 'INFO' | 'DEBUG'): string {
  return `[${rfc3339Seconds(time)} ${level.padEnd(5)}]`
}
