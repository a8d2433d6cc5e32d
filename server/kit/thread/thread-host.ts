import { Worker } from 'node:worker_threads'
import { aborted } from '../aborted.ts'
import { errorOfThread, type FromThread, type ToThread } from './thread-wire.ts'

/** How a thread is started. */
export interface ThreadOptions {
  /** The program itself, which looks at `threadData` to find out that it runs as a thread. */
  readonly program: string
  /** Names the thread in `threadData` and to debuggers. */
  readonly name: string
  /** What structured clone takes; secrets in it stay in memory. */
  readonly data: unknown
  /** Megabytes of V8's young generation: a small one keeps the process small. */
  readonly youngGenerationMb?: number
}

/** What a thread is told at its start, in `workerData`. */
export interface ThreadData {
  readonly thread: string
  readonly data: unknown
}

/** A thread of this process that answers calls and tells its state; made running, ended by its signal. */
export interface Thread<State> {
  /** What the thread told last; undefined before it first did. */
  readonly state: State | undefined
  /** Epoch milliseconds of that, by this thread's clock. */
  readonly toldAt: number
  onState(listener: (state: State) => void): () => void
  /** Rejects as the method did there, or with the signal's reason, or because the thread has ended. */
  call<T>(method: string, argument: unknown, signal: AbortSignal): Promise<T>
  tell(facts: unknown): void
  /** Resolves when the thread has ended after the signal aborted; rejects where it ended by itself. */
  readonly ended: Promise<void>
}

/** How long a thread may take to end by itself, in milliseconds. */
const END_MS = 10_000

interface Waiting {
  readonly resolve: (value: unknown) => void
  readonly reject: (reason: Error) => void
}

/** Starts a thread, which lives until the signal aborts. */
export function startThread<State>(
  options: ThreadOptions,
  clock: { now(): number },
  signal: AbortSignal,
): Thread<State> {
  const { program, name, data, youngGenerationMb } = options
  const threadData: ThreadData = { thread: name, data }
  const worker = new Worker(program, {
    name,
    workerData: threadData,
    ...(youngGenerationMb === undefined
      ? {}
      : { resourceLimits: { maxYoungGenerationSizeMb: youngGenerationMb } }),
  })
  const waiting = new Map<number, Waiting>()
  const listeners = new Set<(state: State) => void>()
  let calls = 0
  let state: State | undefined
  let toldAt = clock.now()
  let isGone = false
  const post = (message: ToThread): void => {
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
    worker.postMessage(message)
  }
  worker.on('message', (message: FromThread) => {
    switch (message.type) {
      case 'result':
        waiting.get(message.id)?.resolve(message.value)
        break
      case 'failure':
        waiting.get(message.id)?.reject(errorOfThread(message.failure))
        break
      case 'state':
        state = message.state as State
        toldAt = clock.now()
        for (const listener of listeners) listener(state)
        break
      default:
        message satisfies never
    }
  })
  const ended = watchEnd(worker, name, signal, post).finally(() => {
    isGone = true
    for (const { reject } of waiting.values()) reject(new Error(`the thread ${name} has ended`))
  })
  // Whoever runs the thread awaits it; a call that comes first must not make it an unhandled rejection.
  ended.catch(() => undefined)
  return {
    get state() {
      return state
    },
    get toldAt() {
      return toldAt
    },
    onState(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    async call<T>(method: string, argument: unknown, calling: AbortSignal): Promise<T> {
      calling.throwIfAborted()
      if (isGone) throw new Error(`the thread ${name} has ended`)
      const id = (calls += 1)
      const { promise, resolve, reject } = Promise.withResolvers<unknown>()
      waiting.set(id, { resolve, reject })
      const cancel = (): void => {
        if (!isGone) post({ type: 'cancel', id })
        reject(calling.reason as Error)
      }
      calling.addEventListener('abort', cancel)
      post({ type: 'call', id, method, argument })
      try {
        return (await promise) as T
      } finally {
        calling.removeEventListener('abort', cancel)
        waiting.delete(id)
      }
    },
    tell(facts) {
      if (!isGone) post({ type: 'tell', facts })
    },
    ended,
  }
}

async function watchEnd(
  worker: Worker,
  name: string,
  signal: AbortSignal,
  post: (message: ToThread) => void,
): Promise<void> {
  const exit = Promise.withResolvers<number>()
  let failure: unknown
  worker.on('error', (error) => (failure = error))
  worker.on('exit', exit.resolve)
  await Promise.race([aborted(signal), exit.promise])
  if (!signal.aborted) {
    const code = await exit.promise
    throw new Error(`the thread ${name} ended by itself (exit code ${code})`, { cause: failure })
  }
  post({ type: 'end' })
  const late = setTimeout(() => void worker.terminate(), END_MS)
  await exit.promise
  clearTimeout(late)
}
