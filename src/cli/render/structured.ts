import { replaceUnseen } from '../../core/lib/text.ts'
import { stringifyYaml } from '../../core/lib/yaml.ts'
import { gatherChunks } from './chunks.ts'
import type { Chunks } from './chunks.ts'

const INDENT = '    '

/**
 * A value as JSON in kubectl's form, indented by four blanks. A list, or an object with `items`, is written item by
 * item. Invisible characters are written as \u escapes: the same value, and safe on a terminal.
 */
export function renderJson(value: unknown): Chunks {
  return gatherChunks(jsonLines(value))
}

/** A value as one line of JSON Lines, with its line feed. */
export function renderJsonLine(value: unknown): string {
  return `${escapeJson(JSON.stringify(value))}\n`
}

/** A value as YAML; a list, or an object with `items`, is written item by item. Escaped as in `renderJson`. */
export async function* renderYaml(value: unknown): AsyncGenerator<string, void> {
  if (Array.isArray(value) && value.length > 0) {
    yield* yamlItems(value)
  } else if (isList(value) && value.items.length > 0) {
    const { items, ...head } = value
    if (Object.keys(head).length > 0) yield await yamlText(head)
    yield 'items:\n'
    yield* yamlItems(items)
  } else {
    yield await yamlText(value)
  }
}

function isList(value: unknown): value is { readonly items: readonly unknown[] } {
  return typeof value === 'object' && value !== null && 'items' in value && Array.isArray(value.items)
}

function* jsonLines(value: unknown): Generator<string> {
  if (Array.isArray(value) && value.length > 0) {
    yield* jsonItems(value, '', '')
  } else if (isList(value) && value.items.length > 0) {
    const entries = Object.entries(value).filter(([, member]) => member !== undefined)
    yield '{\n'
    for (const [index, [key, member]] of entries.entries()) {
      const comma = index < entries.length - 1 ? ',' : ''
      const start = `${INDENT}${escapeJson(JSON.stringify(key))}: `
      if (key === 'items') yield* jsonItems(value.items, INDENT, comma, start)
      else yield `${start}${indented(jsonText(member), INDENT)}${comma}\n`
    }
    yield '}\n'
  } else {
    yield `${jsonText(value)}\n`
  }
}

function* jsonItems(items: readonly unknown[], indent: string, comma: string, start = ''): Generator<string> {
  yield `${start}[\n`
  for (const [index, item] of items.entries()) {
    const inner = indent + INDENT
    yield `${inner}${indented(jsonText(item), inner)}${index < items.length - 1 ? ',' : ''}\n`
  }
  yield `${indent}]${comma}\n`
}

function jsonText(value: unknown): string {
  return escapeJson(JSON.stringify(value, null, INDENT) ?? 'null')
}

/** No line feed of JSON text is part of a string. */
function indented(text: string, indent: string): string {
  return text.replaceAll('\n', `\n${indent}`)
}

/** JSON text with what `visible` would escape as \u escapes by UTF-16 unit; line feeds stay. */
export function escapeJson(text: string): string {
  return escapeUnseen(text, (character) => character.split('').map(unicodeEscape).join(''))
}

function unicodeEscape(unit: string): string {
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`
}

/** Replaces what `visible` would, except line feeds. */
function escapeUnseen(text: string, escape: (character: string) => string): string {
  if (/^[\n\x20-\x7e]*$/.test(text)) return text
  return replaceUnseen(text, (found) => (found === '\n' ? found : escape(found)))
}

async function* yamlItems(items: readonly unknown[]): AsyncGenerator<string, void> {
  for (const item of items) yield await yamlText([item])
}

/** Of the private use area; a string that has it goes through as a mark too. */
const MARK = '\ue000'

/**
 * The YAML writer prints C1 controls and bidi overrides as they are, and a plain scalar has no escapes: a string with
 * one goes through the writer as a mark, in whose place a double-quoted scalar is put.
 */
async function yamlText(value: unknown): Promise<string> {
  const text = await stringifyYaml(value)
  if (escapeUnseen(text, yamlEscape) === text) return text
  const unsafe: string[] = []
  const marked = mapStrings(value, (string) => {
    if (escapeUnseen(string, yamlEscape) === string && !string.includes(MARK)) return string
    return `${MARK}${unsafe.push(string) - 1}${MARK}`
  })
  return (await stringifyYaml(marked)).replace(/\ue000(\d+)\ue000/g, (_, index: string) =>
    escapeUnseen(JSON.stringify(unsafe[Number(index)]), yamlEscape),
  )
}

/** A double-quoted YAML scalar knows JSON's escapes, but no surrogate pairs. */
function yamlEscape(character: string): string {
  if (character.length === 1) return unicodeEscape(character)
  return `\\U${(character.codePointAt(0) ?? 0).toString(16).padStart(8, '0')}`
}

function mapStrings(value: unknown, map: (text: string) => string): unknown {
  if (typeof value === 'string') return map(value)
  if (Array.isArray(value)) return value.map((member) => mapStrings(member, map))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [map(key), mapStrings(member, map)]))
}
