import type { ListWatchEvent } from '../../../src/core/kube/list-watch.ts'
import type { Watched } from '../../../src/core/kube/watch-frame.ts'

/**
 * One list + watch of a resource type, shared by every room of the process. A subscriber is told what is known as
 * `added` with `initial: true`, then `synced`, then everything that follows in order; `interrupted` and `resumed` too.
 * The slowest subscriber holds the watch back beyond a bounded queue, so that memory stays bounded.
 */
export interface Reflector<T extends Watched> {
  subscribe(signal: AbortSignal): AsyncIterable<ListWatchEvent<T>>
  /** Runs until the signal aborts; rejects with the DeckError that no waiting heals (no right to list, …). */
  run(signal: AbortSignal): Promise<void>
}
