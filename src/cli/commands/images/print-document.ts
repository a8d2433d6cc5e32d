import type { DeckList } from '../../../core/wire/image.ts'
import type { OutputFormat } from './options.ts'

/** Writes a list as text, in pieces. */
export type DocumentPrinter = (list: DeckList<unknown>) => AsyncIterable<string> | Iterable<string>

/** The printer of a format that prints objects; its template is checked now, before anything is asked. */
export async function createDocumentPrinter(
  format: OutputFormat,
  { noHeaders, isTTY }: { readonly noHeaders: boolean; readonly isTTY: boolean },
): Promise<DocumentPrinter | undefined> {
  switch (format.type) {
    case 'json':
    case 'yaml': {
      const { renderJson, renderYaml } = await import('../../render/structured.ts')
      return format.type === 'json' ? renderJson : renderYaml
    }
    case 'jsonpath': {
      const { parseJsonPath, renderJsonPath } = await import('../../render/jsonpath.ts')
      const path = parseJsonPath(format.template)
      return (list) => renderJsonPath(path, list, { isTTY })
    }
    case 'custom-columns': {
      const { parseCustomColumns, renderCustomColumns } = await import('../../render/custom-columns.ts')
      const columns = parseCustomColumns(format.template)
      return ({ items }) => renderCustomColumns(columns, items, { noHeaders })
    }
    case 'table':
    case 'wide':
    case 'csv':
    case 'name':
      return undefined
  }
}
