import type { ServerResponse } from 'node:http'
import type { UnsentBytes, UnsentStream } from '../api/unsent-bytes.ts'
import type { PeerLine } from './peer-wire.ts'

/** The times of a watch that is answered to a peer, in milliseconds. */
export interface PeerAnswerTimes {
  /** Between two signs of life. */
  readonly heartbeatMs: number
  /** A peer that takes nothing for so long while the buffer is full is too slow. */
  readonly stallMs: number
}

const DEFAULT_TIMES: PeerAnswerTimes = { heartbeatMs: 5000, stallMs: 10_000 }

/** What may wait for a peer at most, in bytes; then the reader waits too. */
const SEND_BUFFER = 1024 * 1024

/** What waits is counted of all watches together, whoever asked for them. */
const ALL_PEERS = 'peers'

/**
 * Lines of JSON to a peer that reads them at its own pace: memory stays bounded, for each and for all together, and
 * whoever stalls is cut off.
 */
export class PeerStream {
  readonly #response: ServerResponse
  readonly #times: PeerAnswerTimes
  readonly #unsent: UnsentStream
  readonly #heartbeat: NodeJS.Timeout

  /** `unsent` counts what waits for all peers. */
  constructor(response: ServerResponse, unsent: UnsentBytes, times: Partial<PeerAnswerTimes> = {}) {
    this.#response = response
    this.#unsent = unsent.openStream(ALL_PEERS, false, () => response.writableLength)
    response.once('close', () => this.#unsent.release())
    this.#times = { ...DEFAULT_TIMES, ...times }
    response.writeHead(200, { 'content-type': 'application/x-ndjson', 'cache-control': 'no-store' })
    response.flushHeaders()
    this.#heartbeat = setInterval(() => {
      if (response.writableLength === 0) response.write('\n')
    }, this.#times.heartbeatMs)
  }

  /** False where the peer has left, or was too slow. */
  async send(line: PeerLine): Promise<boolean> {
    const response = this.#response
    if (response.destroyed) return false
    const bytes = Buffer.from(`${JSON.stringify(line)}\n`)
    const fits = this.#unsent.hold(bytes.length)
    const taken = response.write(bytes)
    // A peer that keeps up need not wait because others do not.
    if ((fits || taken) && response.writableLength <= SEND_BUFFER) return true
    return this.#drained()
  }

  /** Ends the stream as a whole one. */
  end(last: PeerLine): void {
    clearInterval(this.#heartbeat)
    if (!this.#response.destroyed) this.#response.end(`${JSON.stringify(last)}\n`)
  }

  #drained(): Promise<boolean> {
    const response = this.#response
    const { promise, resolve } = Promise.withResolvers<boolean>()
    const stall = setTimeout(() => response.destroy(), this.#times.stallMs)
    const drained = (): void => resolve(true)
    const closed = (): void => resolve(false)
    response.once('drain', drained).once('close', closed)
    return promise.finally(() => {
      clearTimeout(stall)
      response.off('drain', drained).off('close', closed)
    })
  }
}
