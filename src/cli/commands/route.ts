import { DeckError } from '../../core/lib/errors.ts'
import { readArgv, type FlagShape } from '../shell/argv.ts'
import { CATALOG, DECKWATCH, wordsInDeckwatch, type CatalogEntry } from './catalog.ts'

/** What a command line asks for. */
export type Route =
  | { readonly type: 'run'; readonly entry: CatalogEntry; readonly argv: readonly string[] }
  | { readonly type: 'help'; readonly entry: CatalogEntry }
  /** `kubectl deckwatch` by itself: what there is. */
  | { readonly type: 'overview' }
  | { readonly type: 'version' }

/** A program's name as called (`kubectl-images`, `kubectl-deckwatch`) and its arguments. */
export interface Program {
  readonly name: string
  readonly argv: readonly string[]
}

/**
 * Finds the command a person means wherever its words stand among the flags: `images -n kube-system check` is
 * `images check -n kube-system`, and `images -- check` is a REGEX.
 */
export async function route(program: Program): Promise<Route> {
  const plugin = pluginOf(program.name)
  const shapes = await flagsOf(entriesFor(program, plugin))
  const { flags, words, literalWords } = readArgv(program.argv, shapes)
  const help = flags.some((flag) => flag === '--help' || flag === '-h')
  if (flags.includes('--version')) return { type: 'version' }
  const spoken = words.slice(0, words.length - literalWords)
  // `images help`, `deckwatch help images` and `deckwatch images help` all ask for it; `images -- help` is a REGEX.
  const helpAt = spoken.indexOf('help')
  const asksHelp = helpAt === 0 || (helpAt === 1 && plugin === undefined)
  const meant = asksHelp ? spoken.toSpliced(helpAt, 1) : spoken
  const named = plugin === undefined ? meant : [plugin, ...meant]
  const spokenAs = (known: CatalogEntry): readonly string[] =>
    plugin === undefined ? wordsInDeckwatch(known) : known.words
  const entry = CATALOG.findLast((known) => spokenAs(known).every((word, i) => named[i] === word))
  if (!entry) {
    if (named.length === 0) return { type: 'overview' }
    throw new DeckError('USAGE', `kubectl deckwatch has no command ${JSON.stringify(named[0])}`, {
      hint: `Commands: ${[...new Set(CATALOG.map((known) => spokenAs(known)[0]))].join(', ')}. See: kubectl deckwatch --help`,
    })
  }
  if (help || asksHelp) return { type: 'help', entry }
  const rest = [...named.slice(spokenAs(entry).length), ...words.slice(words.length - literalWords)]
  return { type: 'run', entry, argv: [...flags, '--', ...rest] }
}

/** `images` for `kubectl-images`; undefined for the long form, `kubectl deckwatch images`. */
export function pluginOf(name: string): string | undefined {
  const plugin = name.replace(/^kubectl[-_]/, '')
  return plugin !== DECKWATCH && CATALOG.some(({ words }) => words[0] === plugin) ? plugin : undefined
}

/** Whose flags may stand in the command line: where a word comes first, those of the command that it names. */
function entriesFor({ argv }: Program, plugin: string | undefined): readonly CatalogEntry[] {
  if (plugin !== undefined) return CATALOG.filter(({ words }) => words[0] === plugin)
  const first = CATALOG.filter((entry) => wordsInDeckwatch(entry)[0] === argv[0])
  return first.length > 0 ? first : CATALOG
}

async function flagsOf(entries: readonly CatalogEntry[]): Promise<Readonly<Record<string, FlagShape>>> {
  const classes = await Promise.all(entries.map(({ load }) => load()))
  return Object.assign({}, ...classes.map(({ flags }) => flags)) as Record<string, FlagShape>
}
