import type { Document, YAMLParseError } from 'yaml'

/** Why a text is not YAML, and where; `line` and `column` count from 1. */
export class YamlError extends Error {
  override readonly name = 'YamlError'
  readonly line: number | undefined
  readonly column: number | undefined

  constructor(message: string, line?: number, column?: number, cause?: unknown) {
    super(message, { cause })
    this.line = line
    this.column = column
  }
}

/** The part of Bun's YAML reader used here; Node has none. */
interface NativeYaml {
  parse(text: string): unknown
}

// What the native reader reads differently from the `yaml` package: several documents, directives, tags,
// complex keys and null keys. A match in quoted text only costs time.
const READ_DIFFERENTLY = /^(?:---|\.\.\.|%)|(?:^|[\s{,[])(?:!|\?\s|~\s*:|null\s*:)/im

/**
 * The first document of a YAML (or JSON) text as plain values; null when it is empty. As kubectl does, a key given
 * twice keeps its last value and `<<` merges. Throws YamlError.
 */
export async function parseYaml(text: string): Promise<unknown> {
  const native = (globalThis as { Bun?: { YAML?: NativeYaml } }).Bun?.YAML
  const body = text.startsWith('---\n') ? text.slice(4) : text
  if (native && !READ_DIFFERENTLY.test(body)) {
    try {
      return native.parse(body) ?? null
    } catch {
      // Read again below: the native reader does not say at which line it stopped.
    }
  }
  const [document] = await documentsOf(text)
  return document ? plainValue(document) : null
}

/**
 * Every document of a YAML (or JSON) text as plain values, in the manner of `parseYaml`; documents without anything in
 * them are left out. Throws YamlError.
 */
export async function parseYamlDocuments(text: string): Promise<readonly unknown[]> {
  return (await documentsOf(text)).map(plainValue).filter((value) => value !== null)
}

async function documentsOf(text: string): Promise<readonly Document[]> {
  // Loaded on use: reading the package takes longer than most commands.
  const { parseAllDocuments } = await import('yaml')
  return parseAllDocuments(text, { uniqueKeys: false, merge: true, logLevel: 'error' })
}

function plainValue(document: Document): unknown {
  const fault = document.errors[0]
  if (fault) throw yamlError(fault)
  try {
    return (document.toJS() as unknown) ?? null
  } catch (error) {
    // An alias that leads nowhere, or too far; what follows the colon is its name.
    throw new YamlError((error instanceof Error ? error.message : String(error)).split(':', 1)[0] ?? '')
  }
}

// Without the cause, and without the end of the message: both quote the line, which may hold a token.
function yamlError({ message, linePos }: YAMLParseError): YamlError {
  const [position] = linePos ?? []
  return new YamlError(message.split(' at line ', 1)[0] ?? '', position?.line, position?.col)
}

/**
 * A plain value as YAML text in block style, as kubectl writes it: lists not indented, long strings never folded, and
 * read alike by YAML 1.1 and 1.2.
 */
export async function stringifyYaml(value: unknown): Promise<string> {
  const { stringify } = await import('yaml')
  return stringify(value, {
    lineWidth: 0,
    aliasDuplicateObjects: false,
    compat: 'yaml-1.1',
    indentSeq: false,
  })
}

/** One value to put at a path of keys and list positions. */
export interface YamlEdit {
  readonly path: readonly (string | number)[]
  readonly value: string
}

/** The text with some values of its first document replaced, all else (comments, order, style) as it was. */
export async function editYaml(text: string, edits: readonly YamlEdit[]): Promise<string> {
  const { parseDocument } = await import('yaml')
  const document = parseDocument(text, { uniqueKeys: false })
  const [fault] = document.errors
  if (fault) throw yamlError(fault)
  for (const { path, value } of edits) document.setIn(path, value)
  return document.toString({ lineWidth: 0 })
}
