import type { IncomingMessage } from 'node:http'
import type { BodyBudget } from './body-budget.ts'

/** How much of a body is held. */
export interface BodyLimits {
  /** Longer ones are not held. */
  readonly maxBytes: number
  /** Longer ones are not even read to their end. */
  readonly maxReadBytes: number
  /** What of those is held of their beginning, and of their end. */
  readonly headBytes: number
  readonly tailBytes: number
  /** A body that takes longer is given up. */
  readonly withinMs: number
}

/** A body, or what is left of one that was not held: `large` beyond the limit, `crowded` where others held too much. */
export type ReviewBody =
  | { readonly held: 'whole'; readonly bytes: Buffer; readonly release: () => void }
  | { readonly held: 'large' | 'crowded'; readonly head: Buffer; readonly tail: Buffer }

/**
 * Reads a request's body within a budget; undefined where the client left, took too long or sent without an end. What
 * comes behind the limit is read and dropped: a client that is answered while it still sends may see a reset instead.
 */
export function readReviewBody(
  request: IncomingMessage,
  limits: BodyLimits,
  budget: BodyBudget,
): Promise<ReviewBody | undefined> {
  const address = request.socket.remoteAddress ?? ''
  const { promise, resolve } = Promise.withResolvers<ReviewBody | undefined>()
  let chunks: Buffer[] = []
  let size = 0
  let taken = 0
  let lacks: 'large' | 'crowded' | undefined
  let head = Buffer.alloc(0)
  let tail = Buffer.alloc(0)
  const give = (): void => {
    if (taken > 0) budget.give(address, taken)
    taken = 0
  }
  const drop = (why: 'large' | 'crowded'): void => {
    lacks = why
    const read = Buffer.concat(chunks)
    head = Buffer.from(read.subarray(0, limits.headBytes))
    tail = Buffer.from(read.subarray(-limits.tailBytes))
    chunks = []
    give()
  }
  let ended = false
  const end = (body: ReviewBody | undefined): void => {
    if (ended) return
    ended = true
    clearTimeout(timer)
    if (body?.held !== 'whole') give()
    resolve(body)
  }
  const giveUp = (): void => {
    request.destroy()
    end(undefined)
  }
  const timer = setTimeout(giveUp, limits.withinMs)
  if (Number(request.headers['content-length'] ?? 0) > limits.maxBytes) drop('large')
  request.on('data', (chunk: Buffer) => {
    size += chunk.length
    if (size > limits.maxReadBytes) {
      giveUp()
      return
    }
    if (lacks === undefined) {
      chunks.push(chunk)
      if (size > limits.maxBytes) drop('large')
      else if (budget.take(address, chunk.length)) taken += chunk.length
      else drop('crowded')
      return
    }
    if (head.length < limits.headBytes) {
      head = Buffer.concat([head, chunk.subarray(0, limits.headBytes - head.length)])
    }
    tail = Buffer.from(Buffer.concat([tail, chunk]).subarray(-limits.tailBytes))
  })
  request.on('end', () => {
    if (lacks !== undefined) {
      end({ held: lacks, head, tail })
      return
    }
    const bytes = chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks)
    end({ held: 'whole', bytes, release: give })
  })
  request.on('close', () => end(undefined))
  return promise
}
