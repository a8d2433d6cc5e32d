import type { ContainerType } from './pod.ts'

/** The API group and version of everything deckwatch defines. */
export const DECKWATCH_API_VERSION = 'deckwatch.dev/v1alpha1'

/** An image reference in the spelling of the pod spec, which is its identity, and in its normal form. */
export interface ImageName {
  readonly reference: string
  /** Registry and repository with defaults filled in: `docker.io/library/nginx`. */
  readonly name: string
  /** `latest` where the reference has neither tag nor digest; empty where it has a digest only. */
  readonly tag: string
  /** The digest that the reference itself pins, or empty. */
  readonly digest: string
}

/** One workload's container that uses an image, with the number of its pods that do. */
export interface ImageUse {
  /** The workload's API group; empty for core kinds. */
  readonly group: string
  /** `Pod` for a bare pod. */
  readonly kind: string
  readonly name: string
  readonly namespace: string
  readonly container: string
  readonly type: ContainerType
  readonly pods: number
}

/** How widely an image is used. */
export interface ImageUsage {
  readonly namespaces: number
  readonly workloads: number
  readonly pods: number
  readonly nodes: number
  readonly by: readonly ImageUse[]
}

/** What the API server adds to an object's name; only objects that the companion serves have it. */
export interface ServedMetadata {
  readonly name: string
  readonly namespace?: string
  /** A UUIDv5 of the object's identity. */
  readonly uid?: string
  readonly resourceVersion?: string
  /** RFC 3339 UTC to the second. */
  readonly creationTimestamp?: string
}

/** How often something is counted over several spellings of one image, each pod and workload once. */
export type UsageCounts = Omit<ImageUsage, 'by'>

/** What last brought an image into use or took it out of use, with the pod that made the difference. */
export interface ImageChange {
  readonly op: '+' | '-'
  /** RFC 3339 UTC with milliseconds: when it was seen. */
  readonly time: string
  readonly namespace: string
  readonly pod: string
  readonly uid: string
  /** Seen only after a time in which nobody was watching. */
  readonly late: boolean
}

/** One image in use: `Image` in one namespace, `ClusterImage` over the whole cluster. */
export interface Image {
  readonly apiVersion: typeof DECKWATCH_API_VERSION
  readonly kind: 'Image' | 'ClusterImage'
  readonly metadata: ServedMetadata
  readonly image: ImageName
  /** What really runs: manifest digests, or bare image ids where the runtime knows no digest. */
  readonly digests: readonly string[]
  /** Bytes on a node's disk, the largest where nodes differ; left out where no node reports it. */
  readonly sizeBytes?: number
  readonly usage: ImageUsage
  /** Other spellings of the same image that are in use in the same scope; left out where there are none. */
  readonly alsoSpelled?: readonly string[]
  /** The counts over all spellings together, the same in each of their objects; left out with `alsoSpelled`. */
  readonly usageTogether?: UsageCounts
  /** Left out where nobody recorded it: an answer without the companion. */
  readonly lastChange?: ImageChange
}

/** An image that came into use (`+`) or went out of use (`-`), with the pod that made the difference. */
export interface ImageEvent {
  readonly apiVersion: typeof DECKWATCH_API_VERSION
  /** `ImageEvent`: in or out of use in the pod's namespace; `ClusterImageEvent`: in the cluster. */
  readonly kind: 'ImageEvent' | 'ClusterImageEvent'
  /** Left out where no companion recorded the event; the name is its sequence number. */
  readonly metadata?: ServedMetadata
  readonly op: '+' | '-'
  readonly image: string
  readonly pod: { readonly namespace: string; readonly name: string; readonly uid: string }
  /** RFC 3339 UTC with milliseconds: when it was seen. */
  readonly time: string
  /** Seen only after a time in which nobody was watching. */
  readonly late: boolean
}

/** A list as `-o json` and the API print it. */
export interface DeckList<Item> {
  readonly apiVersion: typeof DECKWATCH_API_VERSION
  readonly kind: string
  /** Left out where the list was not served by a companion. */
  readonly metadata?: { readonly resourceVersion: string; readonly continue?: string }
  readonly items: readonly Item[]
}

/** The list of images as the companion serves it: the counts over all of them, each pod and workload once. */
export interface ServedImageList extends DeckList<Image> {
  readonly summary: UsageCounts & { readonly images: number }
}
