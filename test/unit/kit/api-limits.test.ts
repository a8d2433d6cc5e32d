import assert from 'node:assert/strict'
import { ApiError } from '../../../server/kit/api/api-error.ts'
import { ExpiringCache } from '../../../server/kit/api/expiring-cache.ts'
import { DEFAULT_LIMITS, RequestLimiter } from '../../../server/kit/api/limits.ts'
import { UnsentBytes } from '../../../server/kit/api/unsent-bytes.ts'
import { type ApiWorld, startApiWorld } from '../../kit/aggregated/api-world.ts'
import { eventually } from '../../kit/aggregated/eventually.ts'
import { ManualClock } from '../../kit/manual-clock.ts'

const tooMany = (error: unknown): boolean =>
  error instanceof ApiError && error.status === 429 && error.retryAfterSeconds === 1

describe('the limits of the API', () => {
  it('let a user ask 20 times a second, and 40 times at once after a quiet time', async () => {
    const clock = new ManualClock()
    const limiter = new RequestLimiter(DEFAULT_LIMITS, clock)
    const ask = (user: string): void => limiter.takeRequest(user)
    for (let index = 0; index < 40; index += 1) ask('jane')
    assert.throws(() => ask('jane'), tooMany)
    ask('joe')
    await clock.advance(1000)
    for (let index = 0; index < 20; index += 1) ask('jane')
    assert.throws(() => ask('jane'), tooMany)
    await clock.advance(3_600_000)
    for (let index = 0; index < 40; index += 1) ask('jane')
    assert.throws(() => ask('jane'), tooMany)
  })

  it('let a user open 100 watches, and all together 500, of which the last 50 are for system:masters', () => {
    const limiter = new RequestLimiter(DEFAULT_LIMITS, new ManualClock())
    const leave = Array.from({ length: 100 }, () => limiter.openWatch('jane', false))
    assert.throws(() => limiter.openWatch('jane', false), tooMany)
    leave[0]?.()
    limiter.openWatch('jane', false)
    for (let index = 0; index < 350; index += 1) limiter.openWatch(`user-${index % 4}`, false)
    assert.equal(limiter.openWatches, 450)
    assert.throws(() => limiter.openWatch('somebody', false), tooMany)
    for (let index = 0; index < 50; index += 1) limiter.openWatch('root', true)
    assert.throws(() => limiter.openWatch('somebody', false), tooMany)
    assert.throws(() => limiter.openWatch('root', true), tooMany)
    const few = new RequestLimiter({ ...DEFAULT_LIMITS, watches: 5 }, new ManualClock())
    for (let index = 0; index < 5; index += 1) few.openWatch('jane', false)
  })

  it('let 32 MiB of lists wait for the clients of a user, 64 MiB for all, and always one list', () => {
    const MiB = 1024 * 1024
    const limiter = new UnsentBytes(DEFAULT_LIMITS)
    limiter.holdList('jane', 100 * MiB, false)()
    const sent = limiter.holdList('jane', 20 * MiB, false)
    assert.throws(() => limiter.holdList('jane', 13 * MiB, false), tooMany)
    limiter.holdList('jane', 12 * MiB, false)
    limiter.holdList('root', 32 * MiB, true)
    assert.throws(() => limiter.holdList('joe', 1, false), tooMany)
    assert.throws(() => limiter.holdList('root', 1, true), tooMany)
    sent()
    limiter.holdList('joe', 20 * MiB, false)
    limiter.holdList('root', 0, true)
    assert.throws(() => limiter.holdList('root', 1, true), tooMany)
  })

  it('count what watches hold with the lists, but for a little each, and as it is by now', () => {
    const MiB = 1024 * 1024
    const unsent = new UnsentBytes(DEFAULT_LIMITS)
    const waits = new Map<string, number>()
    const open = (user: string, name: string, exempt = false) =>
      unsent.openStream(user, exempt, () => waits.get(name) ?? 0)
    const list = unsent.holdList('jane', 31 * MiB, false)
    const [slow, other] = [open('jane', 'slow'), open('jane', 'other')]
    assert.equal(slow.hold(MiB), true)
    waits.set('slow', MiB)
    assert.equal(other.hold(16 * 1024), true, 'who keeps up need not wait')
    assert.equal(other.hold(MiB), false)
    waits.set('other', MiB)
    assert.throws(() => unsent.holdList('jane', 1, false), tooMany)
    // The client has read meanwhile.
    waits.set('slow', 0)
    assert.equal(slow.hold(16 * 1024), true)
    unsent.holdList('jane', 1, false)()
    assert.equal(open('joe', 'joe').hold(32 * MiB), true)
    waits.set('joe', 32 * MiB)
    assert.equal(open('root', 'root', true).hold(2 * MiB), false, 'all together have a limit')
    list()
    for (const stream of [slow, other]) stream.release()
    unsent.holdList('jane', 28 * MiB, false)
  })

  it('remember a bounded number of users', () => {
    const clock = new ManualClock()
    const limiter = new RequestLimiter({ ...DEFAULT_LIMITS, burst: 1 }, clock)
    limiter.takeRequest('jane')
    assert.throws(() => limiter.takeRequest('jane'), tooMany)
    for (let index = 0; index < 10_000; index += 1) limiter.takeRequest(`user-${index}`)
    // Forgotten as the one that asked longest ago.
    limiter.takeRequest('jane')
  })

  describe('of a server', () => {
    let world: ApiWorld

    beforeEach(async () => {
      world = await startApiWorld({ limits: { requestsPerSecond: 0.001, burst: 3, watchesPerUser: 2 } })
    })
    afterEach(() => world.stop())

    it('are answered with 429 and a time to wait, except to system:masters', async () => {
      const path = '/apis/deckwatch.dev/v1alpha1/widgets'
      for (const status of [200, 200, 200, 429]) assert.equal((await world.ask(path)).status, status)
      const { headers, body } = await world.ask(path)
      assert.equal(headers['retry-after'], '1')
      assert.equal((JSON.parse(body) as { reason: string }).reason, 'TooManyRequests')
      assert.equal((await world.ask(path, { user: 'joe' })).status, 200)
      for (let index = 0; index < 5; index += 1) {
        assert.equal((await world.ask(path, { user: 'root', groups: ['system:masters'] })).status, 200)
      }
      // Neither discovery nor probes are anybody's share.
      assert.equal((await world.ask('/apis/deckwatch.dev/v1alpha1')).status, 200)
    })

    it('are lists that wait for who does not read them', async () => {
      await world.stop()
      world = await startApiWorld({ limits: { unsentBytesPerUser: 1024 * 1024 } })
      for (let index = 0; index < 24; index += 1) {
        world.widgets.put({ name: `w${index}`, namespace: 'shop', color: 'x'.repeat(1024 * 1024) })
      }
      const path = '/apis/deckwatch.dev/v1alpha1/widgets'
      const unread = await world.open(path)
      assert.equal(unread.statusCode, 200)
      const refused = await world.ask(path)
      assert.equal(refused.status, 429)
      assert.match(refused.body, /bytes wait for clients of this user/)
      assert.equal((await world.ask(path, { user: 'joe' })).status, 200)
      unread.destroy()
      await eventually('a list again', async () => (await world.ask(path)).status === 200)
    })

    it('count watches that are open only', async () => {
      const path = '/apis/deckwatch.dev/v1alpha1/widgets?watch=1'
      const masters = { user: 'root', groups: ['system:masters'] }
      const joe = { user: 'joe' }
      const first = [await world.open(path, joe), await world.open(path, joe)]
      assert.equal((await world.ask(path, joe)).status, 429)
      assert.match(await world.metrics.metrics(), /deckwatch_api_watches 2/)
      const more = await Promise.all([1, 2, 3].map(() => world.open(path, masters)))
      for (const answer of [...first, ...more]) answer.destroy()
      const text = (): Promise<string> => world.metrics.metrics()
      await eventually('no watches', async () => (await text()).includes('deckwatch_api_watches 0'))
    })
  })
})

describe('a cache of answers', () => {
  it('is bounded, forgets failures, and asks anew where an older answer will not do', async () => {
    const clock = new ManualClock()
    const cache = new ExpiringCache<number>({ clock, ttlMs: 100, maxEntries: 3 })
    let asked = 0
    const ask = (): Promise<number> => Promise.resolve(++asked)
    assert.equal(await cache.get('a', ask), 1)
    assert.equal(await cache.get('a', ask), 1)
    assert.equal(await cache.get('a', ask, clock.now() + 1), 2)
    await clock.advance(100)
    assert.equal(await cache.get('a', ask), 3)
    for (const key of ['b', 'c', 'd']) await cache.get(key, ask)
    assert.equal(cache.size, 3)
    assert.equal(await cache.get('a', ask), 7)
    await assert.rejects(cache.get('x', () => Promise.reject(new Error('down'))))
    assert.equal(await cache.get('x', ask), 8)
  })
})
