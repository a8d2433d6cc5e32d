import { CATALOG, wordsInDeckwatch, type CatalogEntry } from './catalog.ts'
import { oclifConfig } from '../shell/deck-command.ts'

/** The help of one command, with its sub-commands. */
export async function commandHelp(entry: CatalogEntry, calledAs: string): Promise<string> {
  const { CommandHelp } = await import('@oclif/core')
  const Class = await entry.load()
  // oclif itself names arguments while it loads a plugin from the disk, which we skip.
  const args = Object.fromEntries(Object.entries(Class.args).map(([name, arg]) => [name, { ...arg, name }]))
  const examples = Class.examples?.map((example) =>
    typeof example === 'string'
      ? example
      : { ...example, command: example.command.replace(/^kubectl(?: deckwatch)?/, calledAs) },
  )
  const loadable = { ...Class, id: wordsInDeckwatch(entry).join(' '), args, flags: Class.flags, examples }
  const help = new CommandHelp(loadable as never, oclifConfig(calledAs), {
    maxWidth: 100,
    flagSortOrder: 'none',
    hideCommandSummaryInDescription: true,
  })
  const below = CATALOG.filter(
    ({ words }) => words.length > entry.words.length && entry.words.every((word, i) => words[i] === word),
  )
  const summary = Class.summary ?? entry.summary
  return `${summary}\n\n${help.generate()}\n${below.length > 0 ? `\nCOMMANDS\n${commandLines(below)}` : ''}`
}

/** What `kubectl deckwatch` says by itself. */
export function overview(): string {
  return `deckwatch answers what cluster operators ask at 3 a.m.

USAGE
  $ kubectl deckwatch COMMAND

COMMANDS
${commandLines(CATALOG)}
Those of a plugin are also called by its name: kubectl deckwatch images is kubectl images.
`
}

function commandLines(entries: readonly CatalogEntry[]): string {
  const spoken = entries.map((entry) => wordsInDeckwatch(entry).join(' '))
  const width = Math.max(...spoken.map(({ length }) => length))
  return entries.map(({ summary }, i) => `  ${spoken[i]?.padEnd(width)}  ${summary}\n`).join('')
}
