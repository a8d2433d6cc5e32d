import type { ImageReference } from '../../../core/model/image-reference.ts'
import type { Placement } from '../../../core/model/image-usage.ts'
import { groupPlacements, summarise, type UsageSummary } from '../../../core/model/image-usage.ts'
import type { NodeImages } from '../../../core/model/node-images.ts'
import { workloadRef } from '../../../core/model/workload-owner.ts'
import type { ContainerType, PodSlice } from '../../../core/wire/pod.ts'

/** By what `kubectl images` makes its rows. */
export const VIEW_NAMES = ['image', 'container', 'pod', 'workload', 'node', 'registry', 'namespace'] as const

/** One of VIEW_NAMES. */
export type ViewName = (typeof VIEW_NAMES)[number]

/** One row as plain data: what `-o json` prints, what is sorted by, and what cells are made from. */
export interface ViewRow {
  readonly namespace?: string
  readonly workload?: string
  readonly node?: string
  readonly registry?: string
  readonly pod?: string
  readonly container?: string
  readonly type?: ContainerType
  /** Normalised name; in rows by container the spec's string. */
  readonly image?: string
  readonly tag?: string
  /** Every spelling of the image in pod specs. */
  readonly references?: readonly string[]
  /** How the image is used, where it is used in one way only. */
  readonly types?: readonly ContainerType[]
  readonly digests?: readonly string[]
  /** The digest that the reference itself names, whether it runs yet or not. */
  readonly pinned?: string
  readonly imagePullPolicy?: string
  readonly images?: number
  readonly pods?: number
  readonly workloads?: number
  readonly namespaces?: number
  readonly nodes?: number
  readonly usedBy?: readonly { readonly namespace: string; readonly workload: string }[]
  readonly sizeBytes?: number
  /** How many images have no known size, so that `sizeBytes` is less than the truth. */
  readonly unknownSizes?: number
}

/** Makes a view's rows, sorted by what identifies them. */
export function viewRows(
  view: ViewName,
  placements: readonly Placement[],
  nodes: NodeImages | undefined,
): ViewRow[] {
  switch (view) {
    case 'image':
      return rows(placements, nodes, ({ image }) => image.key, imageRow)
    case 'container':
      return placements.map((placement) => containerRow(placement, nodes)).toSorted(byIdentity)
    case 'pod':
      return rows(placements, nodes, ({ pod, image }) => `${pod.uid} ${image.key}`, podRow)
    case 'workload':
      return rows(placements, nodes, workloadKey, workloadRow)
    case 'node':
      return rows(
        placements,
        nodes,
        ({ pod }) => pod.nodeName,
        ({ pod }, summary) => ({
          ...nodeOf(pod),
          images: summary.images,
          pods: summary.pods,
          workloads: summary.workloads,
          namespaces: summary.namespaces,
          ...size(summary),
        }),
      )
    case 'registry':
      return rows(
        placements,
        nodes,
        ({ image }) => image.registry,
        ({ image }, summary) => ({
          registry: image.registry,
          images: summary.images,
          pods: summary.pods,
          workloads: summary.workloads,
          namespaces: summary.namespaces,
          nodes: summary.nodes,
          ...size(summary),
        }),
      )
    case 'namespace':
      return rows(
        placements,
        nodes,
        ({ pod }) => pod.namespace,
        ({ pod }, summary) => ({
          namespace: pod.namespace,
          images: summary.images,
          pods: summary.pods,
          workloads: summary.workloads,
          nodes: summary.nodes,
          ...size(summary),
        }),
      )
  }
}

type MakeRow = (first: Placement, summary: UsageSummary, group: readonly Placement[]) => ViewRow

function rows(
  placements: readonly Placement[],
  nodes: NodeImages | undefined,
  keyOf: (placement: Placement) => string,
  makeRow: MakeRow,
): ViewRow[] {
  return [...groupPlacements(placements, keyOf).values()]
    .flatMap((group) => (group[0] ? [makeRow(group[0], summarise(group, nodes), group)] : []))
    .toSorted(byIdentity)
}

