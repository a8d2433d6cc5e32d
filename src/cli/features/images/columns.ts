import { formatBytes } from '../../../core/lib/bytes.ts'
import { shortDigest } from '../../../core/model/image-reference.ts'
import { prefixedContainer, type ViewName, type ViewRow } from './views.ts'

/** One column of a view: where its value comes from and how people read it. */
export interface ViewColumn {
  /** What `--sort-by` and the first line of `-o csv` call it. */
  readonly key: string
  readonly header: string
  readonly align?: 'right'
  /** As people read it: `67 MiB`, `2 digests (!)`, `-`. */
  readonly cell: (row: ViewRow) => string
  /** As machines read it, and as rows are compared: bytes, whole digests; undefined where unknown. */
  readonly value: (row: ViewRow) => string | number | undefined
}

/** How far a view's columns go. */
export interface ColumnChoice {
  readonly allNamespaces: boolean
  readonly wide: boolean
}

/** The columns of a view in their order on the screen. */
export function viewColumns(view: ViewName, { allNamespaces, wide }: ColumnChoice): readonly ViewColumn[] {
  const inAll = (...columns: ViewColumn[]): ViewColumn[] => (allNamespaces ? columns : [])
  const ifWide = (...columns: ViewColumn[]): ViewColumn[] => (wide ? columns : [])
  const digest = wide ? FULL_DIGEST : DIGEST
  switch (view) {
    case 'image':
      return [
        IMAGE,
        TAG,
        digest,
        PODS,
        WORKLOADS,
        ...inAll(NAMESPACES),
        NODES,
        SIZE,
        ...ifWide(REFERENCES, allNamespaces ? USED_BY_ANYWHERE : USED_BY),
      ]
    case 'container':
      return [
        ...inAll(NAMESPACE),
        POD,
        CONTAINER,
        wide ? SPEC_IMAGE : SHORT_SPEC_IMAGE,
        digest,
        ...ifWide(SIZE, PULL_POLICY, NODE, WORKLOAD),
      ]
    case 'pod':
      return [...inAll(NAMESPACE), POD, IMAGE, TAG, digest, NODE, ...ifWide(SIZE)]
    case 'workload':
      return [...inAll(NAMESPACE), WORKLOAD, IMAGE, TAG, digest, PODS, NODES, SIZE]
    case 'node':
      return [NODE, IMAGES, PODS, WORKLOADS, ...inAll(NAMESPACES), SIZE]
    case 'registry':
      return [REGISTRY, IMAGES, PODS, WORKLOADS, ...inAll(NAMESPACES), NODES, SIZE]
    case 'namespace':
      return [NAMESPACE, IMAGES, PODS, WORKLOADS, NODES, SIZE]
  }
}

function text(key: string, header: string, value: (row: ViewRow) => string | undefined): ViewColumn {
  return { key, header, cell: (row) => value(row) || '-', value }
}

function number(key: string, header: string, value: (row: ViewRow) => number | undefined): ViewColumn {
  return { key, header, align: 'right', cell: (row) => String(value(row) ?? '-'), value }
}

const NAMESPACE = text('namespace', 'NAMESPACE', (row) => row.namespace)
const POD = text('pod', 'POD', (row) => row.pod)
const CONTAINER: ViewColumn = {
  ...text('container', 'CONTAINER', (row) => row.container),
  cell: prefixedContainer,
}
const WORKLOAD = text('workload', 'WORKLOAD', (row) => row.workload)
const NODE = text('node', 'NODE', (row) => row.node)
const REGISTRY = text('registry', 'REGISTRY', (row) => row.registry)
const TAG: ViewColumn = {
  ...text('tag', 'TAG', (row) => row.tag),
  // What is pinned by digest alone has no other name until it runs.
  cell: ({ tag, pinned }) => tag || (pinned ? `@${shortDigest(pinned)}` : '-'),
}
const PULL_POLICY = text('policy', 'POLICY', (row) => row.imagePullPolicy)
const SPEC_IMAGE = text('image', 'IMAGE', (row) => row.image)
// With 64 digits in it a row is wider than most terminals; -o wide and -c have them all.
const SHORT_SPEC_IMAGE: ViewColumn = {
  ...SPEC_IMAGE,
  cell: ({ image = '' }) => image.replace(/(@[a-z0-9]+:[0-9a-f]{12})[0-9a-f]+$/, '$1…') || '-',
}
const REFERENCES = text('references', 'REFERENCES', (row) => row.references?.join(','))
const USED_BY = text('usedBy', 'USED BY', (row) => row.usedBy?.map(({ workload }) => workload).join(','))
const USED_BY_ANYWHERE = text('usedBy', 'USED BY', (row) =>
  row.usedBy?.map(({ namespace, workload }) => `${workload} (${namespace})`).join(','),
)
const IMAGES = number('images', 'IMAGES', (row) => row.images)
const PODS = number('pods', 'PODS', (row) => row.pods)
const WORKLOADS = number('workloads', 'WORKLOADS', (row) => row.workloads)
const NAMESPACES = number('namespaces', 'NS', (row) => row.namespaces)
const NODES = number('nodes', 'NODES', (row) => row.nodes)

const IMAGE: ViewColumn = {
  key: 'image',
  header: 'IMAGE',
  // What an image is only ever used as is worth a word; a container needs none.
  cell: ({ image, types = [] }) =>
    `${image || '-'}${types.length === 1 && types[0] !== 'container' ? ` (${types[0]})` : ''}`,
  value: (row) => row.image,
}

const DIGEST: ViewColumn = {
  key: 'digest',
  header: 'DIGEST',
  cell: ({ digests = [] }) =>
    digests.length > 1 ? `${digests.length} digests (!)` : shortDigest(digests[0] ?? '-'),
  value: ({ digests = [] }) => digests.join() || undefined,
}

const FULL_DIGEST: ViewColumn = {
  ...DIGEST,
  cell: ({ digests = [] }) => digests.join() || '-',
}

const SIZE: ViewColumn = {
  key: 'size',
  header: 'SIZE',
  align: 'right',
  cell: ({ sizeBytes, unknownSizes = 0 }) =>
    sizeBytes === undefined ? '?' : `${unknownSizes > 0 ? '>' : ''}${formatBytes(sizeBytes)}`,
  value: (row) => row.sizeBytes,
}
