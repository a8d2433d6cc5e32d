import type { IncomingMessage } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { type LeafAnswer, type LeafProfile, readLeafAnswer } from './leaf-wire.ts'

/** One request for a leaf. */
export interface LeafRequest {
  readonly url: string
  /** The name that the other side's certificate must carry, whatever the URL's host. */
  readonly serverName: string
  /** PEM of whom to believe. */
  readonly authority: string
  readonly profile: LeafProfile
  readonly token: string
  /** PKCS #10, PEM. */
  readonly request: string
}

const ANSWER_MS = 10_000
const MAX_ANSWER_BYTES = 256 * 1024

/** Asks the api for a leaf; the error says what came back, and never the token. */
export async function requestLeaf(wanted: LeafRequest, signal: AbortSignal): Promise<LeafAnswer> {
  const url = new URL(wanted.url)
  url.searchParams.set('profile', wanted.profile)
  const limit = AbortSignal.any([signal, AbortSignal.timeout(ANSWER_MS)])
  let status: number
  let text: string
  try {
    const message = await send(url, wanted, limit)
    status = message.statusCode ?? 0
    text = await readText(message)
  } catch (cause) {
    signal.throwIfAborted()
    throw new Error(
      `${wanted.url} does not answer: ${cause instanceof Error ? cause.message : String(cause)}`,
      {
        cause,
      },
    )
  }
  const answer = status === 200 ? readLeafAnswer(text) : undefined
  if (answer) return answer
  throw new Error(`${wanted.url} gave no leaf: it answered ${status}${messageOf(text)}`)
}

function send(url: URL, wanted: LeafRequest, signal: AbortSignal): Promise<IncomingMessage> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>()
  const body = Buffer.from(wanted.request)
  httpsRequest(url, {
    method: 'POST',
    // A leaf is asked for a few times a day.
    agent: false,
    ca: wanted.authority,
    servername: wanted.serverName,
    headers: {
      authorization: `Bearer ${wanted.token}`,
      'content-type': 'application/pkcs10',
      'content-length': body.length,
    },
    signal,
  })
    .once('response', resolve)
    .once('error', reject)
    .end(body)
  return promise
}

async function readText(message: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of message as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > MAX_ANSWER_BYTES) throw new Error('the answer is too long')
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

/** What a Status says; nothing of any other body. */
function messageOf(text: string): string {
  try {
    const { kind, message } = JSON.parse(text) as { readonly kind?: unknown; readonly message?: unknown }
    return kind === 'Status' && typeof message === 'string' ? `: ${message.slice(0, 300)}` : ''
  } catch {
    return ''
  }
}
