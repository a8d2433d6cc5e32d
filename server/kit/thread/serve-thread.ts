import { isMainThread, type MessagePort, parentPort, workerData } from 'node:worker_threads'
import { type FromThread, threadFailure, type ToThread } from './thread-wire.ts'
import type { ThreadData } from './thread-host.ts'

/** What a thread does for the main one. */
export interface ThreadService {
  /** Each call's signal aborts when the caller no longer waits. */
  readonly calls: Readonly<Record<string, (argument: never, signal: AbortSignal) => unknown>>
  /** What is true in the main thread changed. */
  readonly told: (facts: never) => void
}

/** The end of a thread that it talks to the main one by. */
export interface ThreadPort {
  tellState(state: unknown): void
  /** Answers calls until the main thread says that it is to end, and then resolves. */
  serve(service: ThreadService): Promise<void>
}

/** What the thread was started as; undefined in the main thread. */
export function threadData(): ThreadData | undefined {
  return isMainThread ? undefined : (workerData as ThreadData)
}

/** The way to the main thread; only in a thread. */
export function threadPort(port: MessagePort | null = parentPort): ThreadPort {
  if (!port) throw new Error('not in a thread')
  const post = (message: FromThread): void => port.postMessage(message)
  return {
    tellState: (state) => post({ type: 'state', state }),
    async serve({ calls, told }) {
      const open = new Map<number, AbortController>()
      const answer = async ({ id, method, argument }: ToThread & { type: 'call' }): Promise<void> => {
        const controller = new AbortController()
        open.set(id, controller)
        try {
          const call = calls[method]
          if (!call) throw new Error(`the thread knows no ${method}`)
          post({ type: 'result', id, value: await call(argument as never, controller.signal) })
        } catch (error) {
          post({ type: 'failure', id, failure: threadFailure(error) })
        } finally {
          open.delete(id)
        }
      }
      const { promise, resolve } = Promise.withResolvers<void>()
      port.on('message', (message: ToThread) => {
        switch (message.type) {
          case 'call':
            void answer(message)
            break
          case 'cancel':
            open.get(message.id)?.abort()
            break
          case 'tell':
            told(message.facts as never)
            break
          case 'end':
            resolve()
            break
          default:
            message satisfies never
        }
      })
      await promise
      for (const controller of open.values()) controller.abort()
      port.close()
    },
  }
}
