import { fstatSync, write } from 'node:fs'
import { DeckError } from '../../core/lib/errors.ts'
import { streamOutput, type Output } from './output.ts'

/** How long a reader is left alone that takes nothing now and whose pipe does not wait, in milliseconds. */
const FULL_PIPE_MS = 5

/**
 * Opens stdout (1) or stderr (2), or any other descriptor, by its number. `process.stdout` does the same, but making it
 * costs Bun 10 ms, more than all else that a short command starts.
 */
export async function openOutput(fd: number): Promise<Output> {
  const isTerminal = await isTerminalDevice(fd)
  // A Windows console takes text, not bytes.
  if (isTerminal && process.platform === 'win32')
    return streamOutput(fd === 1 ? process.stdout : process.stderr)
  const closed = new AbortController()
  let before: Promise<void> = Promise.resolve()
  const writeNext = async (text: string): Promise<void> => {
    await before.catch(() => undefined)
    if (closed.signal.aborted) return
    try {
      await writeWhole(fd, Buffer.from(text))
    } catch (error) {
      // `| head -1` is no failure.
      if ((error as NodeJS.ErrnoException).code === 'EPIPE') return closed.abort()
      throw new DeckError('OUTPUT', `cannot write: ${(error as Error).message}`, { cause: error })
    }
  }
  return {
    isTerminal,
    closed: closed.signal,
    write(text) {
      if (closed.signal.aborted || text === '') return Promise.resolve()
      before = writeNext(text)
      return before
    },
  }
}

async function isTerminalDevice(fd: number): Promise<boolean> {
  try {
    // Pipes and files are told apart without loading what terminals need.
    if (!fstatSync(fd).isCharacterDevice()) return false
  } catch {
    // Not open at all: the first write says so.
    return false
  }
  const { isatty } = await import('node:tty')
  return isatty(fd)
}

async function writeWhole(fd: number, bytes: Buffer): Promise<void> {
  for (let from = 0; from < bytes.length;) from += await writeSome(fd, bytes, from)
}

/** Resolves with how many bytes were taken; off the event loop, which a slow reader must not hold up. */
async function writeSome(fd: number, bytes: Buffer, from: number): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>()
  write(fd, bytes, from, bytes.length - from, null, (error, taken) => {
    if (!error) resolve(taken)
    // A pipe that another program has made non-blocking, and that is full.
    else if (error.code === 'EAGAIN') setTimeout(resolve, FULL_PIPE_MS, 0)
    else reject(error)
  })
  return promise
}
