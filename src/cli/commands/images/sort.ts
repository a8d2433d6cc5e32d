import { DeckError } from '../../../core/lib/errors.ts'
import type { Image } from '../../../core/wire/image.ts'
import { viewColumns } from '../../features/images/columns.ts'
import { sortByValue } from '../../features/images/sort-rows.ts'
import type { ViewName, ViewRow } from '../../features/images/views.ts'

/** What `--sort-by` and `--reverse` ask. */
export interface SortOrder {
  /** A column's name, or a JSONPath where it begins with `.` or `{`; undefined for the view's own order. */
  readonly by: string | undefined
  readonly reverse: boolean
}

/** Sorts what a view shows: its rows, or the Image objects of `-o json`. */
export interface Sorter {
  rows(rows: readonly ViewRow[]): readonly ViewRow[]
  images(images: readonly Image[]): readonly Image[]
}

// Left out of objects where nodes do not tell, which is no reason to refuse.
const OPTIONAL_FIELD = /^\{?\.(?:sizeBytes|unknownSizes)\}?$/

// Where an Image object keeps what a column shows.
const IMAGE_VALUES: Readonly<Record<string, (image: Image) => string | number | undefined>> = {
  image: ({ image }) => image.name,
  tag: ({ image }) => image.tag,
  digest: ({ digests }) => digests.join(),
  pods: ({ usage }) => usage.pods,
  workloads: ({ usage }) => usage.workloads,
  namespaces: ({ usage }) => usage.namespaces,
  nodes: ({ usage }) => usage.nodes,
  size: ({ sizeBytes }) => sizeBytes,
  references: ({ image }) => image.reference,
  usedBy: ({ usage }) => usage.by.map(({ name }) => name).join(),
}

/** Checks `--sort-by` before anything is asked; DeckError USAGE names the columns there are. */
export async function createSorter({ by, reverse }: SortOrder, view: ViewName): Promise<Sorter> {
  if (by === undefined) {
    const inOrder = <Item>(items: readonly Item[]): readonly Item[] => (reverse ? items.toReversed() : items)
    return { rows: inOrder, images: inOrder }
  }
  if (/^[.{]/.test(by)) {
    const { findJsonPath, parseRelaxedPath } = await import('../../render/jsonpath.ts')
    const path = parseRelaxedPath(by, '--sort-by')
    const sortFound = <Item>(items: readonly Item[]): readonly Item[] => {
      const values = new Map(items.map((item) => [item, findJsonPath(path, item).flat()[0]]))
      const absent = items.length > 0 && [...values.values()].every((value) => value === undefined)
      if (absent && !OPTIONAL_FIELD.test(by)) {
        throw new DeckError('USAGE', `--sort-by ${by}: no row has such a field`, {
          hint: `Fields of a row: ${Object.keys(items[0] ?? {}).join(', ')}`,
        })
      }
      return sortByValue(items, (item) => values.get(item), reverse)
    }
    return { rows: sortFound, images: sortFound }
  }
  const columns = viewColumns(view, { allNamespaces: true, wide: true })
  const wanted = by.toLowerCase().replaceAll(/[ _-]/g, '')
  const column = columns.find(({ key, header }) =>
    [key, header].some((name) => name.toLowerCase().replaceAll(' ', '') === wanted),
  )
  if (!column) {
    throw new DeckError('USAGE', `--sort-by: rows by ${view} have no column ${JSON.stringify(by)}`, {
      hint: `Columns: ${columns.map(({ key }) => key).join(', ')}; or a JSONPath such as {.sizeBytes}`,
    })
  }
  return {
    rows: (rows) => sortByValue(rows, column.value, reverse),
    images: (images) => sortByValue(images, (image) => IMAGE_VALUES[column.key]?.(image), reverse),
  }
}