const imageRow: MakeRow = ({ image }, summary, group) => ({
  image: image.name,
  tag: image.tag,
  ...pinned(image),
  references: distinct(group.map((placement) => placement.use.image)),
  types: distinct(group.map((placement) => placement.use.type)),
  digests: summary.digests,
  pods: summary.pods,
  workloads: summary.workloads,
  namespaces: summary.namespaces,
  nodes: summary.nodes,
  ...size(summary),
  usedBy: usedBy(group),
})

const podRow: MakeRow = ({ pod, image }, summary, group) => ({
  namespace: pod.namespace,
  pod: pod.name,
  image: image.name,
  tag: image.tag,
  ...pinned(image),
  types: distinct(group.map((placement) => placement.use.type)),
  digests: summary.digests,
  ...nodeOf(pod),
  ...size(summary),
})

const workloadRow: MakeRow = ({ workload, image }, summary, group) => ({
  namespace: workload.namespace,
  workload: workloadRef(workload),
  image: image.name,
  tag: image.tag,
  ...pinned(image),
  types: distinct(group.map((placement) => placement.use.type)),
  digests: summary.digests,
  pods: summary.pods,
  nodes: summary.nodes,
  ...size(summary),
})

function workloadKey({ workload, image }: Placement): string {
  return `${workload.namespace} ${workload.group} ${workload.kind} ${workload.name} ${image.key}`
}

function containerRow(
  { pod, use, running, image, workload }: Placement,
  nodes: NodeImages | undefined,
): ViewRow {
  const sizeBytes = nodes?.size(pod.nodeName, image, running)
  return {
    namespace: pod.namespace,
    pod: pod.name,
    container: use.name,
    type: use.type,
    image: use.image,
    tag: image.tag,
    ...pinned(image),
    imagePullPolicy: use.pullPolicy,
    digests: running ? [running.digest] : [],
    ...(sizeBytes === undefined ? {} : { sizeBytes }),
    ...nodeOf(pod),
    workload: workloadRef(workload),
    registry: image.registry,
  }
}

/** A container's name, after `(init) ` and the like where it is no ordinary one, as kubectl-images writes it. */
export function prefixedContainer({ container = '', type = 'container' }: ViewRow): string {
  return type === 'container' ? container : `(${type}) ${container}`
}

function pinned({ digest }: ImageReference): ViewRow {
  return digest ? { pinned: digest } : {}
}

// A pod that no node has taken yet has none.
function nodeOf({ nodeName }: PodSlice): ViewRow {
  return nodeName ? { node: nodeName } : {}
}

function usedBy(group: readonly Placement[]): NonNullable<ViewRow['usedBy']> {
  const named = [...new Set(group.map(({ workload }) => workload))].map((workload) => ({
    namespace: workload.namespace,
    workload: workloadRef(workload),
  }))
  // The ReplicaSets of one Deployment are objects of their own.
  return sortByIdentity([...new Map(named.map((row) => [`${row.namespace} ${row.workload}`, row])).values()])
}

function size({ sizeBytes, unknownSizes }: UsageSummary): ViewRow {
  return {
    ...(sizeBytes === undefined ? {} : { sizeBytes }),
    ...(unknownSizes > 0 ? { unknownSizes } : {}),
  }
}

function distinct<Text extends string>(values: readonly Text[]): Text[] {
  return [...new Set(values)].toSorted((a, b) => (a < b ? -1 : 1))
}

// Whole, so that rows do not depend on the order of pods: of one image pinned to two digests each has a row.
const IDENTITY = ['namespace', 'workload', 'pod', 'node', 'registry', 'image', 'tag', 'pinned'] as const

/** Rows, or parts of them, in the order of every view: by what identifies them. */
export function sortByIdentity<Row extends ViewRow>(unsorted: readonly Row[]): Row[] {
  return unsorted.toSorted(byIdentity)
}

function byIdentity(a: ViewRow, b: ViewRow): number {
  // Containers of one pod stay in the order of its spec: toSorted is stable.
  const keys = a.container === undefined ? IDENTITY : (['namespace', 'pod'] as const)
  for (const key of keys) {
    const [left, right] = [a[key] ?? '', b[key] ?? '']
    if (left !== right) return left < right ? -1 : 1
  }
  return 0
}
