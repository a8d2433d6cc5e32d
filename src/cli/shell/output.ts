import type { Writable } from 'node:stream'
import { DeckError } from '../../core/lib/errors.ts'

/** A stream that a command writes to: whole texts, never more in memory than one of them. */
export interface Output {
  /** Resolves when the text has been taken; does nothing once the reader has gone. DeckError OUTPUT where it cannot be. */
  write(text: string): Promise<void>
  /** True where a person looks at it. */
  readonly isTerminal: boolean
  /** Aborts when the reader closed its end of the pipe. */
  readonly closed: AbortSignal
}

/**
 * Wraps stdout or stderr. The process must end by itself after the last write (`process.exitCode`, never
 * `process.exit()`): what a pipe has not taken yet would be cut.
 */
export function streamOutput(stream: Writable & { readonly isTTY?: boolean }): Output {
  const closed = new AbortController()
  const isGone = ({ code }: NodeJS.ErrnoException): boolean =>
    code === 'EPIPE' || code === 'ERR_STREAM_DESTROYED'
  stream.on('error', (error: NodeJS.ErrnoException) => {
    // `| head -1` is no failure. Any other error is told to the callback of its write too.
    if (isGone(error)) closed.abort()
  })
  return {
    isTerminal: stream.isTTY === true,
    closed: closed.signal,
    async write(text) {
      if (closed.signal.aborted || text === '') return
      const { promise, resolve, reject } = Promise.withResolvers<void>()
      stream.write(text, (error?: NodeJS.ErrnoException | null) => {
        // The event that follows must not reach oclif's listener, which throws.
        if (error) stream.removeAllListeners('error').on('error', () => undefined)
        if (error && !isGone(error)) {
          return reject(new DeckError('OUTPUT', `cannot write: ${error.message}`, { cause: error }))
        }
        if (error) closed.abort()
        resolve()
      })
      return promise
    },
  }
}
