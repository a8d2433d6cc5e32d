import type { ImageUse } from '../wire/image.ts'
import type { PodImage, PodSlice } from '../wire/pod.ts'
import {
  parseImageID,
  parseImageReference,
  type ImageReference,
  type RunningImage,
} from './image-reference.ts'
import type { NodeImages } from './node-images.ts'
import { workloadOf, type KnownOwners, type Workload } from './workload-owner.ts'

/** One place where an image is used: a container or image volume of one pod of one workload. */
export interface Placement {
  readonly pod: PodSlice
  readonly use: PodImage
  readonly image: ImageReference
  /** Undefined before the image was pulled, and for image volumes. */
  readonly running: RunningImage | undefined
  readonly workload: Workload
}

/** Which placements to keep: all those whose pod name or image matches; `on` narrows to one of the two. */
export interface ImageMatch {
  readonly pattern: RegExp
  readonly on: 'pod' | 'image' | 'either'
}

/** What a list of placements is made with. */
export interface PlacementOptions {
  readonly match?: ImageMatch | undefined
  readonly owners?: KnownOwners | undefined
  /** Leave out pods that have finished (phase Succeeded or Failed). */
  readonly runningOnly?: boolean
}

/** Whether a pod's containers have all ended for good; it still refers to its images until it is deleted. */
export function isFinished(pod: PodSlice): boolean {
  return pod.phase === 'Succeeded' || pod.phase === 'Failed'
}

/** Spreads pods into placements, in the order of the pods; call `add` with each batch as it comes in. */
export class Placements {
  readonly all: Placement[] = []
  readonly #options: PlacementOptions
  // A cluster repeats a few hundred image strings over thousands of pods.
  readonly #references = new Map<string, ImageReference>()
  readonly #running = new Map<string, RunningImage | undefined>()
  readonly #workloads = new Map<string, { readonly templateHash: string; readonly workload: Workload }>()

  constructor(options: PlacementOptions) {
    this.#options = options
  }

