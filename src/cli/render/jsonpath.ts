import { DeckError } from '../../core/lib/errors.ts'
import { visible, visibleLines } from '../../core/lib/text.ts'
import { gatherChunks } from './chunks.ts'
import type { Chunks } from './chunks.ts'
import { goJson, goText } from './go-value.ts'
import { evaluateTemplate } from './jsonpath-evaluate.ts'
import { parseTemplate } from './jsonpath-parse.ts'
import type { TemplateNode } from './jsonpath-parse.ts'

/** A parsed template of kubectl's JSONPath. */
export type JsonPath = readonly TemplateNode[]

/** How the values that a template finds are printed. */
export interface JsonPathOptions {
  /** Output goes to a terminal: values are made visible, the template's own text stays. */
  readonly isTTY?: boolean
}

/**
 * Parses the argument of `-o jsonpath=`. Without any brace it is read as a path, `.metadata.name`, where kubectl would
 * print the argument itself. DeckError USAGE with the position of a fault.
 */
export function parseJsonPath(template: string): JsonPath {
  if (template === '') throw new DeckError('USAGE', 'jsonpath needs a template', { hint: RELAXED_HINT })
  return parseTemplate(template.includes('{') ? template : relaxedTemplate(template))
}

/**
 * Parses a single path as kubectl's --sort-by and custom-columns take it: `metadata.name`, `.metadata.name`, `{…}`; a
 * fault names the flag.
 */
export function parseRelaxedPath(path: string, flag?: string): JsonPath {
  return parseTemplate(relaxedTemplate(path, flag))
}

/** What each part of the template finds in a value, in the order of output; missing keys find nothing. */
export function findJsonPath(path: JsonPath, value: unknown): readonly (readonly unknown[])[] {
  return [...evaluateTemplate(path, value)].map(({ values }) => values)
}

/**
 * A value through a template, byte for byte as `kubectl -o jsonpath` prints it, without a line feed at the end. It is
 * evaluated as a whole first, so that a fault leaves no half output.
 */
export function renderJsonPath(
  path: JsonPath,
  value: unknown,
  { isTTY = false }: JsonPathOptions = {},
): Chunks {
  const results = [...evaluateTemplate(path, value)]
  const show = (found: unknown): string => (isTTY ? visibleLines(printed(found)) : printed(found))
  return gatherChunks(
    results.map(({ values, literal }) =>
      values.map((found) => (literal ? printed(found) : show(found))).join(' '),
    ),
  )
}

function printed(value: unknown): string {
  if (value === null) return 'null'
  return typeof value === 'object' ? goJson(value) : goText(value)
}

const RELAXED_HINT = "Write it like '{.items[*].metadata.name}'."

function relaxedTemplate(path: string, flag?: string): string {
  const [, inBraces, bare] = /^\{\.?([^{}]+)\}$|^\.?([^{}]+)$/.exec(path) ?? []
  const field = inBraces ?? bare
  if (field === undefined) {
    throw new DeckError('USAGE', `${flag ? `${flag}: ` : ''}"${visible(path)}" is not a path of fields`, {
      hint: 'Write it like .metadata.name or {.metadata.name}.',
    })
  }
  return `{.${field}}`
}
