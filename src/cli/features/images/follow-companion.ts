import { DeckError } from '../../../core/lib/errors.ts'
import type { Clock } from '../../../core/lib/time.ts'
import { parseImageReference } from '../../../core/model/image-reference.ts'
import { imageMatches, type ImageMatch } from '../../../core/model/image-usage.ts'
import type { Image, ImageChange, ImageEvent } from '../../../core/wire/image.ts'
import type { CompanionPorts, ServedImages } from './companion-ports.ts'
import { difference, type FollowedChange, type FollowItem, type PodName } from './follow-images.ts'

/** What a follower asks of the companion. */
export interface CompanionFollowQuery {
  /** Events are kept whose image matches or, with `either` and `pod`, the pod that made the difference. */
  readonly match?: ImageMatch | undefined
  /** Leave out what was in use at the start. */
  readonly skipInitial: boolean
  /** Epoch milliseconds: begin with the recorded events of this moment in place of what is in use. */
  readonly since?: number | undefined
}

/** Which images were told to be in use, with the pod that brought each. */
type Told = Map<string, PodName>

/** Where the companion was given up, and why. */
export interface Abandoned {
  /** What it had told to be in use. */
  readonly told: ReadonlyMap<string, PodName>
  readonly at: number
  readonly reason: string
}

/**
 * Follows the images in use by the companion's journal until the signal aborts. Without `since` it throws only before
 * its first item, so that another way can take over. Gives back only where the companion is given up.
 */
export async function* followCompanion(
  ports: CompanionPorts & { readonly clock: Clock },
  query: CompanionFollowQuery,
  signal: AbortSignal,
): AsyncGenerator<FollowItem, Abandoned | undefined> {
  const { match, since } = query
  let resourceVersion: string | undefined
  if (since !== undefined) {
    for await (const item of replay(ports, since, match, signal)) {
      if (item.type === 'end') resourceVersion = item.resourceVersion
      else yield item
    }
  }
  const start = await ports.listImages(signal)
  let told = inUse(start, match)
  // What happened between the end of the past and this list is told by the watch, and leads to the same list again.
  const from = resourceVersion ?? start.resourceVersion
  for await (const notice of ports.followEvents(from, signal)) {
    switch (notice.type) {
      case 'watching':
        for (const text of start.warnings) yield { type: 'warning', text }
        if (since === undefined && !query.skipInitial) yield* initial(start, match)
        yield { type: 'synced', images: told.size, pods: match ? undefined : start.summary.pods }
        break
      case 'record':
        if (!eventMatches(match, notice.record)) break
        if (notice.record.op === '+') told.set(notice.record.image, notice.record.pod)
        else told.delete(notice.record.image)
        yield changeOf(notice.record)
        break
      case 'relisted': {
        const now = inUse(notice.list, match)
        yield* difference(told, now, ports.clock.now())
        told = now
        break
      }
      case 'lost':
        return { told, at: notice.at, reason: notice.reason }
      default:
        yield notice
    }
  }
  return undefined
}

/** The recorded events of a moment or later; ends with where a watch goes on. */
export async function* replay(
  ports: Pick<CompanionPorts, 'listEvents'>,
  since: number,
  match: ImageMatch | undefined,
  signal: AbortSignal,
): AsyncGenerator<
  Extract<FollowItem, { type: 'image' | 'warning' }> | { type: 'end'; resourceVersion: string }
> {
  const warned = new Set<string>()
  let resourceVersion = ''
  for await (const page of ports.listEvents(since, signal)) {
    for (const text of page.warnings) {
      if (!warned.has(text)) yield { type: 'warning', text }
      warned.add(text)
    }
    for (const event of page.events) if (eventMatches(match, event)) yield changeOf(event)
    resourceVersion = page.resourceVersion
  }
  yield { type: 'end', resourceVersion }
}

function eventMatches(match: ImageMatch | undefined, { image, pod }: ImageEvent): boolean {
  if (!match) return true
  return (
    (match.on !== 'image' && match.pattern.test(pod.name)) || imageMatches(match, parseImageReference(image))
  )
}

function changeOf({
  op,
  image,
  pod,
  time,
  late,
  metadata,
}: ImageEvent): Extract<FollowItem, { type: 'image' }> {
  return { type: 'image', transition: { op, image, pod }, time: Date.parse(time), late, metadata }
}

function chosen({ items }: ServedImages, match: ImageMatch | undefined): Image[] {
  return items.filter(({ image }) => !match || imageMatches(match, parseImageReference(image.reference)))
}

function inUse(images: ServedImages, match: ImageMatch | undefined): Told {
  return new Map(chosen(images, match).map((image) => [image.image.reference, podOf(broughtBy(image))]))
}

/** What is in use, each since when the companion knows, in the order in which it came. */
function initial(images: ServedImages, match: ImageMatch | undefined): FollowedChange[] {
  return chosen(images, match)
    .map((image) => ({ reference: image.image.reference, change: broughtBy(image) }))
    .toSorted(
      (a, b) => Date.parse(a.change.time) - Date.parse(b.change.time) || (a.reference < b.reference ? -1 : 1),
    )
    .map(({ reference, change }) => ({
      type: 'image',
      transition: { op: '+', image: reference, pod: podOf(change) },
      time: Date.parse(change.time),
      late: change.late,
    }))
}

function broughtBy({ metadata, lastChange }: Image): ImageChange {
  if (lastChange) return lastChange
  throw new DeckError(
    'KUBE_PROTOCOL',
    `the companion does not say what brought the image ${JSON.stringify(metadata.name)}`,
  )
}

function podOf({ namespace, pod, uid }: ImageChange): PodName {
  return { namespace, name: pod, uid }
}
