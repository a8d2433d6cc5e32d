import { DeckError } from '../../../core/lib/errors.ts'
import { parseYamlDocuments, YamlError } from '../../../core/lib/yaml.ts'
import { managedFieldsOf } from '../../../core/model/field-owners.ts'
import type { KubernetesObject } from '../../../core/wire/admission-review.ts'

/** Where local objects come from. */
export interface LocalSources {
  readonly readFile: (path: string, signal: AbortSignal) => Promise<string>
  readonly stdin: {
    /** A person sits there: nothing was piped in. */
    readonly isTerminal: boolean
    readonly read: (signal: AbortSignal) => Promise<string>
  }
}

/**
 * The objects of `-i FILE` or `-i -` (stdin), in YAML or JSON: of all documents, those in lists each by itself. Throws
 * DeckErrors USAGE for what cannot be read or holds no Kubernetes object; nothing given is an error, never an empty
 * answer.
 */
export async function localObjects(
  input: string,
  sources: LocalSources,
  signal: AbortSignal,
): Promise<readonly KubernetesObject[]> {
  const where = input === '-' ? 'stdin' : input
  const documents = parsedJson(await textOf(input, sources, signal))
  const values = 'values' in documents ? documents.values : await parsedYaml(documents.text, where)
  const objects = values.flatMap((value, index) =>
    objectsIn(value, values.length > 1 ? `document ${index + 1} of ${where}` : where),
  )
  if (objects.length === 0) throw usage(`${where} holds no object: its list is empty`)
  return objects
}

/** One line for stderr about objects without managedFields; undefined where each has them. */
export function ownerlessNote(objects: readonly KubernetesObject[]): string | undefined {
  const without = objects.filter((object) => managedFieldsOf(object).length === 0)
  const [first] = without
  if (!first) return undefined
  const name = `${first.kind ?? 'object'} ${first.metadata?.name ?? ''}`.trim()
  const which =
    without.length === 1 ? `${name} has` : `${name} and ${without.length - 1} more of ${objects.length} have`
  return `${which} no managedFields, which tell who wrote what (kubectl get --show-managed-fields)`
}

async function textOf(
  input: string,
  { readFile, stdin }: LocalSources,
  signal: AbortSignal,
): Promise<string> {
  if (input === '') throw usage('-i needs a FILE, or - for stdin')
  if (input !== '-') {
    try {
      return await readFile(input, signal)
    } catch (error) {
      signal.throwIfAborted()
      const reason = error instanceof Error ? error.message : String(error)
      throw new DeckError('USAGE', `cannot read -i ${input}: ${reason}`, { cause: error })
    }
  }
  const hint = 'As in: kubectl get deploy web -o yaml --show-managed-fields | kubectl blame -i -'
  if (stdin.isTerminal) throw usage('-i - reads stdin, and nothing is piped into it', hint)
  const text = await stdin.read(signal)
  if (text.trim() === '') throw usage('-i - reads stdin, which is empty', hint)
  return text
}

/** One JSON value needs no YAML reader, which takes its time. */
function parsedJson(text: string): { readonly values: readonly unknown[] } | { readonly text: string } {
  const body = text.replace(/^\ufeff/, '')
  if (!/^\s*[{[]/.test(body)) return { text }
  try {
    return { values: [JSON.parse(body) as unknown] }
  } catch {
    // YAML in flow style, or a fault that the YAML reader can tell the line of.
    return { text }
  }
}

async function parsedYaml(text: string, where: string): Promise<readonly unknown[]> {
  try {
    const values = await parseYamlDocuments(text)
    if (values.length > 0) return values
  } catch (error) {
    if (!(error instanceof YamlError)) throw error
    const line = error.line === undefined ? '' : ` (line ${error.line})`
    throw new DeckError('USAGE', `${where} is neither YAML nor JSON: ${error.message}${line}`, {
      cause: error,
    })
  }
  throw usage(`${where} is empty`)
}

/** kubectl's List and the API's typed lists, whose items carry no type of their own. */
function objectsIn(value: unknown, where: string): readonly KubernetesObject[] {
  if (!isRecord(value)) {
    throw usage(`${where} is no Kubernetes object: it is ${Array.isArray(value) ? 'a list' : 'no map'}`)
  }
  const { kind, apiVersion, items } = value
  if (typeof kind !== 'string') throw usage(`${where} is no Kubernetes object: it has no kind`)
  // No list has a name: what has one is an object of a kind that is called so.
  const isNamed = isRecord(value['metadata']) && Boolean(value['metadata']['name'])
  if (!kind.endsWith('List') || !Array.isArray(items) || isNamed) return [value]
  const single = kind.slice(0, -'List'.length)
  const typed = single === '' ? {} : { apiVersion, kind: single }
  return items.flatMap((item: unknown, index) =>
    objectsIn(isRecord(item) ? { ...typed, ...item } : item, `item ${index + 1} of ${where}`),
  )
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function usage(message: string, hint?: string): DeckError {
  return new DeckError('USAGE', message, { hint })
}
