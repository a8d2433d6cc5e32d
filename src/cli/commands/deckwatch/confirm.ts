import { DeckError } from '../../../core/lib/errors.ts'
import type { Session } from '../../shell/session.ts'

/** DeckError USAGE where there is no terminal on which a person could be asked; `instead` names the flags that help. */
export async function requireTerminal({ stderr }: Session, instead: string): Promise<void> {
  const { isatty } = await import('node:tty')
  if (isatty(0) && stderr.isTerminal) return
  throw new DeckError('USAGE', 'there is no terminal to ask on, and nothing is written without a yes', {
    hint: instead,
  })
}

/** Asks for a yes on the terminal. DeckError DECLINED for any other answer; rejects with the session's reason on Ctrl-C. */
export async function confirm({ stderr, signal }: Session, question: string): Promise<void> {
  await stderr.write(`${question} [y/N] `)
  let answer: string | undefined
  try {
    answer = await readLine(signal)
  } finally {
    // Neither the end of the input nor Ctrl-C moves to a new line.
    if (answer === undefined) await stderr.write('\n')
  }
  if (!/^\s*y(?:es)?\s*$/i.test(answer ?? '')) {
    throw new DeckError('DECLINED', 'nothing was written: the answer was no')
  }
}

/** One line of stdin; undefined at its end. */
async function readLine(signal: AbortSignal): Promise<string | undefined> {
  signal.throwIfAborted()
  const { createInterface } = await import('node:readline')
  const { promise, resolve, reject } = Promise.withResolvers<string | undefined>()
  // Not as a terminal of its own: Ctrl-C must reach the process.
  const lines = createInterface({ input: process.stdin, terminal: false })
  const abort = (): void => reject(signal.reason as Error)
  signal.addEventListener('abort', abort, { once: true })
  lines.once('line', resolve)
  lines.once('close', () => resolve(undefined))
  try {
    return await promise
  } finally {
    signal.removeEventListener('abort', abort)
    lines.close()
    process.stdin.unref()
  }
}
