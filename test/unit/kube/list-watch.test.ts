import assert from 'node:assert/strict'
import { listWatch, type ListWatchEvent, type ListWatchOptions } from '../../../src/core/kube/list-watch.ts'
import { podSource } from '../../../src/core/kube/pod-list.ts'
import { DeckError, type ErrorCode } from '../../../src/core/lib/errors.ts'
import type { PodSlice } from '../../../src/core/wire/pod.ts'
import { type FakeApi, type FakeApiOptions, startFakeApi } from '../../kit/fake-api/fake-api.ts'
import { isList, isWatch } from '../../kit/fake-api/fake-faults.ts'
import { fakeTransport } from '../../kit/fake-api/fake-transport.ts'
import { buildPod } from '../../kit/fake-api/pod-builder.ts'
import { ManualClock } from '../../kit/manual-clock.ts'

const QUIET_MS = 90_000
const SETTLE_MS = 1000
/** With `random` at 0 the first waits of the backoff are these. */
const BACKOFF_MS = [125, 250, 500, 1000, 2000]

type Event = ListWatchEvent<PodSlice>

const text = (event: Event): string => {
  switch (event.type) {
    case 'added':
      return `${event.initial ? 'initial' : 'added'} ${event.object.name}`
    case 'modified':
    case 'deleted':
      return `${event.type} ${event.object.name}`
    case 'synced':
      return `synced ${event.count}`
    case 'interrupted':
    case 'failing':
      return event.type
    case 'resumed':
      return `resumed by ${event.how} after ${event.downMs}`
    default:
      return event satisfies never
  }
}

