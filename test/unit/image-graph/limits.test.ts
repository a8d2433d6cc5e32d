import assert from 'node:assert/strict'
import { ImageJournal } from '../../../server/image-graph/image-journal.ts'
import { MIGRATIONS } from '../../../server/image-graph/journal-migrations.ts'
import { openStore } from '../../../server/kit/store/open-store.ts'
import type { Image } from '../../../src/core/wire/image.ts'
import type { PodSlice } from '../../../src/core/wire/pod.ts'
import { webPod } from '../images/pods.ts'
import { RoomWorld } from './room-world.ts'
import { events, told } from './told.ts'

describe('the limits of the image graph', () => {
  let world: RoomWorld

  afterEach(() => world.end())

  /** One pod that changes its image so often: each time one comes and one goes. */
  function change(times: number): void {
    for (let i = 1; i <= times; i += 1) world.cluster.run('shop', 'a', { app: `image-${i}` })
  }

  it('keep the latest events, and places in them', async () => {
    world = new RoomWorld({ historyEvents: 5 })
    await world.start()
    const start = (await world.list('imageevents')).resourceVersion
    change(10)
    await world.settle(15)
    const page = await world.list('imageevents', { sinceTime: 0 })
    assert.deepEqual(events(page), [
      '-image-7 shop/a',
      '+image-9 shop/a',
      '-image-8 shop/a',
      '+image-10 shop/a',
      '-image-9 shop/a',
    ])
    assert.deepEqual(page.warnings, ['the history of images begins at 2026-11-21T02:14:10Z'])
    for (const plural of ['imageevents', 'images'] as const) {
      await assert.rejects(world.replay(plural, start), { name: 'ApiError', reason: 'Expired' })
    }
    const [first] = page.items
    assert.equal((await world.replay('imageevents', first?.metadata.resourceVersion)).length, 4)
    assert.equal((await world.replay('imageevents', undefined)).length, 6)
  })

  it('keep what a clock that leapt ahead says is too old, also over a restart', async () => {
    const day = 24 * 60 * 60_000
    world = new RoomWorld({ historyMs: 7 * day })
    await world.start()
    change(3)
    await world.settle(15)
    const all = events(await world.list('imageevents', { sinceTime: 0 }))
    assert.equal(all.length, 5)
    world.skew = 40 * day
    await world.settle(30)
    assert.deepEqual(events(await world.list('imageevents', { sinceTime: 0 })), all)
    assert.match(world.log.lines.at(-1)?.message ?? '', /for a day nothing is removed for its age/)
    change(1)
    await world.settle(15)
    await world.stop()
    await world.start()
    await world.settle(30)
    assert.deepEqual(events(await world.list('imageevents', { sinceTime: 0 })).slice(0, 5), all)
  })

  it('end the watch of who stands still until the history has moved past', async () => {
    world = new RoomWorld({ historyEvents: 5 })
    await world.start()
    const watch = world.watch('imageevents', await world.list('imageevents'))
    const first = watch.next()
    change(1)
    assert.deepEqual(told([(await first).value]), ['ADDED +image-1 shop/a'])
    change(2000)
    // Four thousand events go in steps of some hundred.
    await world.settle(60)
    await assert.rejects(watch.next(), { name: 'ApiError', reason: 'Expired' })
  }).timeout(30_000)

  it('give so many events at once, and more in pages', async () => {
    world = new RoomWorld()
    const { clock, folder, log } = world
    const journal = new ImageJournal(
      openStore({ folder, name: 'image-graph', migrations: MIGRATIONS }, { clock, log }),
      clock.now(),
    )
    const { number } = journal.state
    const event = { image: 'nginx', namespace: 'shop', namespaceUid: '', pod: 'a', podUid: 'a', late: false }
    const many = Array.from({ length: 50_002 }, (_, i) => ({
      ...event,
      number: number + 1 + i,
      op: i % 2 === 0 ? ('+' as const) : ('-' as const),
      time: clock.now() + i,
      cluster: true,
    }))
    const rest = { pods: [], gonePods: [], images: [], goneImages: [] }
    journal.commit({ ...rest, events: many, number: number + many.length })
    journal.close()
    await world.start()
    await assert.rejects(world.list('imageevents'), { name: 'ApiError', reason: 'RequestEntityTooLarge' })
    const page = await world.list('imageevents', { limit: 500 })
    assert.equal(page.items.length, 500)
    assert.notEqual(page.continue, '')
    const sinceTime = clock.now() - 3000 + 50_000
    assert.ok((await world.list('imageevents', { sinceTime })).items.length < 10_000)
    assert.equal((await world.replay('clusterimageevents', undefined)).length, many.length + 1)
  }).timeout(60_000)

  it('make the objects of many pods in steps, and forget none', async () => {
    world = new RoomWorld()
    const use = (i: number, over: Partial<PodSlice> = {}): void => {
      const uid = `pod-${i}`
      const images = [
        { type: 'container', name: 'app', image: `image-${i % 5}`, pullPolicy: '', imageID: '' },
      ] as const
      world.cluster.pods.put(webPod(uid, images, { uid, ...over }))
    }
    world.cluster.namespace('shop')
    for (let i = 0; i < 6000; i += 1) use(i)
    await world.start()
    const { resourceVersion } = await world.list('clusterimages')
    for (let i = 0; i < 6000; i += 1) use(i, { nodeName: `n${i % 50}` })
    await world.settle()
    const changed = (await world.replay('clusterimages', resourceVersion)).flatMap((notice) =>
      notice.type === 'MODIFIED' ? (notice.object as unknown as Image) : [],
    )
    assert.deepEqual(
      changed.map(({ image, usage }) => `${image.reference} ${usage.pods} ${usage.nodes}`).toSorted(),
      [0, 1, 2, 3, 4].map((i) => `image-${i} 1200 10`),
    )
  }).timeout(30_000)
})
