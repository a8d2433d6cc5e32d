import type { IncomingMessage } from 'node:http'
import { createInterface } from 'node:readline'

/** One event of a watch, as it came. */
export interface WatchLine {
  readonly type: string
  readonly object: {
    readonly kind: string
    readonly code?: number
    readonly reason?: string
    readonly message?: string
    readonly metadata: {
      readonly name?: string
      readonly resourceVersion?: string
      readonly annotations?: Readonly<Record<string, string>>
    }
    readonly columnDefinitions?: readonly unknown[] | null
    readonly rows?: readonly { readonly cells: readonly unknown[] }[]
  }
}

/** The events of a watch, one at a time; undefined at its end. */
export interface WatchLines {
  next(): Promise<WatchLine | undefined>
  /** The next ones up to that many. */
  take(count: number): Promise<readonly WatchLine[]>
  /** All that follow until the end. */
  rest(): Promise<readonly WatchLine[]>
}

/** Reads a watch's answer. */
export function watchLines(answer: IncomingMessage): WatchLines {
  const lines = createInterface({ input: answer, crlfDelay: Number.POSITIVE_INFINITY })[
    Symbol.asyncIterator
  ]()
  const next = async (): Promise<WatchLine | undefined> => {
    const { done, value } = await lines.next()
    return done === true ? undefined : (JSON.parse(value) as WatchLine)
  }
  const take = async (count: number): Promise<readonly WatchLine[]> => {
    const taken: WatchLine[] = []
    while (taken.length < count) {
      const line = await next()
      if (!line) break
      taken.push(line)
    }
    return taken
  }
  return { next, take, rest: () => take(Number.POSITIVE_INFINITY) }
}

/** `ADDED a`, `BOOKMARK`: what a test compares. */
export function brief({ type, object }: WatchLine): string {
  return object.metadata.name === undefined ? type : `${type} ${object.metadata.name}`
}
