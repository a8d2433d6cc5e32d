import { connect } from '../../core/kube/connect.ts'
import { contextNames, loadConnection } from '../../core/kube/kubeconfig.ts'
import { listJson } from '../../core/kube/paged-list.ts'
import { readArgv, readFlag, type FlagShape } from '../shell/argv.ts'
import { connectionOverrides } from '../shell/connection-flags.ts'
import { CATALOG, wordsInDeckwatch, type CatalogEntry } from './catalog.ts'
import { pluginOf, type Program } from './route.ts'

// What kubectl's own completion (cobra) is told to do with the candidates.
const NO_FILES = ':4'
const NO_FILES_NO_BLANK = ':6'
const FILES = ':0'

/** How long a completion may ask the cluster, in milliseconds: a person waits with a finger on the Tab key. */
const ASK_MS = 2_000

const FILE_FLAGS = new Set([
  'kubeconfig',
  'certificate-authority',
  'client-certificate',
  'client-key',
  'values',
  'input',
])
const FORMATS = ['table', 'wide', 'json', 'yaml', 'csv', 'name', 'jsonpath=', 'custom-columns=']
/** Of a plugin whose list is another. */
const OTHER_FORMATS: Readonly<Record<string, readonly string[]>> = {
  blame: ['json', 'yaml', 'name', 'wide', 'jsonpath=', 'custom-columns='],
}

type Flags = Readonly<Record<string, Flag>>

interface Flag extends FlagShape {
  readonly options?: readonly string[]
  readonly summary?: string
  readonly hidden?: boolean
}

/**
 * Answers kubectl's completion (KEP-2379, `kubectl_complete-NAME`): the last argument is the word to complete; one
 * candidate a line, with its description after a tab, and cobra's directive at the end. It never fails: what cannot be
 * found out has no candidates.
 */
export async function complete(program: Program, signal: AbortSignal): Promise<string> {
  const words = program.argv.slice(0, -1)
  const typed = program.argv.at(-1) ?? ''
  const plugin = pluginOf(program.name.replace(/^kubectl_complete-/, 'kubectl-'))
  const command = plugin ?? words.find((word) => !word.startsWith('-'))
  const offered = CATALOG.filter((known) => wordsInDeckwatch(known).length === 1)
  const entry = offered.find((known) => wordsInDeckwatch(known)[0] === command)
  if (!entry) return answer(offered.map(commandLine), typed, NO_FILES)
  const below = CATALOG.filter(
    (known) => wordsInDeckwatch(known).length > 1 && known.words[0] === entry.words[0],
  )
  const shapes = Object.assign({}, ...(await Promise.all([entry, ...below].map(flagsOf)))) as Flags
  const spoken = plainWords(words, shapes).slice(plugin === undefined ? 1 : 0)
  const chosen = below.find((known) => known.words[1] === spoken[0])
  const flags = chosen ? await flagsOf(chosen) : await flagsOf(entry)
  const begun = readFlag(typed, flags)
  if (begun?.name !== undefined && begun.value !== undefined) {
    const values = await valuesOf(begun.name, flags, words, entry.words[0], signal)
    return answer(values, begun.value, NO_FILES, typed.slice(0, typed.length - begun.value.length))
  }
  const last = readFlag(words.at(-1) ?? '', flags)
  if (last?.name !== undefined && last.value === undefined) {
    if (FILE_FLAGS.has(last.name)) return answer([], typed, FILES)
    const values = await valuesOf(last.name, flags, words.slice(0, -1), entry.words[0], signal)
    return answer(values, typed, NO_FILES)
  }
  if (!typed.startsWith('-')) {
    const commands = spoken.length === 0 ? below.map(commandLine) : []
    const others = await wordsOf(chosen ?? entry, spoken, typed, given(words, flags), signal)
    return answer([...commands, ...others], typed, NO_FILES)
  }
  const shown = Object.entries(flags).filter(([, { hidden }]) => !hidden)
  return answer(
    shown.map(([flag, { summary = '' }]) => `--${flag}\t${summary}`),
    typed,
    NO_FILES,
  )
}

