import { formatBytes } from '../../../core/lib/bytes.ts'
import { DeckError } from '../../../core/lib/errors.ts'
import type { ViewRow } from './views.ts'

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
  column('container', 'Container', 'container', (row) => row.container),
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

/** What kubectl-images shows without `-c`; with namespaces where all are asked, else two pods of one name look alike. */
export function defaultContainerColumns(allNamespaces: boolean): readonly ContainerColumn[] {
  return parseContainerColumns(allNamespaces ? '0,1,2,3' : '1,2,3')
}

/** Names that `-c` takes beside the numbers 0 to 5. */
export const CONTAINER_COLUMN_NAMES: readonly string[] = CONTAINER_COLUMNS.map(({ name }) => name)

/** Reads the value of `-c`: numbers and names, separated by commas; a DeckError USAGE names what is no column. */
export function parseContainerColumns(list: string): readonly ContainerColumn[] {
  return list.split(',').map((item) => {
    const word = item.trim().toLowerCase()
    const found = /^[0-5]$/.test(word)
      ? CONTAINER_COLUMNS[Number(word)]
      : CONTAINER_COLUMNS.find(({ name, title }) => word === name || word === title.toLowerCase())
    if (found) return found
    throw new DeckError('USAGE', `--columns: there is no column ${JSON.stringify(item.trim())}`, {
      hint: `Columns are 0 to 5 or ${CONTAINER_COLUMN_NAMES.join(', ')}, separated by commas.`,
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
