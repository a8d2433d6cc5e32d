import {
  checkEventLength,
  type Watched,
  type WatchFrame,
  watchFrame,
  type WatchParser,
} from './watch-frame.ts'

const NEWLINE = 0x0a

/** Reads a watch of JSON lines. */
export class JsonWatchParser<T extends Watched> implements WatchParser<T> {
  readonly #fromJson: (value: unknown) => T
  #carried: Buffer[] = []
  #carriedBytes = 0

  constructor(fromJson: (value: unknown) => T) {
    this.#fromJson = fromJson
  }

  get unfinished(): boolean {
    return this.#carried.length > 0
  }

  push(chunk: Uint8Array): WatchFrame<T>[] {
    const frames: WatchFrame<T>[] = []
    let rest = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength)
    for (let end = rest.indexOf(NEWLINE); end >= 0; end = rest.indexOf(NEWLINE)) {
      const line = Buffer.concat([...this.#carried, rest.subarray(0, end)])
      this.#carried = []
      this.#carriedBytes = 0
      rest = rest.subarray(end + 1)
      if (line.length > 0) frames.push(this.#frame(line.toString('utf8')))
    }
    if (rest.length > 0) {
      this.#carried.push(rest)
      this.#carriedBytes += rest.length
      checkEventLength(this.#carriedBytes)
    }
    return frames
  }

  #frame(line: string): WatchFrame<T> {
    let event: { type?: unknown; object?: unknown } | null
    try {
      event = JSON.parse(line) as typeof event
    } catch {
      return { type: 'UNREADABLE', detail: 'a line that is not JSON' }
    }
    if (typeof event?.object !== 'object' || event.object === null) {
      return { type: 'UNREADABLE', detail: 'a line without an object' }
    }
    if (event.type === 'ERROR') return { type: 'ERROR', status: event.object }
    return watchFrame(event.type, this.#fromJson(event.object))
  }
}
