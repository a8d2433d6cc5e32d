import { imageObjectName } from '../../../core/model/image-object-name.ts'
import { groupPlacements, imageUses, summarise, type Placement } from '../../../core/model/image-usage.ts'
import type { NodeImages } from '../../../core/model/node-images.ts'
import { DECKWATCH_API_VERSION, type DeckList, type Image } from '../../../core/wire/image.ts'

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
  const items = [...groupPlacements(placements, ({ use }) => use.image)]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([reference, group]) => imageObject(kind, namespace, reference, group, nodes))
  return { apiVersion: DECKWATCH_API_VERSION, kind: `${kind}List`, items }
}

function imageObject(
  kind: Image['kind'],
  namespace: string | undefined,
  reference: string,
  group: readonly Placement[],
  nodes: NodeImages | undefined,
): Image {
  const { digests, sizeBytes, namespaces, workloads, pods, nodes: nodeCount } = summarise(group, nodes)
  const { name = reference, tag = '', digest = '' } = group[0]?.image ?? {}
  return {
    apiVersion: DECKWATCH_API_VERSION,
    kind,
    metadata: { name: imageObjectName(reference), ...(namespace === undefined ? {} : { namespace }) },
    image: { reference, name, tag, digest },
    digests,
    ...(sizeBytes === undefined ? {} : { sizeBytes }),
    usage: { namespaces, workloads, pods, nodes: nodeCount, by: imageUses(group) },
  }
}
