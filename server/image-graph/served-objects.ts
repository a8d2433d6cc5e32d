import { rfc3339Seconds } from '../../src/core/lib/time.ts'
import { imageObjectName } from '../../src/core/model/image-object-name.ts'
import { parseImageReference } from '../../src/core/model/image-reference.ts'
import { objectUid } from '../../src/core/model/object-uid.ts'
import {
  DECKWATCH_API_VERSION,
  type Image,
  type ImageChange,
  type ImageEvent,
  type ImageUsage,
  type ServedMetadata,
} from '../../src/core/wire/image.ts'
import type { ServedObject } from '../kit/api/resource.ts'
import type { Scope } from './image-state.ts'
import type { JournalEvent, KeptImage } from './journal-records.ts'

/** An Image or ClusterImage as it is served. */
export type ServedImage = Image & ServedObject

/** An ImageEvent or ClusterImageEvent as it is served. */
export type ServedImageEvent = ImageEvent & ServedObject

const NO_USAGE: ImageUsage = { namespaces: 0, workloads: 0, pods: 0, nodes: 0, by: [] }
const ONE_POD: ImageUsage = { namespaces: 1, workloads: 1, pods: 1, nodes: 0, by: [] }

/** The object of an image in use, from what its pods say and what is kept of it. */
export function servedImage(image: Image, kept: KeptImage): ServedImage {
  return {
    ...image,
    metadata: imageMetadata(scopeOf(kept), image.image.reference, kept.number, kept.change.time),
    lastChange: changeOf('+', kept.change),
  }
}

/** The same object under another number. */
export function renumbered(image: ServedImage, number: number): ServedImage {
  return { ...image, metadata: { ...image.metadata, resourceVersion: String(number) } }
}

/**
 * The object of an image as one event of the journal knows it, which is how a watch is told of what was in use for a
 * while and is no longer: its names and the change itself. After `+` its usage is the one pod that brought it, on no
 * node yet and with nobody in `by`; after `-` it is nothing.
 */
export function passingImage(event: JournalEvent, scope: Scope): ServedImage {
  const { name, tag, digest } = parseImageReference(event.image)
  return {
    apiVersion: DECKWATCH_API_VERSION,
    kind: scope ? 'Image' : 'ClusterImage',
    metadata: imageMetadata(scope, event.image, event.number, event.time),
    image: { reference: event.image, name, tag, digest },
    digests: [],
    usage: event.op === '+' ? ONE_POD : NO_USAGE,
    lastChange: changeOf(event.op, event),
  }
}

/** The event as an object: an ImageEvent of its namespace, or a ClusterImageEvent. */
export function servedEvent(
  event: JournalEvent,
  { cluster }: { readonly cluster: boolean },
): ServedImageEvent {
  const kind = cluster ? 'ClusterImageEvent' : 'ImageEvent'
  const name = String(event.number)
  return {
    apiVersion: DECKWATCH_API_VERSION,
    kind,
    metadata: {
      name,
      ...(cluster ? {} : { namespace: event.namespace }),
      uid: objectUid(kind, name),
      resourceVersion: name,
      creationTimestamp: rfc3339Seconds(event.time),
    },
    op: event.op,
    image: event.image,
    pod: { namespace: event.namespace, name: event.pod, uid: event.podUid },
    time: new Date(event.time).toISOString(),
    late: event.late,
  }
}

/** The scope of what is kept of an image. */
export function scopeOf({ namespace, namespaceUid }: KeptImage): Scope {
  return namespace === '' ? undefined : { namespace, namespaceUid }
}

function imageMetadata(
  scope: Scope,
  reference: string,
  number: number,
  time: number,
): ServedMetadata & ServedObject['metadata'] {
  return {
    name: imageObjectName(reference),
    ...(scope ? { namespace: scope.namespace } : {}),
    uid: scope
      ? objectUid('Image', scope.namespace, scope.namespaceUid, reference)
      : objectUid('ClusterImage', reference),
    resourceVersion: String(number),
    creationTimestamp: rfc3339Seconds(time),
  }
}

function changeOf(
  op: ImageChange['op'],
  { time, namespace, pod, podUid, late }: KeptImage['change'],
): ImageChange {
  return { op, time: new Date(time).toISOString(), namespace, pod, uid: podUid, late }
}
