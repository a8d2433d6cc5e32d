import type {
  V1ContainerStatus,
  V1Job,
  V1Node,
  V1OwnerReference,
  V1Pod,
  V1ReplicaSet,
} from '@kubernetes/client-node'
import type { Image } from '../../../src/core/wire/image.ts'
import { inFull } from '../shop/shop-images.ts'

/** What `kubectl get` says of a cluster, as far as images go. */
export interface ClusterFacts {
  readonly pods: readonly V1Pod[]
  readonly nodes: readonly V1Node[]
  /** ReplicaSets and Jobs, which stand between a pod and what people deployed. */
  readonly between: readonly (V1ReplicaSet | V1Job)[]
}

/** What a list of Image objects says of each reference; what only writes it down differently is left out. */
export type ImageFacts = Record<
  string,
  Pick<Image, 'digests' | 'usage'> & { readonly sizeBytes: number | undefined }
>

/** Adds up the images of a cluster by the book, without the product's code. */
export function foldImages({ pods, nodes, between }: ClusterFacts): ImageFacts {
  const facts: ImageFacts = {}
  const placements = pods.flatMap((pod) =>
    imagesOf(pod).map((use) => ({ ...use, pod, owner: ownerOf(pod, between) })),
  )
  for (const reference of new Set(placements.map(({ image }) => image))) {
    const own = placements.filter(({ image }) => image === reference)
    const count = (key: (placement: (typeof own)[number]) => string) => new Set(own.map(key)).size
    const sizes = own.flatMap(({ pod, imageID }) => {
      const node = nodes.find(({ metadata }) => metadata?.name === pod.spec?.nodeName)
      const image = node?.status?.images?.find(({ names }) => names?.includes(imageID || inFull(reference)))
      return image?.sizeBytes === undefined ? [] : [image.sizeBytes]
    })
    const uses = new Map(own.map((placement) => [useKey(placement), placement]))
    facts[reference] = {
      digests: [...new Set(own.flatMap(({ imageID }) => imageID.split('@').slice(1)))].toSorted(),
      sizeBytes: sizes.length > 0 ? Math.max(...sizes) : undefined,
      usage: {
        namespaces: count(({ pod }) => pod.metadata?.namespace ?? ''),
        workloads: count(({ owner, pod }) => [owner.kind, pod.metadata?.namespace, owner.name].join('/')),
        pods: count(({ pod }) => pod.metadata?.uid ?? ''),
        nodes: new Set(own.flatMap(({ pod }) => pod.spec?.nodeName ?? [])).size,
        by: [...uses].map(([key, { owner, pod, name, type }]) => ({
          group: owner.apiVersion.includes('/') ? owner.apiVersion.replace(/\/.*/, '') : '',
          kind: owner.kind,
          name: owner.name,
          namespace: pod.metadata?.namespace ?? '',
          container: name,
          type,
          pods: new Set(own.filter((other) => useKey(other) === key).map((other) => other.pod.metadata?.uid))
            .size,
        })),
      },
    }
  }
  return sorted(facts)
}

/** The same of the product's answer. */
export function imageFacts(images: readonly Image[]): ImageFacts {
  return sorted(
    Object.fromEntries(
      images.map(({ image, digests, sizeBytes, usage }) => [image.reference, { digests, sizeBytes, usage }]),
    ),
  )
}

/** Every image string of the pods' specs, once each and sorted. */
export function referencesOf(pods: readonly V1Pod[]): string[] {
  return [...new Set(pods.flatMap((pod) => imagesOf(pod).map(({ image }) => image)))].toSorted()
}

type Use = {
  readonly type: Image['usage']['by'][number]['type']
  readonly name: string
  readonly image: string
  readonly imageID: string
}

function imagesOf({ spec, status }: V1Pod): Use[] {
  const id = (list: readonly V1ContainerStatus[] | undefined, name: string) =>
    list?.find((entry) => entry.name === name)?.imageID ?? ''
  return [
    ...(spec?.initContainers ?? []).map(({ name, image = '', restartPolicy }) => ({
      type: restartPolicy === 'Always' ? ('sidecar' as const) : ('init' as const),
      name,
      image,
      imageID: id(status?.initContainerStatuses, name),
    })),
    ...(spec?.containers ?? []).map(({ name, image = '' }) => ({
      type: 'container' as const,
      name,
      image,
      imageID: id(status?.containerStatuses, name),
    })),
    ...(spec?.ephemeralContainers ?? []).map(({ name, image = '' }) => ({
      type: 'ephemeral' as const,
      name,
      image,
      imageID: id(status?.ephemeralContainerStatuses, name),
    })),
    ...(spec?.volumes ?? []).flatMap(({ name, image }) =>
      image ? [{ type: 'volume' as const, name, image: image.reference ?? '', imageID: '' }] : [],
    ),
  ]
}

function ownerOf(
  { metadata }: V1Pod,
  between: ClusterFacts['between'],
): Pick<V1OwnerReference, 'apiVersion' | 'kind' | 'name'> {
  const owner = controllerOf(metadata?.ownerReferences)
  if (!owner) return { apiVersion: 'v1', kind: 'Pod', name: metadata?.name ?? '' }
  const middle = between.find((candidate) => candidate.metadata?.uid === owner.uid)
  return controllerOf(middle?.metadata?.ownerReferences) ?? owner
}

function controllerOf(owners: readonly V1OwnerReference[] | undefined): V1OwnerReference | undefined {
  return owners?.find(({ controller }) => controller)
}

function useKey({
  owner,
  pod,
  type,
  name,
}: Use & { owner: { kind: string; name: string }; pod: V1Pod }): string {
  return [owner.kind, pod.metadata?.namespace, owner.name, type, name].join('/')
}

/** The order of references and of users is the product's own matter. */
function sorted(facts: ImageFacts): ImageFacts {
  return Object.fromEntries(
    Object.entries(facts)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([reference, { usage, ...rest }]) => {
        const by = usage.by.toSorted((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1))
        return [reference, { ...rest, usage: { ...usage, by } }]
      }),
  )
}
