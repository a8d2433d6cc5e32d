import { DECKWATCH_API_VERSION, type DeckList, type Image, type UsageCounts } from '../wire/image.ts'
import { imageObjectName } from './image-object-name.ts'
import { groupPlacements, imageUses, summarise, type Placement } from './image-usage.ts'
import type { NodeImages } from './node-images.ts'

/**
 * The images in use as objects of the API group, one for each spelling in a pod spec: `Image`s of one namespace, or
 * `ClusterImage`s where `namespace` is undefined; sorted by reference.
 */
export function imageList(
  placements: readonly Placement[],
  nodes: NodeImages | undefined,
  namespace: string | undefined,
): DeckList<Image> {
  const kind = namespace === undefined ? 'ClusterImage' : 'Image'
  const items = [...groupPlacements(placements, ({ image }) => image.key).values()]
    .flatMap((group) => imageObjects(group, nodes, namespace))
    .toSorted((a, b) => compare(a.image.reference, b.image.reference))
  return { apiVersion: DECKWATCH_API_VERSION, kind: `${kind}List`, items }
}

/**
 * The objects of one image, one for each spelling, from all its placements in a namespace or, where that is undefined,
 * in the cluster; sorted by reference.
 */
export function imageObjects(
  placements: readonly Placement[],
  nodes: NodeImages | undefined,
  namespace: string | undefined,
): Image[] {
  const spellings = [...groupPlacements(placements, ({ use }) => use.image)].toSorted(([a], [b]) =>
    compare(a, b),
  )
  const references = spellings.map(([reference]) => reference)
  const usageTogether = references.length > 1 ? usageCounts(placements) : undefined
  return spellings.map(([reference, group]) => {
    const image = imageObject(reference, group, nodes, namespace)
    if (!usageTogether) return image
    return { ...image, alsoSpelled: references.filter((other) => other !== reference), usageTogether }
  })
}

/** How widely a group of placements is spread, each pod, workload, namespace and node once. */
export function usageCounts(placements: readonly Placement[]): UsageCounts {
  const { namespaces, workloads, pods, nodes } = summarise(placements)
  return { namespaces, workloads, pods, nodes }
}

function imageObject(
  reference: string,
  group: readonly Placement[],
  nodes: NodeImages | undefined,
  namespace: string | undefined,
): Image {
  const { digests, sizeBytes, namespaces, workloads, pods, nodes: nodeCount } = summarise(group, nodes)
  const { name = reference, tag = '', digest = '' } = group[0]?.image ?? {}
  return {
    apiVersion: DECKWATCH_API_VERSION,
    kind: namespace === undefined ? 'ClusterImage' : 'Image',
    metadata: { name: imageObjectName(reference), ...(namespace === undefined ? {} : { namespace }) },
    image: { reference, name, tag, digest },
    digests,
    ...(sizeBytes === undefined ? {} : { sizeBytes }),
    usage: { namespaces, workloads, pods, nodes: nodeCount, by: imageUses(group) },
  }
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