  /** Adds the placements of one pod that the options let through. */
  add(pod: PodSlice): void {
    const { match, runningOnly } = this.#options
    if (runningOnly && isFinished(pod)) return
    let workload: Workload | undefined
    for (const use of pod.images) {
      const image = this.#reference(use.image)
      if (match && !matches(match, pod.name, image)) continue
      workload ??= this.#workload(pod)
      this.all.push({ pod, use, image, running: this.#runningImage(use.imageID), workload })
    }
  }

  /** The pods of one ReplicaSet share one object, so that many of them are counted by few names. */
  #workload(pod: PodSlice): Workload {
    const { owner, templateHash, namespace } = pod
    if (owner?.kind !== 'ReplicaSet') return workloadOf(pod, this.#options.owners)
    const known = this.#workloads.get(owner.uid)
    // Somebody may have changed the label of a single pod.
    if (known?.templateHash === templateHash && known.workload.namespace === namespace) return known.workload
    const workload = workloadOf(pod, this.#options.owners)
    this.#workloads.set(owner.uid, { templateHash, workload })
    return workload
  }

  #reference(text: string): ImageReference {
    let parsed = this.#references.get(text)
    if (!parsed) this.#references.set(text, (parsed = parseImageReference(text)))
    return parsed
  }

  #runningImage(imageID: string): RunningImage | undefined {
    if (!this.#running.has(imageID)) this.#running.set(imageID, parseImageID(imageID))
    return this.#running.get(imageID)
  }
}

function matches(match: ImageMatch, podName: string, image: ImageReference): boolean {
  return (match.on !== 'image' && match.pattern.test(podName)) || imageMatches(match, image)
}

/** Whether an image matches by itself, whatever the names of its pods. */
export function imageMatches({ pattern, on }: ImageMatch, image: ImageReference): boolean {
  // The spelling of the spec and the normal form both: people search for what they wrote and for what they saw.
  return on !== 'pod' && (pattern.test(image.reference) || pattern.test(image.key))
}

/** The pod reduced to the images that match; without a match, the pod itself. */
export function matchingImages(pod: PodSlice, match: ImageMatch | undefined): PodSlice {
  if (!match) return pod
  return {
    ...pod,
    images: pod.images.filter(({ image }) => matches(match, pod.name, parseImageReference(image))),
  }
}

/** How widely a group of placements is spread. */
export interface UsageSummary {
  /** Different images by name, tag and pinned digest. */
  readonly images: number
  readonly pods: number
  readonly workloads: number
  readonly namespaces: number
  readonly nodes: number
  /** The manifest digests that run, sorted; bare image ids only where no digest is known. */
  readonly digests: readonly string[]
  /** Bytes of the group's different images, each counted once at its largest; undefined where none is known. */
  readonly sizeBytes: number | undefined
  /** How many different images have no known size. */
  readonly unknownSizes: number
}

/** Counts what a group of placements uses; without `nodes` every size is unknown. */
export function summarise(group: readonly Placement[], nodes?: NodeImages): UsageSummary {
  const pods = new Set<string>()
  const workloads = new Set<Workload>()
  const namespaces = new Set<string>()
  const nodeNames = new Set<string>()
  const digests = new Set<string>()
  const ids = new Set<string>()
  const sizes = new Map<string, number | undefined>()
  for (const { pod, image, running, workload } of group) {
    pods.add(pod.uid)
    workloads.add(workload)
    namespaces.add(pod.namespace)
    if (pod.nodeName) nodeNames.add(pod.nodeName)
    if (running) (running.manifest ? digests : ids).add(running.digest)
    sizes.set(image.key, larger(sizes.get(image.key), nodes?.size(pod.nodeName, image, running)))
  }
  const known = [...sizes.values()].filter((size) => size !== undefined)
  return {
    images: sizes.size,
    pods: pods.size,
    workloads: new Set([...workloads].map(workloadKey)).size,
    namespaces: namespaces.size,
    nodes: nodeNames.size,
    digests: [...(digests.size > 0 ? digests : ids)].toSorted(),
    sizeBytes: known.length > 0 ? known.reduce((sum, size) => sum + size, 0) : undefined,
    unknownSizes: sizes.size - known.length,
  }
}

function workloadKey({ group, kind, namespace, name }: Workload): string {
  return `${group}/${kind}/${namespace}/${name}`
}

function larger(a: number | undefined, b: number | undefined): number | undefined {
  if (a === undefined || b === undefined) return a ?? b
  return Math.max(a, b)
}

/** Groups placements by a key, keeping the order in which keys first appear. */
export function groupPlacements(
  placements: readonly Placement[],
  keyOf: (placement: Placement) => string,
): Map<string, Placement[]> {
  const groups = new Map<string, Placement[]>()
  for (const placement of placements) {
    const key = keyOf(placement)
    const group = groups.get(key)
    if (group) group.push(placement)
    else groups.set(key, [placement])
  }
  return groups
}

/** The workloads' containers behind a group of placements, each with its number of pods, most pods first. */
export function imageUses(group: readonly Placement[]): ImageUse[] {
  // Pods of one ReplicaSet share its object, so that long names are put together once for each of them.
  const containers = new Map<Workload, Map<string, { use: PodImage; pods: Set<string> }>>()
  for (const { workload, use, pod } of group) {
    let own = containers.get(workload)
    if (!own) containers.set(workload, (own = new Map()))
    const key = `${use.type} ${use.name}`
    const entry = own.get(key)
    if (entry) entry.pods.add(pod.uid)
    else own.set(key, { use, pods: new Set([pod.uid]) })
  }
  const uses = new Map<string, { workload: Workload; use: PodImage; pods: Set<string> }>()
  for (const [workload, own] of containers) {
    for (const [container, { use, pods }] of own) {
      const key = `${workloadKey(workload)} ${container}`
      const entry = uses.get(key)
      if (entry) for (const pod of pods) entry.pods.add(pod)
      else uses.set(key, { workload, use, pods })
    }
  }
  return [...uses.values()]
    .map(({ workload, use, pods }) => ({
      group: workload.group,
      kind: workload.kind,
      name: workload.name,
      namespace: workload.namespace,
      container: use.name,
      type: use.type,
      pods: pods.size,
    }))
    .toSorted((a, b) => b.pods - a.pods || compareUses(a, b))
}

const USE_ORDER = ['namespace', 'name', 'kind', 'group', 'container', 'type'] as const

/** Whole, so that the same pods in any order give the same objects. */
function compareUses(a: ImageUse, b: ImageUse): number {
  for (const key of USE_ORDER) {
    const order = compare(a[key], b[key])
    if (order !== 0) return order
  }
  return 0
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
