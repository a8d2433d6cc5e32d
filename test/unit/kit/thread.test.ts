import assert from 'node:assert/strict'
import { join } from 'node:path'
import { ApiError } from '../../../server/kit/api/api-error.ts'
import { startThread, type Thread } from '../../../server/kit/thread/thread-host.ts'
import { systemClock } from '../../../src/core/lib/time.ts'

const program = join(import.meta.dirname, 'thread-program.ts')
const never = new AbortController().signal

describe('a thread of the process', () => {
  let end: AbortController
  let thread: Thread<Record<string, unknown>>

  beforeEach(() => {
    end = new AbortController()
    thread = startThread(
      { program, name: 'recorder', data: { key: Buffer.from('k') } },
      systemClock,
      end.signal,
    )
  })

  afterEach(async () => {
    end.abort()
    await thread.ended.catch(() => undefined)
  })

  it('answers calls with what structured clone keeps', async () => {
    const value = { a: [1, undefined, 'x'], b: new Uint8Array([1, 2]) }
    assert.deepEqual(await thread.call('echo', value, never), value)
    assert.equal(thread.state?.['thread'], 'recorder')
  })

  it('rejects as the method did there', async () => {
    await assert.rejects(thread.call('refuse', 0, never), (error: unknown) => {
      assert.ok(error instanceof ApiError)
      assert.deepEqual([error.reason, error.message, error.retryAfterSeconds], ['Expired', 'too old', 3])
      return true
    })
    await assert.rejects(thread.call('fail', 0, never), { name: 'RangeError', message: 'out of range' })
    await assert.rejects(thread.call('nothing', 0, never), /knows no nothing/)
  })

  it('stops a call for which nobody waits any more', async () => {
    const controller = new AbortController()
    const waiting = thread.call('wait', 0, controller.signal)
    controller.abort(new Error('gone'))
    await assert.rejects(waiting, /gone/)
    assert.equal(await thread.call('cancelled', 0, never), 1)
    await assert.rejects(thread.call('echo', 0, controller.signal), /gone/)
  })

  it('is told what is true here, in order, and tells its state', async () => {
    const changed = Promise.withResolvers<void>()
    thread.onState(({ told }) => {
      if (told === 2) changed.resolve()
    })
    thread.tell({ synced: 1 })
    thread.tell({ synced: 2 })
    await changed.promise
    assert.deepEqual(await thread.call('told', 0, never), [{ synced: 1 }, { synced: 2 }])
  })

  it('that dies says so to everybody who waits', async () => {
    const waiting = assert.rejects(thread.call('wait', 0, never), /has ended/)
    await thread.call('crash', 0, never)
    await assert.rejects(thread.ended, (error: Error) => {
      assert.match(error.message, /recorder ended by itself/)
      assert.match(String(error.cause), /a bug/)
      return true
    })
    await waiting
    await assert.rejects(thread.call('echo', 0, never), /has ended/)
    thread.tell('nobody')
  })

  it('ends when it is asked to', async () => {
    await thread.call('echo', 0, never)
    end.abort()
    await thread.ended
  })
})
