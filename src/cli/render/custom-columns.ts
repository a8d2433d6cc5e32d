import { DeckError } from '../../core/lib/errors.ts'
import { visible } from '../../core/lib/text.ts'
import type { Chunks } from './chunks.ts'
import { renderColumns } from './columns.ts'
import { goText } from './go-value.ts'
import { findJsonPath, parseRelaxedPath } from './jsonpath.ts'
import type { JsonPath } from './jsonpath.ts'
import type { Palette } from './palette.ts'

/** One column of `-o custom-columns=`. */
export interface CustomColumn {
  readonly title: string
  readonly path: JsonPath
}

/** How custom columns are written. */
export interface CustomColumnsOptions {
  readonly palette?: Palette
  readonly noHeaders?: boolean
}

/** Parses `NAME:.metadata.name,TAG:.image.tag`; a fault is a DeckError USAGE. */
export function parseCustomColumns(spec: string): readonly CustomColumn[] {
  if (spec === '') throw wrong('custom-columns needs at least one column')
  return splitColumns(spec).map((column) => {
    const colon = column.indexOf(':')
    if (colon < 0) throw wrong(`the custom column "${visible(column)}" has no path`)
    return { title: column.slice(0, colon), path: parseRelaxedPath(column.slice(colon + 1)) }
  })
}

/** One row for each item: what the column's path finds, joined by commas, or `<none>`; titles as they were given. */
export function renderCustomColumns(
  columns: readonly CustomColumn[],
  items: readonly unknown[],
  { palette, noHeaders = false }: CustomColumnsOptions = {},
): Chunks {
  const rows = items.map((item) => columns.map(({ path }) => columnText(findJsonPath(path, item).flat())))
  return renderColumns(columns, rows, { ...(palette && { palette }), noHeaders, keepCase: true })
}

function columnText(values: readonly unknown[]): string {
  return values.length === 0 ? '<none>' : values.map(goText).join(',')
}

/** Splits at commas outside brackets; kubectl splits at all, so that a union can be no column there. */
function splitColumns(spec: string): string[] {
  const columns = ['']
  let depth = 0
  for (const character of spec) {
    if (character === '[') depth += 1
    else if (character === ']') depth -= 1
    if (character === ',' && depth === 0) columns.push('')
    else columns[columns.length - 1] += character
  }
  return columns
}

function wrong(message: string): DeckError {
  return new DeckError('USAGE', message, { hint: 'Write them like NAME:.metadata.name,TAG:.image.tag.' })
}
