import type { IncomingMessage, ServerResponse } from 'node:http'
import { promisify } from 'node:util'
import { constants, gzip } from 'node:zlib'
import type { ApiError } from './api-error.ts'
import type { Document } from './discovery.ts'
import { failureStatus } from './status.ts'

const compress = promisify(gzip)

/** Shorter answers cost more to compress than to send (k8s.io/apiserver's bound too). */
const COMPRESS_FROM = 128 * 1024
/** `gzip` that is not refused by a quality of zero. */
const TAKES_GZIP = /\bgzip\b(?!\s*;\s*q=0(?:\.0*)?\s*(?:,|$))/

/** Answers 200 with JSON, compressed where it is long and the client takes it. */
export async function answerJson(
  request: IncomingMessage,
  response: ServerResponse,
  text: string,
  warnings: readonly string[] = [],
): Promise<void> {
  let body = Buffer.from(text)
  if (body.length >= COMPRESS_FROM && TAKES_GZIP.test(request.headers['accept-encoding'] ?? '')) {
    body = await compress(body, { level: constants.Z_BEST_SPEED })
    response.setHeader('content-encoding', 'gzip')
    response.setHeader('vary', 'Accept-Encoding')
  }
  setWarnings(response, warnings)
  response.writeHead(200, {
    'content-type': 'application/json',
    'cache-control': 'no-cache, private',
    'content-length': body.length,
  })
  response.end(body)
}

/** Begins the answer to a watch. */
export function beginStream(response: ServerResponse, warnings: readonly string[]): void {
  setWarnings(response, warnings)
  response.writeHead(200, { 'content-type': 'application/json', 'cache-control': 'no-cache, private' })
}

/** Answers with a document, or 304 where the client has it. */
export function answerDocument(request: IncomingMessage, response: ServerResponse, document: Document): void {
  const { body, contentType, etag } = document
  const headers = { etag, vary: 'Accept', 'cache-control': 'public' }
  const known = request.headers['if-none-match'] ?? ''
  if (known.split(',').some((tag) => tag.trim().replace(/^W\//, '') === etag)) {
    response.writeHead(304, headers).end()
    return
  }
  response
    .writeHead(200, { ...headers, 'content-type': contentType, 'content-length': body.length })
    .end(body)
}

/** Answers with a failure; where the answer has begun already, the connection is all that is left to say it by. */
export function answerError(response: ServerResponse, error: ApiError): void {
  if (response.headersSent) {
    response.destroy()
    return
  }
  const body = Buffer.from(JSON.stringify(failureStatus(error)))
  if (error.retryAfterSeconds !== undefined) response.setHeader('retry-after', error.retryAfterSeconds)
  if (error.allow !== undefined) response.setHeader('allow', error.allow)
  // What the client still has to send is not waited for. And a front proxy chose its certificate, or none, by the
  // authorities that it was told of when it connected: it must connect again to choose another.
  if (!response.req.complete || error.reason === 'Unauthorized') response.setHeader('connection', 'close')
  response.removeHeader('content-encoding')
  response
    .writeHead(error.status, { 'content-type': 'application/json', 'content-length': body.length })
    .end(body)
}

/** Answers with plain text, as probes are. */
export function answerText(response: ServerResponse, status: number, text: string): void {
  const body = Buffer.from(text)
  response
    .writeHead(status, {
      'content-type': 'text/plain; charset=utf-8',
      'x-content-type-options': 'nosniff',
      'content-length': body.length,
    })
    .end(body)
}

/** kubectl prints them (RFC 9111 code 299; k8s.io/apimachinery, NewWarningHeader). */
function setWarnings(response: ServerResponse, warnings: readonly string[]): void {
  if (warnings.length === 0) return
  response.setHeader(
    'warning',
    warnings.map((warning) => {
      const text = warning.replaceAll(/[^\x20-\x7e]/g, '?').replaceAll(/["\\]/g, String.raw`\$&`)
      return `299 - "${text}"`
    }),
  )
}
