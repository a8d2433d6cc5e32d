import { ageOf } from '../../src/core/lib/age.ts'
import { formatBytes } from '../../src/core/lib/bytes.ts'
import { shortDigest } from '../../src/core/model/image-reference.ts'
import type { Image, ImageChange, ImageEvent } from '../../src/core/wire/image.ts'
import type { ServedObject, TableColumn } from '../kit/api/resource.ts'

type Column<T> = Omit<TableColumn, 'cell'> & { readonly cell: (object: T, now: number) => string | number }

/** A reader serves objects of its own resource only. */
function columnsOf<T>(columns: readonly Column<T>[]): readonly TableColumn[] {
  return columns.map(({ cell, ...column }) => ({
    ...column,
    cell: (object: ServedObject, now: number) => cell(object as unknown as T, now),
  }))
}

const nameColumn = {
  name: 'Name',
  type: 'string',
  format: 'name',
  priority: 0,
  description: 'What the object is asked for by.',
  cell: ({ metadata }: Image | ImageEvent) => metadata?.name ?? '',
} as const

const ageColumn = {
  name: 'Age',
  type: 'string',
  priority: 0,
  description: 'How long ago it came to be.',
  cell: ({ metadata }: Image | ImageEvent, now: number) =>
    ageOf(Date.parse(metadata?.creationTimestamp ?? ''), now),
} as const

/**
 * What `kubectl get images` shows: the first screen fits 100 columns, and what an image's object says besides comes
 * with `-o wide`. As long as an image is in use its last change is its coming, which is its age.
 */
export const imageColumns: readonly TableColumn[] = columnsOf<Image>([
  nameColumn,
  {
    name: 'Image',
    type: 'string',
    priority: 0,
    description: 'The reference as pod specs write it.',
    cell: ({ image }) => image.reference,
  },
  {
    name: 'Pods',
    type: 'integer',
    priority: 0,
    description: 'How many pods use it.',
    cell: ({ usage }) => usage.pods,
  },
  {
    name: 'Workloads',
    type: 'integer',
    priority: 0,
    description: 'How many workloads these pods belong to.',
    cell: ({ usage }) => usage.workloads,
  },
  {
    name: 'Nodes',
    type: 'integer',
    priority: 0,
    description: 'On how many nodes these pods run.',
    cell: ({ usage }) => usage.nodes,
  },
  {
    name: 'Size',
    type: 'string',
    priority: 0,
    description: "Bytes on a node's disk; ? where no node reports it.",
    cell: ({ sizeBytes }) => (sizeBytes === undefined ? '?' : formatBytes(sizeBytes)),
  },
  ageColumn,
  {
    name: 'Digest',
    type: 'string',
    priority: 1,
    description: 'What really runs.',
    cell: ({ digests }) => digestCell(digests),
  },
  {
    name: 'Repository',
    type: 'string',
    priority: 1,
    description: 'Registry and repository with defaults filled in.',
    cell: ({ image }) => image.name,
  },
  {
    name: 'Tag',
    type: 'string',
    priority: 1,
    description: 'The tag, latest where the reference has none.',
    cell: ({ image }) => image.tag,
  },
  {
    name: 'Last-Change',
    type: 'string',
    priority: 1,
    description: 'The pod that brought it into use.',
    cell: ({ lastChange }, now) => (lastChange ? changeCell(lastChange, now) : ''),
  },
])

/** What `kubectl get imageevents` shows. */
export const imageEventColumns: readonly TableColumn[] = eventColumns(({ pod }) => pod.name)

/** What `kubectl get clusterimageevents` shows: pods with their namespaces. */
export const clusterImageEventColumns: readonly TableColumn[] = eventColumns(
  ({ pod }) => `${pod.namespace}/${pod.name}`,
)

function eventColumns(podCell: (event: ImageEvent) => string): readonly TableColumn[] {
  return columnsOf<ImageEvent>([
    nameColumn,
    {
      name: 'Op',
      type: 'string',
      priority: 0,
      description: '+ came into use, - went out of use.',
      cell: ({ op }) => op,
    },
    {
      name: 'Image',
      type: 'string',
      priority: 0,
      description: 'The reference as pod specs write it.',
      cell: ({ image }) => image,
    },
    {
      name: 'Pod',
      type: 'string',
      priority: 0,
      description: 'The pod that made the difference.',
      cell: podCell,
    },
    ageColumn,
    {
      name: 'Late',
      type: 'string',
      priority: 1,
      description: 'Whether it was seen only after a time in which nobody was watching.',
      cell: ({ late }) => (late ? 'late' : ''),
    },
    {
      name: 'Time',
      type: 'string',
      priority: 1,
      description: 'When it was seen.',
      cell: ({ time }) => time,
    },
  ])
}

function digestCell(digests: readonly string[]): string {
  const [first, ...others] = digests
  if (first === undefined) return '-'
  return others.length === 0 ? shortDigest(first) : `${digests.length} digests`
}

function changeCell({ op, namespace, pod, time, late }: ImageChange, now: number): string {
  return `${op} ${namespace}/${pod} ${ageOf(Date.parse(time), now)}${late ? ' (seen late)' : ''}`
}
