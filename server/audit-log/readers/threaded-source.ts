import { ApiError } from '../../kit/api/api-error.ts'
import type { Thread } from '../../kit/thread/thread-host.ts'
import {
  type ChangePage,
  type NumberedChange,
  StoreGone,
  type StoredGap,
  type StoredTouch,
} from '../store/audit-store.ts'
import type { ChangeSource, RecorderState } from './change-source.ts'

/** How a source is called from another thread: the methods' names with their arguments as a list. */
export type SourceCalls = Omit<ChangeSource, 'state' | 'onState'>

/** The calls that the recorder's thread answers for readers of the main one. */
export function sourceCalls(source: SourceCalls): Readonly<Record<string, (argument: never) => unknown>> {
  return {
    page: (given: Parameters<SourceCalls['page']>) => told(() => source.page(...given)),
    get: (given: Parameters<SourceCalls['get']>) => told(() => source.get(...given)),
    after: (given: Parameters<SourceCalls['after']>) => told(() => source.after(...given)),
    touched: (given: Parameters<SourceCalls['touched']>) => told(() => source.touched(...given)),
    count: (given: Parameters<SourceCalls['count']>) => told(() => source.count(...given)),
    gaps: (given: Parameters<SourceCalls['gaps']>) => told(() => source.gaps(...given)),
    refresh: () => source.refresh?.(),
  }
}

/** Whoever reads is told that the store is away, and not that we failed; where it is, is none of their business. */
async function told<T>(ask: () => Promise<T>): Promise<T> {
  try {
    return await ask()
  } catch (cause) {
    if (!(cause instanceof StoreGone)) throw cause
    const why = 'the database that keeps them cannot be reached'
    throw new ApiError('ServiceUnavailable', `recorded changes cannot be read now: ${why}`, { cause })
  }
}

/** So long a read may take, in milliseconds: a thread that hangs is found out by the probes, readers are told before. */
const READ_MS = 30_000

/** Reads changes through the recorder's thread, while there is one. */
export class ThreadedSource implements ChangeSource {
  readonly #listeners = new Set<() => void>()
  #thread: Thread<RecorderState> | undefined

  get state(): RecorderState | undefined {
    return this.#thread?.state
  }

  /** Reads through this thread from now on; undefined while there is none. */
  use(thread: Thread<RecorderState> | undefined): void {
    this.#thread = thread
    thread?.onState(() => this.#tell())
    this.#tell()
  }

  onState(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  page(...given: Parameters<SourceCalls['page']>): Promise<ChangePage> {
    return this.#ask('page', given)
  }

  get(...given: Parameters<SourceCalls['get']>): Promise<NumberedChange | undefined> {
    return this.#ask('get', given)
  }

  after(...given: Parameters<SourceCalls['after']>): Promise<readonly NumberedChange[]> {
    return this.#ask('after', given)
  }

  touched(...given: Parameters<SourceCalls['touched']>): Promise<readonly StoredTouch[]> {
    return this.#ask('touched', given)
  }

  count(...given: Parameters<SourceCalls['count']>): Promise<number> {
    return this.#ask('count', given)
  }

  gaps(...given: Parameters<SourceCalls['gaps']>): Promise<readonly StoredGap[]> {
    return this.#ask('gaps', given)
  }

  refresh(): Promise<void> {
    return this.#ask('refresh', [])
  }

  async #ask<T>(method: keyof SourceCalls, given: readonly unknown[]): Promise<T> {
    if (!this.#thread) throw new Error('the recorder does not run')
    return this.#thread.call<T>(method, given, AbortSignal.timeout(READ_MS))
  }

  #tell(): void {
    for (const listener of this.#listeners) listener()
  }
}
