import { setTimeout as delay } from 'node:timers/promises'
import { ApiError } from '../../../server/kit/api/api-error.ts'
import { threadData, threadPort } from '../../../server/kit/thread/serve-thread.ts'

/** A thread as a room would start it, for the test of the thread host. */
const { thread, data } = threadData() ?? { thread: 'none', data: undefined }
const port = threadPort()
const told: unknown[] = []
let cancelled = 0
port.tellState({ thread, data })
await port.serve({
  calls: {
    echo: (argument: unknown) => argument,
    told: () => told,
    cancelled: () => cancelled,
    refuse: () => {
      throw new ApiError('Expired', 'too old', { retryAfterSeconds: 3 })
    },
    fail: () => {
      throw new RangeError('out of range')
    },
    wait: async (_argument: unknown, signal: AbortSignal) => {
      signal.addEventListener('abort', () => (cancelled += 1))
      await delay(60_000, undefined, { signal })
    },
    crash: () => {
      setImmediate(() => {
        throw new Error('a bug')
      })
    },
  },
  told: (facts: unknown) => {
    told.push(facts)
    port.tellState({ told: told.length })
  },
})
