import { connect } from '../../core/kube/connect.ts'
import { contextNames, loadConnection } from '../../core/kube/kubeconfig.ts'
import { listJson } from '../../core/kube/paged-list.ts'
import { connectionOverrides } from '../shell/connection-flags.ts'
import { CATALOG, type CatalogEntry } from './catalog.ts'
import { pluginOf, type Program } from './route.ts'

// What kubectl's own completion (cobra) is told to do with the candidates.
const NO_FILES = ':4'
const NO_FILES_NO_BLANK = ':6'
const FILES = ':0'

/** How long a completion may ask the cluster, in milliseconds: a person waits with a finger on the Tab key. */
const ASK_MS = 2_000

const FILE_FLAGS = new Set(['kubeconfig', 'certificate-authority', 'client-certificate', 'client-key'])
const FORMATS = ['table', 'wide', 'json', 'yaml', 'csv', 'name', 'jsonpath=', 'custom-columns=']

interface Flag {
  readonly type: 'boolean' | 'option'
  readonly char?: string
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
  const plugin =
    pluginOf(program.name.replace(/^kubectl_complete-/, 'kubectl-')) ??
    words.find((word) => !word.startsWith('-'))
  const entry = CATALOG.find(({ words: own }) => own.length === 1 && own[0] === plugin)
  if (!entry)
    return answer(CATALOG.filter((known) => known.words.length === 1).map(commandLine), typed, NO_FILES)
  const flags = (await entry.load()).flags as Readonly<Record<string, Flag>>
  const [, name = '', value] = /^--([^=]+)=(.*)$/s.exec(typed) ?? []
  if (value !== undefined)
    return answer(await valuesOf(name, flags, words, signal), value, NO_FILES, `--${name}=`)
  const waiting = flagAwaitingValue(words.at(-1) ?? '', flags)
  if (waiting !== undefined) {
    if (FILE_FLAGS.has(waiting)) return answer([], typed, FILES)
    return answer(await valuesOf(waiting, flags, words, signal), typed, NO_FILES)
  }
  if (!typed.startsWith('-')) return answer([], typed, NO_FILES)
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

function commandLine({ words, summary }: CatalogEntry): string {
  return `${words[0]}\t${summary}`
}

function flagAwaitingValue(word: string, flags: Readonly<Record<string, Flag>>): string | undefined {
  const [name, flag] =
    Object.entries(flags).find(
      ([long, { char }]) => word === `--${long}` || (char !== undefined && word === `-${char}`),
    ) ?? []
  return flag?.type === 'option' ? name : undefined
}

async function valuesOf(
  name: string,
  flags: Readonly<Record<string, Flag>>,
  words: readonly string[],
  signal: AbortSignal,
): Promise<readonly string[]> {
  const options = flags[name]?.options
  if (options) return options
  if (name === 'output') return FORMATS
  try {
    if (name === 'context') return await contextNames({ kubeconfig: given('kubeconfig', 'k', words) })
    if (name === 'namespace') return await namespaces(words, signal)
  } catch {
    // Without a cluster there is nothing to offer, and no place to say so.
  }
  return []
}

async function namespaces(words: readonly string[], signal: AbortSignal): Promise<readonly string[]> {
  const connection = await loadConnection(
    connectionOverrides({
      kubeconfig: given('kubeconfig', 'k', words),
      context: given('context', 'C', words),
    }),
  )
  const transport = connect(connection)
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

/** The value of a flag among complete words, in any of its spellings. */
function given(name: string, char: string, words: readonly string[]): string | undefined {
  for (const [i, word] of words.entries()) {
    if (word === `--${name}` || word === `-${char}`) return words[i + 1]
    if (word.startsWith(`--${name}=`)) return word.slice(name.length + 3)
  }
  return undefined
}
