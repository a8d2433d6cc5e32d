import type { IncomingMessage } from 'node:http'
import { ApiError } from '../api/api-error.ts'
import type { Caller } from '../api/caller.ts'
import type { ResourceReader, WatchNotice } from '../api/resource.ts'
import type { PeerClient } from './peer-client.ts'
import {
  errorOfFailure,
  type PeerLine,
  peerPath,
  type PeerQueries,
  type PeerVerb,
  readFound,
  readLine,
  readPage,
} from './peer-wire.ts'

/**
 * Reads a resource whose data another pod has, as if it were here. A watch that was accepted ends quietly when that pod
 * goes away: it must be asked anew, and resuming misses nothing.
 */
export function createPeerReader(client: PeerClient, plural: string): ResourceReader {
  const ask = async <Verb extends PeerVerb>(
    verb: Verb,
    query: PeerQueries[Verb],
    caller: Caller,
    signal: AbortSignal,
  ): Promise<IncomingMessage> => {
    const answer = await client.ask(peerPath(plural, verb), { query, caller }, signal)
    if (answer.statusCode === 200) return answer
    throw failureIn(await readText(answer, signal))
  }
  return {
    async list(query, caller, signal) {
      const answer = await ask('list', query, caller, signal)
      const page = readPage(await readText(answer, signal))
      if (!page) throw nonsense()
      return page
    },
    async get(query, caller, signal) {
      const answer = await ask('get', query, caller, signal)
      const found = readFound(await readText(answer, signal))
      if (!found) throw nonsense()
      return found.object
    },
    async *watch(query, caller, signal) {
      if (signal.aborted) return
      try {
        const answer = await ask('watch', query, caller, signal)
        yield* noticesOf(answer, client.times.silenceMs)
      } catch (error) {
        // A watch ends with its signal; all else is told.
        if (!signal.aborted) throw error
      }
    },
  }
}

async function* noticesOf(answer: IncomingMessage, silenceMs: number): AsyncGenerator<WatchNotice> {
  for await (const text of linesOf(answer, silenceMs)) {
    if (text === '') continue
    const line: PeerLine | undefined = readLine(text)
    switch (line?.type) {
      case undefined:
        throw nonsense()
      case 'END':
        return
      case 'ERROR':
        throw errorOfFailure(line.error)
      case 'ADDED':
      case 'MODIFIED':
      case 'DELETED':
      case 'BOOKMARK':
        yield line
        break
      default:
        line satisfies never
    }
  }
}

/** The lines until the answer ends, be it by being cut or by a long silence. */
async function* linesOf(answer: IncomingMessage, silenceMs: number): AsyncGenerator<string> {
  const chunks = (answer as AsyncIterable<Buffer>)[Symbol.asyncIterator]()
  let carried: Buffer[] = []
  try {
    for (;;) {
      const chunk = await nextChunk(chunks, answer, silenceMs)
      if (chunk === undefined) return
      let rest = chunk
      for (let end = rest.indexOf(NEWLINE); end >= 0; end = rest.indexOf(NEWLINE)) {
        yield Buffer.concat([...carried, rest.subarray(0, end)]).toString('utf8')
        carried = []
        rest = rest.subarray(end + 1)
      }
      if (rest.length > 0) carried.push(rest)
    }
  } finally {
    answer.destroy()
  }
}

/** Only waiting counts as silence: whoever takes the lines may take long over them. */
async function nextChunk(
  chunks: AsyncIterator<Buffer>,
  answer: IncomingMessage,
  silenceMs: number,
): Promise<Buffer | undefined> {
  const silence = setTimeout(() => answer.destroy(new Error('no sign of life')), silenceMs)
  try {
    const { done, value } = await chunks.next()
    return done ? undefined : value
  } catch {
    // Whoever watches asks again from where it stands, and is told then that the pod is away, if it still is.
    return undefined
  } finally {
    clearTimeout(silence)
  }
}

const NEWLINE = 0x0a

async function readText(answer: IncomingMessage, signal: AbortSignal): Promise<string> {
  const chunks: Buffer[] = []
  try {
    for await (const chunk of answer as AsyncIterable<Buffer>) chunks.push(chunk)
  } catch (cause) {
    signal.throwIfAborted()
    throw new ApiError('ServiceUnavailable', 'the pod that has the data went away', {
      retryAfterSeconds: 1,
      cause,
    })
  }
  return Buffer.concat(chunks).toString('utf8')
}

function failureIn(text: string): ApiError {
  try {
    return errorOfFailure((JSON.parse(text) as { readonly error?: unknown }).error)
  } catch {
    return nonsense()
  }
}

function nonsense(): ApiError {
  return new ApiError('InternalError', 'another pod of the companion answered what makes no sense')
}
