import type { ResourceSource } from '../../../src/core/kube/paged-list.ts'
import type { Watched } from '../../../src/core/kube/watch-frame.ts'
import type { SeenState } from '../../../src/core/model/change-facts.ts'
import { isMap } from '../../../src/core/model/object-diff-equal.ts'
import { withoutNoise } from '../../../src/core/model/object-noise.ts'
import type { KubernetesObject } from '../../../src/core/wire/admission-review.ts'
import type { RecordedResource } from '../config.ts'

/** Where a scale keeps its number unless a definition says otherwise. */
export const SPEC_REPLICAS = ['spec', 'replicas'] as const

/** How objects are made comparable: redacted with the webhook's redactor, and hashed with its key. */
export interface ObjectReading {
  readonly redact: (
    resource: { readonly group: string; readonly resource: string },
    object: KubernetesObject,
  ) => KubernetesObject
  readonly hash: (object: KubernetesObject) => string
}

/** What stays in memory of an object that is watched, and for a moment the object itself. */
export interface WatchedObject extends Watched {
  readonly namespace: string
  readonly name: string
  /** Of the namespace that it lies in, which never becomes another; empty until somebody knew it. */
  namespaceUid: string
  readonly state: SeenState
  readonly replicas: number | undefined
  /** Tells one deletion from another, and from a shorter grace period; empty where it is not being deleted. */
  readonly deletion: string
  /** Redacted; undefined once it was taken. */
  object: KubernetesObject | undefined
}

/** The collection over all namespaces, read as JSON. */
export function watchedSource(
  recorded: RecordedResource,
  reading: ObjectReading,
): ResourceSource<WatchedObject> {
  const { group, version, resource, namespaced, watch } = recorded
  return {
    path: `${group === '' ? `/api/${version}` : `/apis/${group}/${version}`}/${resource}`,
    purpose: { resource: group === '' ? resource : `${resource}.${group}`, namespaced },
    metadataOnly: watch === 'metadata',
    decoder: {
      fromJson: (value) => watchedObject(recorded, value as KubernetesObject, reading),
      keyOf: ({ namespace, name }) => `${namespace}/${name}`,
    },
  }
}

function watchedObject(
  recorded: RecordedResource,
  read: KubernetesObject,
  reading: ObjectReading,
): WatchedObject {
  const object = reading.redact(recorded, typed(recorded, read))
  const { uid = '', resourceVersion = '', namespace = '', name = '' } = object.metadata ?? {}
  return {
    uid,
    resourceVersion,
    namespace,
    name,
    namespaceUid: '',
    state: seenState(recorded, object, reading.hash),
    replicas: replicasOf(object, recorded),
    deletion: deletionOf(object),
    object,
  }
}

/** An object with the type of its resource: those of a list have none, and of metadata alone another. */
export function typed(
  { group, version, kind }: Pick<RecordedResource, 'group' | 'version' | 'kind'>,
  object: KubernetesObject,
): KubernetesObject {
  return { ...object, apiVersion: group === '' ? version : `${group}/${version}`, kind }
}

/** A state as both witnesses see it: of resources of which the metadata alone is watched, that of the metadata. */
export function seenState(
  { watch }: Pick<RecordedResource, 'watch'>,
  object: KubernetesObject,
  hash: ObjectReading['hash'],
): SeenState {
  const seen: KubernetesObject =
    watch === 'metadata' && object.metadata ? { metadata: object.metadata } : object
  const { managedFields, generation, selfLink, annotations, resourceVersion = '' } = object.metadata ?? {}
  const content = hash(withoutNoise(seen))
  // Each part of the object is hashed once: what is noise beside the hash of the rest.
  const noise = { status: seen['status'], managedFields, generation, selfLink, annotations }
  return { version: resourceVersion, hash: hash({ content, noise }), content }
}

/** The number that is scaled, where there is one: spec.replicas, also of a Scale itself, unless the resource says otherwise. */
export function replicasOf(
  object: KubernetesObject,
  { replicas: keys = SPEC_REPLICAS }: Pick<RecordedResource, 'replicas'> = {},
): number | undefined {
  let value: unknown = object
  for (const key of keys) value = isMap(value) ? value[key] : undefined
  return typeof value === 'number' ? value : undefined
}

/** Tells one deletion of an object from another; empty where it is not being deleted. */
export function deletionOf({ metadata }: KubernetesObject): string {
  if (!metadata?.deletionTimestamp) return ''
  return JSON.stringify([metadata.deletionTimestamp, metadata['deletionGracePeriodSeconds']])
}
