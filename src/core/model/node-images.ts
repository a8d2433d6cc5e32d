import type { NodeImage, NodeSlice } from '../wire/node.ts'
import {
  parseImageID,
  parseImageReference,
  type ImageReference,
  type RunningImage,
} from './image-reference.ts'

/** The kubelet's default for `nodeStatusMaxImages`: how many images a node reports, largest first. */
const REPORTED_IMAGES_LIMIT = 50

/** What nodes say about image sizes, matched by every name and digest they report. */
export class NodeImages {
  readonly #nodes = new Map<string, NodeIndex>()
  // Another node's answer serves as long as all agree: an index has one digest and a size for each platform.
  readonly #agreedSizes = new Map<string, number | undefined>()
  // Nodes repeat each other's images: each name is taken apart once.
  readonly #names = new Map<string, NodeImageName>()

  constructor(nodes: readonly NodeSlice[]) {
    for (const node of nodes) {
      const index: NodeIndex = {
        byDigest: new Map(),
        byTag: new Map(),
        digestedTags: new Set(),
        capped: node.images.length === REPORTED_IMAGES_LIMIT,
      }
      this.#nodes.set(node.name, index)
      for (const image of node.images) this.#add(index, image)
    }
  }

  #add(index: NodeIndex, { names, sizeBytes }: NodeImage): void {
    const tags: string[] = []
    let digested = false
    for (const name of names) {
      const { digest, tag } = this.#parse(name)
      if (digest === undefined) {
        tags.push(tag)
        continue
      }
      digested = true
      index.byDigest.set(digest, sizeBytes)
      const agreed = !this.#agreedSizes.has(digest) || this.#agreedSizes.get(digest) === sizeBytes
      this.#agreedSizes.set(digest, agreed ? sizeBytes : undefined)
    }
    for (const tag of tags) {
      index.byTag.set(tag, sizeBytes)
      if (digested) index.digestedTags.add(tag)
    }
  }

  #parse(name: string): NodeImageName {
    let parsed = this.#names.get(name)
    if (!parsed) {
      const digest = parseImageID(name)?.digest
      parsed = digest === undefined ? { tag: parseImageReference(name).key } : { digest }
      this.#names.set(name, parsed)
    }
    return parsed
  }

  /** Bytes of an image on the disk of the node where it runs, or undefined where no node says so for certain. */
  size(nodeName: string, image: ImageReference, running: RunningImage | undefined): number | undefined {
    const node = this.#nodes.get(nodeName)
    const digest = running?.digest ?? image.digest
    if (digest) {
      const known = node?.byDigest.get(digest) ?? this.#agreedSizes.get(digest)
      if (known !== undefined) return known
    }
    const key = image.key
    // The node knows this tag's digest and it is not ours: the tag has moved, that size is another image's.
    if (running?.manifest && node?.digestedTags.has(key)) return undefined
    return node?.byTag.get(key)
  }

  /** Whether a node reports exactly as many images as a kubelet does by default at most, so that others may be missing. */
  isCapped(nodeName: string): boolean {
    return this.#nodes.get(nodeName)?.capped ?? false
  }
}

/** What one name of an image says: its digest, or the key of its tag. */
type NodeImageName =
  { readonly digest: string; readonly tag?: never } | { readonly digest?: never; readonly tag: string }

interface NodeIndex {
  readonly byDigest: Map<string, number>
  /** Keyed by `ImageReference.key`, so that every spelling of a name finds it. */
  readonly byTag: Map<string, number>
  /** Tags whose entry also names a manifest digest. */
  readonly digestedTags: Set<string>
  readonly capped: boolean
}