for (const protobuf of [true, false]) {
  describe(`list + watch in ${protobuf ? 'protobuf' : 'JSON'}`, () => {
    let api: FakeApi
    let clock: ManualClock
    let stop: AbortController
    let events: AsyncGenerator<Event, void>

    async function start(
      options: Partial<ListWatchOptions<PodSlice>> = {},
      server: FakeApiOptions = {},
    ): Promise<void> {
      api = await startFakeApi({ protobuf, ...server })
      api.put(buildPod('web-0'))
      api.put(buildPod('web-1'))
      clock = new ManualClock()
      stop = new AbortController()
      const transport = await fakeTransport(api)
      const source = podSource({ protobuf })
      events = listWatch({ transport, source, clock, random: () => 0, signal: stop.signal, ...options })
    }

    afterEach(async () => {
      stop.abort()
      await events.return()
      await api.stop()
    })

    async function next(): Promise<Event> {
      const result = await events.next()
      assert.ok(!result.done, 'the stream has ended')
      return result.value
    }

    async function expectNext(...expected: string[]): Promise<void> {
      for (const line of expected) assert.equal(text(await next()), line)
    }

    async function synced(): Promise<void> {
      await expectNext('initial web-0', 'initial web-1', 'synced 2')
    }

    /** Turns the clock once somebody sleeps for exactly so long. */
    async function after(ms: number): Promise<void> {
      await clock.untilSleep((slept) => slept === ms)
      await clock.advance(ms)
    }

    /** The next event, while time passes for whoever sleeps for so long. */
    async function nextAfter(...lengths: number[]): Promise<string> {
      const event = next()
      for (const ms of lengths) await after(ms)
      return text(await event)
    }

    async function requested(count: number): Promise<void> {
      while (api.requests.length < count) await new Promise((resolve) => setTimeout(resolve, 1))
    }

    /** Requires that an event is waited for by a watch that is open, so that what happens next is told by it. */
    async function whileWatching(happens: () => void): Promise<string> {
      const event = next()
      while (api.watches === 0) await new Promise((resolve) => setTimeout(resolve, 1))
      happens()
      return text(await event)
    }

    it('tells the first list, then what happens', async () => {
      await start()
      await synced()
      assert.equal(await whileWatching(() => api.put(buildPod('web-2'))), 'added web-2')
      api.put(buildPod('web-2', { phase: 'Succeeded' }))
      api.remove('Pod', 'default', 'web-0')
      const modified = await next()
      assert.ok(modified.type === 'modified')
      assert.deepEqual([modified.previous.phase, modified.object.phase], ['Running', 'Succeeded'])
      await expectNext('deleted web-0')
    })

    it('asks for bookmarks and for an end after a random time, and goes on from a bookmark', async () => {
      await start({ random: () => 0.999 })
      await synced()
      const event = next()
      while (api.watches === 0) await new Promise((resolve) => setTimeout(resolve, 1))
      const { query } = api.requests.findLast(isWatch) ?? assert.fail('no watch')
      assert.deepEqual([query.get('allowWatchBookmarks'), query.get('timeoutSeconds')], ['true', '300'])
      // Other kinds move the version on without an event of this watch.
      api.put({ kind: 'Namespace', metadata: { name: 'elsewhere' } })
      api.bookmark()
      api.endWatches()
      api.put(buildPod('web-2'))
      assert.equal(text(await event), 'added web-2')
      assert.equal(api.requests.findLast(isWatch)?.query.get('resourceVersion'), '103')
    })

    it('says nothing when the server ends a watch as it was asked to', async () => {
      await start()
      await synced()
      assert.equal(await whileWatching(() => api.put(buildPod('web-2'))), 'added web-2')
      const event = next()
      api.endWatches()
      while (api.requests.filter(isWatch).length < 2) await new Promise((resolve) => setTimeout(resolve, 1))
      api.put(buildPod('web-3'))
      assert.equal(text(await event), 'added web-3')
    })

    it('opens a silent watch again without a word', async () => {
      await start()
      await synced()
      const event = next()
      await after(QUIET_MS)
      while (api.requests.filter(isWatch).length < 2) await new Promise((resolve) => setTimeout(resolve, 1))
      api.put(buildPod('web-2'))
      assert.equal(text(await event), 'added web-2')
    })

    it('does not wait for ever for a server that accepts and never answers', async () => {
      await start()
      api.faults.next(isList, { kind: 'stall' })
      const silent = next()
      await requested(1)
      await after(QUIET_MS)
      assert.equal(text(await silent), 'interrupted')
      const first = nextAfter(BACKOFF_MS[0] ?? 0)
      assert.equal(await first, 'initial web-0')
      await expectNext('initial web-1', 'resumed by relist after 125', 'synced 2')
      api.faults.next(isWatch, { kind: 'stall' })
      const unanswered = next()
      await requested(3)
      await after(30_000)
      assert.equal(text(await unanswered), 'interrupted')
    })

    it('tells an outage once, however many attempts it takes, and goes on where it was', async () => {
      await start()
      await synced()
      const interrupted = await whileWatching(() => void api.down())
      assert.equal(interrupted, 'interrupted')
      const event = next()
      for (const ms of BACKOFF_MS.slice(0, 3)) await after(ms)
      await clock.untilSleep((ms) => ms === 1000)
      await api.up()
      api.remove('Pod', 'default', 'web-0')
      await clock.advance(1000)
      assert.equal(text(await event), 'deleted web-0')
      assert.equal(await nextAfter(SETTLE_MS), 'resumed by watch after 2875')
      assert.equal(api.requests.filter(isList).length, 1)
    })

    it('counts a watch that was accepted and is quiet as resumed', async () => {
      await start()
      await synced()
      assert.equal(await whileWatching(() => api.dropConnections()), 'interrupted')
      assert.equal(await nextAfter(125, SETTLE_MS), 'resumed by watch after 1125')
      assert.equal(await whileWatching(() => api.put(buildPod('web-2'))), 'added web-2')
    })

    it('is not held up when the clock is set back just then', async () => {
      await start()
      await synced()
      assert.equal(await whileWatching(() => api.dropConnections()), 'interrupted')
      const resumed = next()
      await after(125)
      await clock.untilSleep((ms) => ms === SETTLE_MS)
      clock.setBack(2 * 3_600_000)
      // Live again, and not told as missed for two hours.
      api.put(buildPod('web-2'))
      assert.deepEqual([text(await resumed), text(await next())], ['added web-2', 'resumed by watch after 0'])
      assert.equal(await whileWatching(() => api.put(buildPod('web-3'))), 'added web-3')
    })

    it('loses nothing, and no rejection, when the watch is lost while its reader takes its time', async () => {
      await start()
      await synced()
      assert.equal(await whileWatching(() => api.dropConnections()), 'interrupted')
      assert.equal(await nextAfter(125, SETTLE_MS), 'resumed by watch after 1125')
      api.dropConnections()
      // Unhandled rejections come to light after the event loop has turned.
      await new Promise((resolve) => setTimeout(resolve, 20))
      await expectNext('interrupted')
    })

    it('never hammers a server that accepts watches and ends them at once', async () => {
      await start()
      await synced()
      const event = next()
      api.faults.next(isWatch, { kind: 'cut', bytes: 0, how: 'end' }, 4)
      for (const ms of BACKOFF_MS.slice(0, 4)) await after(ms)
      while (api.watches === 0) await new Promise((resolve) => setTimeout(resolve, 1))
      api.put(buildPod('web-2'))
      assert.equal(text(await event), 'added web-2')
    })

    it('obeys Retry-After', async () => {
      await start()
      await synced()
      api.faults.next(isWatch, { kind: 'status', status: 429, retryAfterSeconds: 17 })
      await expectNext('interrupted')
      assert.equal(await nextAfter(17_000, SETTLE_MS), 'resumed by watch after 18000')
    })

    it('tells the difference after history has expired, ends before beginnings', async () => {
      await start()
      await synced()
      assert.equal(await whileWatching(() => void api.down()), 'interrupted')
      const event = next()
      await clock.untilSleep((ms) => ms === 125)
      api.remove('Pod', 'default', 'web-0')
      api.put(buildPod('web-0', { containers: ['nginx:2'] }))
      api.put(buildPod('web-1', { phase: 'Failed' }))
      api.put(buildPod('web-2'))
      api.expire()
      await api.up()
      await clock.advance(125)
      await after(250)
      assert.equal(text(await event), 'deleted web-0')
      await expectNext('added web-0', 'modified web-1', 'added web-2', 'resumed by relist after 375')
    })

    it('reads the list again when an event came whole and made no sense', async () => {
      await start()
      await synced()
      api.faults.next(isWatch, { kind: 'garbage' })
      const event = await next()
      assert.ok(event.type === 'interrupted')
      assert.match(event.reason, /unreadable messages so far: 1/)
      assert.equal(await nextAfter(125), 'resumed by relist after 125')
      assert.equal(await whileWatching(() => api.put(buildPod('web-2'))), 'added web-2')
    })

    it('takes half an event at the end of a stream for none and gets it whole again', async () => {
      for (const how of ['end', 'close'] as const) {
        await start()
        await synced()
        api.faults.next(isWatch, { kind: 'cut', bytes: 300, how })
        assert.equal(await whileWatching(() => api.put(buildPod('web-2'))), 'interrupted')
        assert.equal(await nextAfter(125), 'added web-2')
        assert.equal(await nextAfter(SETTLE_MS), 'resumed by watch after 1125')
        stop.abort()
        await api.stop()
      }
    })

    it('tells an event once that the server sends twice', async () => {
      await start()
      await synced()
      api.faults.next(isWatch, { kind: 'duplicates' })
      assert.equal(await whileWatching(() => api.put(buildPod('web-2'))), 'added web-2')
      api.remove('Pod', 'default', 'web-2')
      api.put(buildPod('web-3'))
      await expectNext('deleted web-2', 'added web-3')
    })

    it('takes an ERROR event for what it says', async () => {
      await start()
      await synced()
      api.faults.next(isWatch, { kind: 'error-event', status: 410, reason: 'Expired' })
      await expectNext('interrupted')
      assert.equal(await nextAfter(125), 'resumed by relist after 125')
      api.faults.next(isWatch, { kind: 'error-event', status: 500, reason: 'InternalError' })
      const lists = api.requests.filter(isList).length
      await expectNext('interrupted')
      assert.equal(await nextAfter(250, SETTLE_MS), 'resumed by watch after 1250')
      assert.equal(api.requests.filter(isList).length, lists)
    })

    it('starts the first list anew when its continue token expires, as a difference to what was told', async () => {
      await start({ pageSize: 1 })
      api.faults.next((request) => request.query.has('continue'), {
        kind: 'status',
        status: 429,
        retryAfterSeconds: 1,
      })
      await expectNext('initial web-0', 'interrupted')
      const event = next()
      await clock.untilSleep((ms) => ms === 1000)
      api.faults.next((request) => request.query.has('continue'), {
        kind: 'status',
        status: 410,
        reason: 'Expired',
      })
      api.remove('Pod', 'default', 'web-0')
      api.put(buildPod('web-2'))
      await clock.advance(1000)
      await after(250)
      assert.equal(text(await event), 'deleted web-0')
      await expectNext('initial web-1', 'initial web-2', 'resumed by relist after 1250', 'synced 2')
    })

    it('throws at the start what no waiting heals', async () => {
      const cases: readonly (readonly [number, ErrorCode])[] = [
        [400, 'KUBE_BAD_REQUEST'],
        [401, 'KUBE_UNAUTHORIZED'],
        [403, 'KUBE_FORBIDDEN'],
        [404, 'KUBE_NOT_FOUND'],
      ]
      for (const [status, code] of cases) {
        await start()
        api.faults.next(isList, { kind: 'status', status, message: 'no' })
        await assert.rejects(next(), (error) => error instanceof DeckError && error.code === code)
        await api.stop()
      }
    })

    it('waits at the start for a server that is not there, unless a person waits', async () => {
      await start()
      await api.down()
      await expectNext('interrupted')
      const event = next()
      await clock.untilSleep((ms) => ms === 125)
      await api.up()
      await clock.advance(125)
      assert.equal(text(await event), 'initial web-0')
      await expectNext('initial web-1', 'resumed by relist after 125', 'synced 2')
      stop.abort()
      await api.stop()

      await start({ failFast: true })
      await api.down()
      await assert.rejects(next(), (error) => error instanceof DeckError && error.code === 'KUBE_UNREACHABLE')
    })

    it('goes on asking when rights or credentials are lost later', async () => {
      await start()
      await synced()
      const lost = await whileWatching(() => {
        api.faults.next(isWatch, { kind: 'status', status: 401 })
        api.faults.next(isWatch, { kind: 'status', status: 403, reason: 'Forbidden' })
        api.dropConnections()
      })
      assert.equal(lost, 'interrupted')
      assert.equal(await nextAfter(125, 250, 500, SETTLE_MS), 'resumed by watch after 1875')
    })

    it('refuses at once whoever may list and may not watch', async () => {
      await start()
      await synced()
      api.faults.next(isWatch, { kind: 'status', status: 403, reason: 'Forbidden' })
      await assert.rejects(next(), { name: 'DeckError', code: 'KUBE_FORBIDDEN' })
    })

    it('reads the list again when going on with the watch fails time after time', async () => {
      await start({ times: { backoff: { firstMs: 100, maxMs: 100 } } })
      await synced()
      api.faults.next(isWatch, { kind: 'status', status: 500 }, 8)
      await expectNext('interrupted')
      assert.equal(await nextAfter(...Array.from({ length: 8 }, () => 50)), 'resumed by relist after 400')
    })

    it('ends quietly and at once when its signal aborts, wherever it stands', async () => {
      const moments: readonly ((event: Promise<unknown>) => Promise<void>)[] = [
        async () => {
          while (api.watches === 0) await new Promise((resolve) => setTimeout(resolve, 1))
        },
        async () => {
          api.faults.always(() => true, { kind: 'stall' })
          api.endWatches()
          await clock.untilSleep((ms) => ms === 30_000)
        },
      ]
      for (const moment of moments) {
        await start()
        await synced()
        const event = events.next()
        await moment(event)
        stop.abort()
        assert.deepEqual(await event, { done: true, value: undefined })
        await api.stop()
      }
      await start()
      await synced()
      assert.equal(await whileWatching(() => void api.down()), 'interrupted')
      const event = events.next()
      await clock.untilSleep((ms) => ms === 125)
      stop.abort()
      assert.deepEqual(await event, { done: true, value: undefined })
      assert.deepEqual(clock.sleeping, [])
    })

    it('ends its watch when the caller stops listening', async () => {
      await start()
      await synced()
      assert.equal(await whileWatching(() => api.put(buildPod('web-2'))), 'added web-2')
      await events.return()
      // An open watch would keep the server from closing.
      await api.stop()
      assert.deepEqual(clock.sleeping, [])
    })
  })
}
