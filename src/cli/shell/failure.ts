import { DeckError, type ExitCode } from '../../core/lib/errors.ts'
import { visible } from '../../core/lib/text.ts'

/** How a failed command ends: what stderr says, and the exit code. */
export interface Failure {
  readonly text: string
  readonly exitCode: ExitCode
}

/** Ctrl-C: the reason with which a session's signal aborts, and which ends the process quietly with 130. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted'
}

/** Says what went wrong for people: message, stable code, and what to do; the stack only with `debug`. */
export function explainFailure(error: unknown, debug: boolean): Failure {
  if (error instanceof Interrupted) return { text: '', exitCode: 130 }
  const known = error instanceof DeckError ? error : unexpected(error)
  const lines = [`error: ${known.message} [${known.code}]`, ...(known.hint ? [known.hint] : [])]
  const text = lines.map((line) => line.split('\n').map(visible).join('\n')).join('\n')
  return { text: `${text}\n${debug ? stackOf(error) : ''}`, exitCode: known.exitCode }
}

function unexpected(error: unknown): DeckError {
  const message = error instanceof Error ? error.message : String(error)
  return new DeckError('INTERNAL', `deckwatch failed in a way it should not: ${message}`, {
    hint: 'Run it again with --debug and report what it prints: https://github.com/deckwatch/deckwatch/issues',
    cause: error,
  })
}

function stackOf(error: unknown): string {
  const lines: string[] = []
  // Bounded: a cause may be its own cause.
  for (let cause = error, depth = 0; cause instanceof Error && depth < 8; cause = cause.cause, depth++) {
    lines.push(`${depth > 0 ? 'caused by: ' : ''}${cause.stack ?? cause.message}\n`)
  }
  return lines.join('')
}
