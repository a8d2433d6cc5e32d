import { Command } from '@oclif/core'
import { DeckError } from '../../core/lib/errors.ts'
import type { Session } from './session.ts'

/** What a command is made of beside its arguments: one instance runs once. */
export abstract class DeckCommand extends Command {
  /** Set by `runCommand` before `run`. */
  session!: Session

  /** Does the work, writes to the session's streams, and returns what `-o json` would print. */
  abstract override run(): Promise<unknown>
}

/** A command class, as the catalog holds it. */
export type DeckCommandClass = (new (argv: string[], config: Command['config']) => DeckCommand) &
  Pick<typeof Command, 'id' | 'summary' | 'description' | 'usage' | 'args' | 'flags' | 'examples'>

/**
 * The part of oclif's Config that commands and their help read. The real one looks for plugins, themes and package
 * files on the disk, which costs more time than the rest of a run.
 */
export function oclifConfig(width: number): Command['config'] {
  const config = {
    bin: 'kubectl',
    topicSeparator: ' ',
    theme: undefined,
    platform: process.platform,
    shell: '',
    pjson: { oclif: {} },
    screenWidth: width,
    runHook: async () => ({ successes: [], failures: [] }),
  }
  return config as unknown as Command['config']
}

/** Runs one command to its end; what oclif's parser refuses becomes a DeckError USAGE. */
export async function runCommand(
  Class: DeckCommandClass,
  argv: readonly string[],
  session: Session,
): Promise<unknown> {
  const command = new Class([...argv], oclifConfig(100))
  command.session = session
  try {
    return await command.run()
  } catch (error) {
    throw isParserError(error) ? usageError(error, `kubectl ${Class.id}`) : error
  }
}

function isParserError(error: unknown): error is Error {
  return error instanceof Error && 'oclif' in error
}

function usageError(error: Error, command: string): DeckError {
  const message = error.message
    .replace(/\nSee more help with --help$/, '')
    .replace(/^Nonexistent flags?: /, 'unknown flag: ')
    .replace(/^Unexpected arguments?: /, 'too many arguments: ')
  return new DeckError('USAGE', message, { hint: `See: ${command} --help`, cause: error })
}
