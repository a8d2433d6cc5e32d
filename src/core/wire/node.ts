/** One entry of a node's `status.images`: every name and digest it is known by there, and its size. */
export interface NodeImage {
  readonly names: readonly string[]
  /** Bytes on the node's disk as the container runtime counts them. */
  readonly sizeBytes: number
}

/** The slice of a core/v1 Node that deckwatch reads. */
export interface NodeSlice {
  readonly name: string
  /** The kubelet reports the 50 largest only (`nodeStatusMaxImages`). */
  readonly images: readonly NodeImage[]
}