function answer(candidates: readonly string[], typed: string, directive: string, prefix = ''): string {
  const fitting = candidates
    .filter((candidate) => candidate.startsWith(typed))
    .map((candidate) => prefix + candidate)
  // `jsonpath=` wants its template right behind it.
  const unfinished = fitting.length > 0 && fitting.every((candidate) => candidate.endsWith('='))
  return [...fitting, unfinished ? NO_FILES_NO_BLANK : directive, ''].join('\n')
}

function commandLine(entry: CatalogEntry): string {
  return `${wordsInDeckwatch(entry).at(-1)}\t${entry.summary}`
}

async function flagsOf(entry: CatalogEntry): Promise<Flags> {
  return (await entry.load()).flags as Flags
}

/** The words that are no flags and no values of flags; a flag at the end may still wait for its value. */
function plainWords(words: readonly string[], shapes: Flags): readonly string[] {
  const last = readFlag(words.at(-1) ?? '', shapes)
  const waits = last?.name !== undefined && last.value === undefined
  return readArgv(waits ? words.slice(0, -1) : words, shapes).words
}

/** Candidates for a word that is no flag: what the command is about. */
async function wordsOf(
  { words }: CatalogEntry,
  spoken: readonly string[],
  typed: string,
  flags: Readonly<Record<string, unknown>>,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const limit = AbortSignal.any([signal, AbortSignal.timeout(ASK_MS)])
  try {
    switch (words.join(' ')) {
      case 'images history': {
        if (spoken.length !== 1) return []
        return await (await import('./images/complete-image.ts')).imageReferences(flags, limit)
      }
      case 'blame':
        return await (await import('./blame/complete-objects.ts')).blameWords(flags, spoken, typed, limit)
      case 'blame undo': {
        if (spoken.length !== 1) return []
        return await (await import('./blame/complete-objects.ts')).changeNames(flags, limit)
      }
      default:
        return []
    }
  } catch {
    // What cannot be asked has no candidates.
    return []
  }
}

async function valuesOf(
  name: string,
  flags: Flags,
  words: readonly string[],
  plugin: string,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const options = flags[name]?.options
  if (options) return options
  if (name === 'output') return OTHER_FORMATS[plugin] ?? FORMATS
  if (name === 'components') {
    const { componentNames } = await import('./deckwatch/component-names.ts')
    return componentNames()
  }
  try {
    if (name === 'context') return await contextNames(connectionOverrides(given(words, flags)))
    if (name === 'namespace') return await namespaces(given(words, flags), signal)
  } catch {
    // Without a cluster there is nothing to offer, and no place to say so.
  }
  return []
}

async function namespaces(
  flags: Readonly<Record<string, unknown>>,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const transport = connect(await loadConnection(connectionOverrides(flags)))
  const names: string[] = []
  try {
    const limit = AbortSignal.any([signal, AbortSignal.timeout(ASK_MS)])
    const source = { path: '/api/v1/namespaces', purpose: { resource: 'namespaces', namespaced: false } }
    for await (const batch of listJson<{ metadata: { name: string } }>(transport, source, {
      signal: limit,
    })) {
      names.push(...batch.map(({ metadata }) => metadata.name))
    }
  } finally {
    transport.close()
  }
  return names
}

/** The values of the flags that stand among the complete words, as oclif's parser would give them. */
function given(words: readonly string[], flags: Flags): Record<string, unknown> {
  const values: Record<string, unknown> = {}
  const tokens = readArgv(words, flags).flags.values()
  for (const token of tokens) {
    const name = token.slice(2)
    const flag = flags[name]
    if (flag?.type === 'boolean') values[name] = true
    else if (flag?.multiple)
      values[name] = [...((values[name] as string[] | undefined) ?? []), tokens.next().value]
    else if (flag) values[name] = tokens.next().value
  }
  return values
}
