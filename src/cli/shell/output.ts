import { once } from 'node:events'
import type { Writable } from 'node:stream'

/** A stream that a command writes to: whole texts, never more in memory than one of them. */
export interface Output {
  /** Resolves when the text has been taken; does nothing once the reader has gone. */
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
  stream.on('error', (error: NodeJS.ErrnoException) => {
    // `| head -1` is no failure.
    if (error.code !== 'EPIPE' && error.code !== 'ERR_STREAM_DESTROYED') throw error
    closed.abort()
  })
  return {
    isTerminal: stream.isTTY === true,
    closed: closed.signal,
    async write(text) {
      if (closed.signal.aborted || text === '' || stream.write(text)) return
      await once(stream, 'drain', { signal: closed.signal }).catch((error: unknown) => {
        if (!closed.signal.aborted) throw error
      })
    },
  }
}
