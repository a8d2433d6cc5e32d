import assert from 'node:assert/strict'
import type { IncomingMessage } from 'node:http'
import { type ApiWorld, startApiWorld } from '../../kit/aggregated/api-world.ts'
import { eventually } from '../../kit/aggregated/eventually.ts'
import { brief, watchLines, type WatchLines } from '../../kit/aggregated/watch-lines.ts'
import { ManualClock } from '../../kit/manual-clock.ts'

const ROOT = '/apis/deckwatch.dev/v1alpha1'
const SHOP = `${ROOT}/namespaces/shop/widgets`
const TABLE = 'application/json;as=Table;v=v1;g=meta.k8s.io'
const STREAMED = 'allowWatchBookmarks=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan'

describe('a watch of the aggregated API', () => {
  let world: ApiWorld
  let clock: ManualClock
  const opened: IncomingMessage[] = []

  beforeEach(async () => {
    // The certificates of the test are of today.
    clock = new ManualClock(Date.now())
    world = await startApiWorld({ clock })
    world.cluster.namespaces.set('shop', 'uid-shop')
  })
  afterEach(async () => {
    for (const answer of opened.splice(0)) answer.destroy()
    await world.stop()
  })

  const put = (name: string, color = 'red', labels?: Record<string, string>): void => {
    world.widgets.put({ name, color, namespace: 'shop', ...(labels ? { labels } : {}) })
  }

  async function open(query: string, accept = 'application/json'): Promise<IncomingMessage> {
    const answer = await world.open(`${SHOP}?watch=true&${query}`, { headers: { accept } })
    opened.push(answer)
    return answer
  }

  async function watch(query: string, accept?: string): Promise<WatchLines> {
    const answer = await open(query, accept)
    assert.equal(answer.statusCode, 200)
    return watchLines(answer)
  }

  it('begins after the version that is given, and misses nothing', async () => {
    put('a')
    const from = world.widgets.version
    put('b')
    world.widgets.remove('a', 'shop')
    const lines = await watch(`resourceVersion=${from}`)
    assert.deepEqual((await lines.take(2)).map(brief), ['ADDED b', 'DELETED a'])
    put('b', 'blue')
    const modified = await lines.next()
    assert.equal(modified && brief(modified), 'MODIFIED b')
    assert.equal(modified?.object.metadata.resourceVersion, world.widgets.version)
  })

  for (const query of ['', 'resourceVersion=0']) {
    it(`begins with what is there for "${query}", without bookmarks that were not asked for`, async () => {
      put('a')
      put('b')
      const lines = await watch(query)
      assert.deepEqual((await lines.take(2)).map(brief), ['ADDED a', 'ADDED b'])
      put('c')
      assert.deepEqual((await lines.take(1)).map(brief), ['ADDED c'])
    })
  }

  it('marks the end of what was there where that is asked for (KEP-3157)', async () => {
    put('a')
    const lines = await watch(STREAMED)
    const [added, bookmark] = await lines.take(2)
    assert.equal(added && brief(added), 'ADDED a')
    assert.equal(bookmark?.type, 'BOOKMARK')
    assert.equal(bookmark.object.kind, 'Widget')
    assert.equal(bookmark.object.metadata.resourceVersion, world.widgets.version)
    assert.equal(bookmark.object.metadata.annotations?.['k8s.io/initial-events-end'], 'true')
  })

  it('begins now, with nothing of what is there, where initial events are refused', async () => {
    put('a')
    const lines = await watch('sendInitialEvents=false&resourceVersionMatch=NotOlderThan')
    put('b')
    assert.deepEqual((await lines.take(1)).map(brief), ['ADDED b'])
  })

  it('begins with the records of a time, and says where history does not reach back so far', async () => {
    world.widgets.warnings = ['history begins at 02:14']
    const answer = await open('sinceTime=2026-11-21T02:00:00Z')
    assert.equal(answer.headers['warning'], '299 - "history begins at 02:14"')
    await eventually('its watch', () => world.widgets.watches.length === 1)
    const [asked] = world.widgets.watches
    assert.equal(asked?.sinceTime, Date.UTC(2026, 10, 21, 2))
    assert.equal(asked.resourceVersion, undefined)
    // A client that resumes has seen those.
    await open(`sinceTime=2026-11-21T02:00:00Z&resourceVersion=${world.widgets.version}`)
    await eventually('the other', () => world.widgets.watches.length === 2)
    assert.equal(world.widgets.watches[1]?.sinceTime, undefined)
    assert.equal(world.widgets.watches[1]?.resourceVersion, world.widgets.version)
  })

  it('hands selectors of fields to the reader as a hint, within what the caller may see', async () => {
    world.cluster.allows = ({ namespace }) => namespace === 'shop'
    await open('fieldSelector=spec.color!%3Dred')
    await eventually('its watch', () => world.widgets.watches.length === 1)
    assert.deepEqual(world.widgets.watches[0], {
      namespace: 'shop',
      namespaceUid: 'uid-shop',
      fields: [{ field: 'spec.color', operator: '!=', value: 'red' }],
      resourceVersion: undefined,
      sinceTime: undefined,
    })
  })

  it('gives bookmarks about once a minute where they were asked for', async () => {
    const lines = await watch(`allowWatchBookmarks=true&resourceVersion=${world.widgets.version}`)
    const [first] = await lines.take(1)
    assert.equal(first?.type, 'BOOKMARK')
    assert.equal(first.object.metadata.annotations, undefined)
    // The reader tells more often how far it is.
    put('a')
    put('b')
    assert.deepEqual((await lines.take(2)).map(brief), ['ADDED a', 'ADDED b'])
    await clock.advance(60_000)
    put('c')
    assert.deepEqual((await lines.take(2)).map(brief), ['ADDED c', 'BOOKMARK'])
  })

  it('tells of objects that come under a selection and leave it', async () => {
    put('a', 'blue')
    const lines = await watch(`resourceVersion=${world.widgets.version}&fieldSelector=spec.color%3Dred`)
    put('a', 'red')
    put('a', 'red')
    put('a', 'green')
    put('b', 'green')
    put('c', 'red')
    assert.deepEqual((await lines.take(4)).map(brief), ['ADDED a', 'MODIFIED a', 'DELETED a', 'ADDED c'])
  })

  it('gives the version of the change with an object that left a selection', async () => {
    put('a', 'red')
    const lines = await watch(`resourceVersion=${world.widgets.version}&fieldSelector=spec.color%3Dred`)
    put('a', 'blue')
    const left = await lines.next()
    assert.equal(left?.type, 'DELETED')
    assert.equal(left.object.metadata.resourceVersion, world.widgets.version)
    assert.deepEqual((left.object as unknown as { spec: { color: string } }).spec.color, 'red')
  })

  it('gives tables, with the columns in the first event', async () => {
    const lines = await watch(`resourceVersion=${world.widgets.version}`, TABLE)
    put('a')
    put('b')
    const [first, second] = await lines.take(2)
    assert.equal(first?.object.kind, 'Table')
    assert.equal(first.object.columnDefinitions?.length, 4)
    assert.deepEqual(first.object.rows?.[0]?.cells.slice(0, 2), ['a', 'red'])
    assert.equal(second?.object.columnDefinitions, null)
    assert.deepEqual(second?.object.rows?.[0]?.cells.slice(0, 2), ['b', 'red'])
  })

  it('says that a version is too old in one event, and ends', async () => {
    const from = world.widgets.version
    world.widgets.expire()
    for (const version of [from, '99999999']) {
      const all = await (await watch(`resourceVersion=${version}`)).rest()
      assert.equal(all.length, 1)
      assert.deepEqual([all[0]?.type, all[0]?.object.code, all[0]?.object.reason], ['ERROR', 410, 'Expired'])
    }
  })

  it('ends quietly after the time that was asked for', async () => {
    const lines = await watch(`timeoutSeconds=10&resourceVersion=${world.widgets.version}`)
    put('a')
    assert.deepEqual((await lines.take(1)).map(brief), ['ADDED a'])
    await clock.advance(12_000)
    assert.deepEqual(await lines.rest(), [])
    assert.equal(world.widgets.watchers, 0)
  })

  it('ends by itself between half an hour and an hour', async () => {
    const lines = await watch('')
    put('a')
    await clock.advance(29 * 60_000)
    put('b')
    assert.deepEqual((await lines.take(2)).map(brief), ['ADDED a', 'ADDED b'])
    await clock.advance(32 * 60_000)
    assert.deepEqual(await lines.rest(), [])
  })

  it('ends when the clock is set back, since nobody knows how long it has lived, and goes on from there', async () => {
    const lines = await watch(`resourceVersion=${world.widgets.version}`)
    put('a')
    assert.deepEqual((await lines.take(1)).map(brief), ['ADDED a'])
    const from = world.widgets.version
    clock.setBack(30_000)
    await clock.advance(2000)
    assert.deepEqual(await lines.rest(), [])
    const resumed = await watch(`resourceVersion=${from}`)
    put('b')
    assert.deepEqual((await resumed.take(1)).map(brief), ['ADDED b'])
  })

  it('tells the reader when the client leaves', async () => {
    const answer = await open('')
    await eventually('a watcher', () => world.widgets.watchers === 1)
    answer.destroy()
    await eventually('no watcher', () => world.widgets.watchers === 0)
  })

  it('ends as a whole answer when the server is stopped, and takes no new ones', async () => {
    const lines = await watch('')
    put('a')
    assert.deepEqual((await lines.take(1)).map(brief), ['ADDED a'])
    const stopped = world.stop()
    // A cut answer would reject.
    assert.deepEqual(await lines.rest(), [])
    await stopped
  })

  describe('whose client does not read', () => {
    it('is ended with whole events, and goes on where they end', async () => {
      const answer = await open(`resourceVersion=${world.widgets.version}`)
      answer.pause()
      const from = Number(world.widgets.version)
      const long = 'x'.repeat(64 * 1024)
      // The kernel's buffers and ours: far more than both must be told.
      for (let index = 0; index < 400; index += 1) put(`w${index}`, long)
      await eventually('the wheel', () => clock.sleeping.includes(1000))
      const slow = async (): Promise<string> => world.metrics.metrics()
      for (let second = 0; second < 10; second += 1) await tick(clock)
      assert.match(await slow(), /deckwatch_api_slow_watches_total\{resource="widgets"\} 1/)
      const told = await watchLines(answer.resume()).rest()
      assert.ok(told.length > 10 && told.length < 400, `${told.length} events`)
      const last = told.at(-1)?.object.metadata.resourceVersion ?? ''
      assert.equal(Number(last), from + told.length)
      const again = await watch(`resourceVersion=${last}`)
      const missed = await again.take(400 - told.length)
      assert.equal(missed[0] && brief(missed[0]), `ADDED w${told.length}`)
      assert.equal(missed.at(-1)?.object.metadata.resourceVersion, world.widgets.version)
    })

    it('is cut off a few seconds after its end, if the rest is not taken', async () => {
      const answer = await open(`timeoutSeconds=4&resourceVersion=${world.widgets.version}`)
      answer.pause()
      for (let index = 0; index < 400; index += 1) put(`w${index}`, 'x'.repeat(64 * 1024))
      await eventually('the wheel', () => clock.sleeping.includes(1000))
      for (let second = 0; second < 6; second += 1) await tick(clock)
      assert.match(await world.metrics.metrics(), /^deckwatch_api_watches 1$/m, 'the rest waits')
      for (let second = 0; second < 7; second += 1) await tick(clock)
      await eventually('no watches', async () =>
        (await world.metrics.metrics()).includes('deckwatch_api_watches 0'),
      )
    })

    it('waits for it where many of them would fill the memory together, and nobody else does', async () => {
      await world.stop()
      const MiB = 1024 * 1024
      world = await startApiWorld({ clock, limits: { unsentBytesPerUser: 3 * MiB } })
      world.cluster.namespaces.set('shop', 'uid-shop')
      const from = world.widgets.version
      const unread: IncomingMessage[] = []
      for (let turn = 0; turn < 12; turn += 1) unread.push(await open(`resourceVersion=${from}`))
      for (const answer of unread) answer.pause()
      const joe = await world.open(`${SHOP}?watch=true&resourceVersion=${from}`, { user: 'joe' })
      opened.push(joe)
      const lines = watchLines(joe)
      for (let index = 0; index < 400; index += 1) put(`w${index}`, 'x'.repeat(64 * 1024))
      // No second passes: none of them is too slow yet.
      assert.equal((await lines.take(400)).length, 400)
      const waiting = /^deckwatch_api_unsent_bytes (\d+)$/m.exec(await world.metrics.metrics())?.[1]
      // One event more of each; and what joe has had may not be known to be sent yet.
      const most = 3 * MiB + MiB + 13 * 66 * 1024
      assert.ok(Number(waiting) > MiB && Number(waiting) < most, `${waiting} bytes wait, ${most} at most`)
      const [first] = unread
      assert.ok(first)
      // The others hold what they hold, and yet this one goes on.
      assert.equal((await watchLines(first.resume()).take(400)).length, 400)
      put('last')
      assert.deepEqual((await lines.take(1)).map(brief), ['ADDED last'])
    })
  })
})

/** Lets a second pass, with what the sockets do in it. */
async function tick(clock: ManualClock): Promise<void> {
  await clock.advance(1000)
  await new Promise((resolve) => {
    setTimeout(resolve, 20)
  })
}
