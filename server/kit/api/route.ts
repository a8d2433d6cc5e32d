import type { IncomingMessage, ServerResponse } from 'node:http'
import { ApiError } from './api-error.ts'

/** A path of the API's listener beside the aggregated API; who calls is the route's own matter. */
export interface Route {
  readonly method: 'GET' | 'POST'
  /** Compared with the raw path, without the query. */
  readonly path: string
  /** Answers, or rejects with what is told as a Status: an ApiError as it is, anything else as an InternalError. */
  handle(request: IncomingMessage, response: ServerResponse, signal: AbortSignal): Promise<void>
}

/** Reads a request's body; ApiError RequestEntityTooLarge beyond the limit in bytes. */
export async function readBody(request: IncomingMessage, limit: number): Promise<Buffer> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > limit) throw new ApiError('RequestEntityTooLarge', `the body is longer than ${limit} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

/** Aborts when the client has gone or has been answered. */
export function closing(response: ServerResponse): AbortController {
  const controller = new AbortController()
  response.on('close', () => controller.abort())
  return controller
}
