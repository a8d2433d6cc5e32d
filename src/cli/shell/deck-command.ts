import { Command, type Interfaces } from '@oclif/core'
import { DeckError } from '../../core/lib/errors.ts'
import type { Session } from './session.ts'

/** What a command is made of beside its arguments: one instance runs once. */
export abstract class DeckCommand extends Command {
  /** Set by `runCommand` before `run`. */
  session!: Session

  /** Does the work and writes the answer to the session's streams. */
  abstract override run(): Promise<void>

  protected override async parse<F extends FlagValues, B extends FlagValues, A extends FlagValues>(
    options?: Interfaces.Input<F, B, A>,
    argv?: string[],
  ): Promise<Interfaces.ParserOutput<F, B, A>> {
    const parsed = await super.parse(options, argv)
    const flags = Object.entries(parsed.flags).map(([name, value]) => [
      name,
      Array.isArray(value) ? value.map(withoutMark) : withoutMark(value),
    ])
    return { ...parsed, flags: Object.fromEntries(flags) as typeof parsed.flags }
  }
}

type FlagValues = Record<string, unknown>

// oclif refuses a value that begins like one of the flags, as the token `-sX` does, also in `--token=-sX`. A mark
// before it, which no argument of a process can hold, hides that from oclif.
const MARK = '\0'

function markValues(argv: readonly string[], flags: DeckCommandClass['flags']): string[] {
  const marked = [...argv]
  for (let i = 0; i + 1 < marked.length && marked[i] !== '--'; i++) {
    if (flags[marked[i]?.slice(2) ?? '']?.type !== 'option') continue
    i += 1
    // No flag is a digit, and a number is read by oclif itself.
    if (/^-(?!\d+$)/.test(marked[i] ?? '')) marked[i] = `${MARK}${marked[i]}`
  }
  return marked
}

function withoutMark(value: unknown): unknown {
  return typeof value === 'string' && value.startsWith(MARK) ? value.slice(MARK.length) : value
}

/** A command class, as the catalog holds it. */
export type DeckCommandClass = (new (argv: string[], config: Command['config']) => DeckCommand) &
  Pick<typeof Command, 'id' | 'summary' | 'description' | 'usage' | 'args' | 'flags' | 'examples'>

/**
 * The part of oclif's Config that commands and their help read. The real one looks for plugins, themes and package
 * files on the disk, which costs more time than the rest of a run.
 */
export function oclifConfig(calledAs: string): Command['config'] {
  const config = {
    bin: calledAs,
    topicSeparator: ' ',
    theme: undefined,
    platform: process.platform,
    shell: '',
    pjson: { oclif: {} },
    runHook: async () => ({ successes: [], failures: [] }),
  }
  return config as unknown as Command['config']
}

/** Runs one command to its end; wrong usage becomes a DeckError USAGE that points to the command's help. */
export async function runCommand(
  Class: DeckCommandClass,
  argv: readonly string[],
  session: Session,
): Promise<void> {
  const command = new Class(markValues(argv, Class.flags), oclifConfig(session.calledAs))
  command.session = session
  try {
    await command.run()
  } catch (error) {
    const name = `${session.calledAs} ${Class.id}`
    if (isParserError(error)) throw usageError(error, name)
    if (!(error instanceof DeckError) || error.code !== 'USAGE' || error.hint !== undefined) throw error
    throw new DeckError('USAGE', error.message, { hint: `See: ${name} --help`, cause: error })
  }
}

function isParserError(error: unknown): error is Error {
  return error instanceof Error && 'oclif' in error
}

function usageError(error: Error, command: string): DeckError {
  const [, flag, value, options] = /^Expected (--[^=]+)=(.*) to be one of: (.*)$/ms.exec(error.message) ?? []
  if (flag !== undefined && value !== undefined) {
    const given = JSON.stringify(value.replaceAll(MARK, ''))
    const hint = `It takes ${options?.split('\n', 1)[0]}. See: ${command} --help`
    return new DeckError('USAGE', `${flag} has no ${given}`, { hint, cause: error })
  }
  const message = error.message
    .replaceAll(MARK, '')
    .replace(/^Parsing (--\S+) \n\tExpected (an integer.*?) but received: (.*)$/s, '$1 takes $2, not $3')
    .replace(/\nSee more help with --help$/, '')
    .replace(/^Nonexistent flags?: /, 'unknown flag: ')
    .replace(/^Unexpected arguments?: /, 'too many arguments: ')
  return new DeckError('USAGE', message, { hint: `See: ${command} --help`, cause: error })
}
