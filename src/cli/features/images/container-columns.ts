import { formatBytes } from '../../../core/lib/bytes.ts'
import { DeckError } from '../../../core/lib/errors.ts'
import { prefixedContainer, type ViewRow } from './views.ts'

/** One column of `-c`: title and JSON key are those of kubectl-images, which scripts know. */
export interface ContainerColumn {
  readonly name: string
  readonly title: string
  readonly jsonKey: string
  readonly value: (row: ViewRow) => string
}

// The first six are kubectl-images' columns 0 to 5, in its numbering.
const CONTAINER_COLUMNS: readonly ContainerColumn[] = [
  column('namespace', 'Namespace', 'namespace', (row) => row.namespace),
  column('pod', 'Pod', 'pod', (row) => row.pod),
  column('container', 'Container', 'container', prefixedContainer),
  column('image', 'Image', 'image', (row) => row.image),
  column('policy', 'ImagePullPolicy', 'imagePullPolicy', (row) => row.imagePullPolicy),
  column('size', 'ImageSize', 'imageSize', ({ sizeBytes }) =>
    sizeBytes === undefined ? '?' : formatBytes(sizeBytes),
  ),
  column('digest', 'Digest', 'digest', (row) => row.digests?.[0]),
  column('node', 'Node', 'node', (row) => row.node),
  column('workload', 'Workload', 'workload', (row) => row.workload),
]

function column(
  name: string,
  title: string,
  jsonKey: string,
  value: (row: ViewRow) => string | undefined,
): ContainerColumn {
  return { name, title, jsonKey, value: (row) => value(row) ?? '' }
}

/** What `--unique` shows without `-c`: a pod's name would make every row different. */
export function uniqueContainerColumns(allNamespaces: boolean): readonly ContainerColumn[] {
  return parseContainerColumns(allNamespaces ? '0,2,3' : '2,3')
}

/** Reads the value of `-c`: numbers and names, separated by commas; a DeckError USAGE names what is no column. */
export function parseContainerColumns(list: string): readonly ContainerColumn[] {
  return list.split(',').map((item) => {
    const word = item.trim().toLowerCase()
    const found = /^[0-5]$/.test(word)
      ? CONTAINER_COLUMNS[Number(word)]
      : CONTAINER_COLUMNS.find(({ name, title }) => word === name || word === title.toLowerCase())
    if (found) return found
    throw new DeckError('USAGE', `--columns: there is no column ${JSON.stringify(item.trim())}`, {
      hint: `Columns are 0 to 5 or ${CONTAINER_COLUMNS.map(({ name }) => name).join(', ')}, separated by commas.`,
    })
  })
}

/** The rows reduced to the chosen columns, each different combination once (`--unique`). */
export function uniqueRows(rows: readonly ViewRow[], columns: readonly ContainerColumn[]): ViewRow[] {
  const seen = new Set<string>()
  return rows.filter((row) => {
    const key = JSON.stringify(columns.map(({ value }) => value(row)))
    return !seen.has(key) && seen.add(key)
  })
}

/** One row under the keys of kubectl-images; what is empty or unknown is left out, as there. */
export function containerObject(row: ViewRow, columns: readonly ContainerColumn[]): Record<string, string> {
  return Object.fromEntries(
    columns
      .map(({ jsonKey, value }) => [jsonKey, value(row)] as const)
      .filter(([, value]) => value !== '' && value !== '?'),
  )
}
