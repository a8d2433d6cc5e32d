/** How a pod names an image: an ordinary, init, sidecar (KEP-753) or ephemeral container, or an image volume (KEP-4639). */
export type ContainerType = 'container' | 'init' | 'sidecar' | 'ephemeral' | 'volume'

/** One place in a pod that names an image; for an image volume `name` is the volume's name. */
export interface PodImage {
  readonly type: ContainerType
  readonly name: string
  /** The string of the pod's spec, unchanged. */
  readonly image: string
  /** `Always`, `IfNotPresent`, `Never`, or empty where the spec has none. */
  readonly pullPolicy: string
  /** `status.*ContainerStatuses[].imageID`, unchanged; empty before the image was pulled and for volumes. */
  readonly imageID: string
}

/** The controlling owner of a pod (`metadata.ownerReferences[controller=true]`). */
export interface PodOwner {
  readonly apiVersion: string
  readonly kind: string
  readonly name: string
  readonly uid: string
}

/** The slice of a core/v1 Pod that deckwatch reads, the same from JSON and from protobuf. */
export interface PodSlice {
  readonly uid: string
  readonly namespace: string
  readonly name: string
  readonly resourceVersion: string
  /** Empty before the pod is scheduled. */
  readonly nodeName: string
  /** `Pending`, `Running`, `Succeeded`, `Failed`, `Unknown`, or empty. */
  readonly phase: string
  /** The label `pod-template-hash`, or empty. */
  readonly templateHash: string
  readonly owner: PodOwner | undefined
  /** In the order init and sidecar (as the spec lists them), container, ephemeral, volume. */
  readonly images: readonly PodImage[]
}
