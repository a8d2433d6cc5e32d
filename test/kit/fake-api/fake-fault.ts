import type { ServerResponse } from 'node:http'

/** What the fake API server can be made to do wrong, once or for as long as it is told. */
export type Fault =
  /** A Status with this code; `retryAfterSeconds` becomes the header. */
  | {
      readonly kind: 'status'
      readonly status: number
      readonly reason?: string
      readonly message?: string
      readonly retryAfterSeconds?: number
      readonly details?: unknown
    }
  /** Any answer, as a proxy may give it. */
  | { readonly kind: 'answer'; readonly status: number; readonly contentType: string; readonly body: string }
  /** The request is accepted and never answered. */
  | { readonly kind: 'stall' }
  /** The connection is closed before an answer. */
  | { readonly kind: 'close' }
  /** So many bytes of the body, then: `close` the connection, `end` as if that were all, or `stall` in silence. */
  | { readonly kind: 'cut'; readonly bytes: number; readonly how: 'close' | 'end' | 'stall' }
  /** The head promises so many bytes more than come. */
  | { readonly kind: 'content-length'; readonly more: number }
  /** The body comes in pieces of so many bytes, with so many milliseconds between. */
  | { readonly kind: 'drip'; readonly bytes: number; readonly everyMs: number }
  /** Watches only: a message that makes no sense comes first. */
  | { readonly kind: 'garbage' }
  /** Watches only: each event comes twice. */
  | { readonly kind: 'duplicates' }
  /** Watches only: one bookmark, then the end. */
  | { readonly kind: 'bookmark-only' }
  /** Watches only: an ERROR event with this Status code, then the end. */
  | { readonly kind: 'error-event'; readonly status: number; readonly reason: string }

/** Where an answer's bytes go, and what happens to them on the way. */
export interface BodyWriter {
  head(status: number, headers: Readonly<Record<string, string>>): void
  write(bytes: Buffer): void
  end(bytes?: Buffer): void
}

/** Writes a response as it should be, or spoilt by a fault. */
export function bodyWriter(response: ServerResponse, fault: Fault | undefined): BodyWriter {
  switch (fault?.kind) {
    case 'cut':
      return cutWriter(response, fault.bytes, fault.how)
    case 'content-length':
      return lyingWriter(response, fault.more)
    case 'drip':
      return drippingWriter(response, fault.bytes, fault.everyMs)
    default:
      return {
        head: (status, headers) => response.writeHead(status, headers).flushHeaders(),
        write: (bytes) => response.write(bytes),
        end: (bytes) => response.end(bytes),
      }
  }
}

function cutWriter(response: ServerResponse, bytes: number, how: 'close' | 'end' | 'stall'): BodyWriter {
  let left = bytes
  const write = (chunk: Buffer): void => {
    if (left < 0) return
    const part = chunk.subarray(0, left)
    left -= chunk.length
    if (left >= 0) {
      response.write(part)
      return
    }
    if (how === 'end') response.end(part)
    else response.write(part, () => how === 'close' && response.destroy())
  }
  return {
    // Without a content-length the body is chunked, and a closed connection leaves it without its last chunk.
    head: (status, headers) => {
      response.writeHead(status, withoutLength(headers)).flushHeaders()
      if (bytes > 0) return
      left = -1
      if (how === 'end') response.end()
      else if (how === 'close') response.destroy()
    },
    write,
    end: (chunk) => {
      if (chunk) write(chunk)
      // A body that is shorter than the cut is whole.
      if (left >= 0) response.end()
    },
  }
}

function lyingWriter(response: ServerResponse, more: number): BodyWriter {
  return {
    head: (status, headers) => {
      const length = Number(headers['content-length'] ?? 0) + more
      response.writeHead(status, { ...headers, 'content-length': String(length) }).flushHeaders()
    },
    write: (bytes) => response.write(bytes),
    end: (bytes) => response.write(bytes ?? Buffer.alloc(0), () => response.destroy()),
  }
}

function drippingWriter(response: ServerResponse, bytes: number, everyMs: number): BodyWriter {
  let waiting = Buffer.alloc(0)
  let ended = false
  const timer = setInterval(() => {
    if (waiting.length > 0) response.write(waiting.subarray(0, bytes))
    waiting = waiting.subarray(bytes)
    if (!ended || waiting.length > 0) return
    clearInterval(timer)
    response.end()
  }, everyMs)
  response.on('close', () => clearInterval(timer))
  return {
    head: (status, headers) => response.writeHead(status, withoutLength(headers)).flushHeaders(),
    write: (chunk) => {
      waiting = Buffer.concat([waiting, chunk])
    },
    end: (chunk) => {
      if (chunk) waiting = Buffer.concat([waiting, chunk])
      ended = true
    },
  }
}

function withoutLength(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => name !== 'content-length'))
}
