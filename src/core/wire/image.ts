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

/** One image in use: `Image` in one namespace, `ClusterImage` over the whole cluster. */
export interface Image {
  readonly apiVersion: typeof DECKWATCH_API_VERSION
  readonly kind: 'Image' | 'ClusterImage'
  readonly metadata: { readonly name: string; readonly namespace?: string }
  readonly image: ImageName
  /** What really runs: manifest digests, or bare image ids where the runtime knows no digest. */
  readonly digests: readonly string[]
  /** Bytes on a node's disk, the largest where nodes differ; left out where no node reports it. */
  readonly sizeBytes?: number
  readonly usage: ImageUsage
}

/** An image that came into use (`+`) or went out of use (`-`), with the pod that made the difference. */
export interface ImageEvent {
  readonly apiVersion: typeof DECKWATCH_API_VERSION
  readonly kind: 'ImageEvent'
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
  readonly items: readonly Item[]
}
