import assert from 'node:assert/strict'
import { readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Image, ServedImageList } from '../../../src/core/wire/image.ts'
import { openStore } from '../../../server/kit/store/open-store.ts'
import { RoomWorld } from './room-world.ts'
import { events, images, told } from './told.ts'

describe('the image graph', () => {
  let world: RoomWorld

  beforeEach(() => {
    world = new RoomWorld()
  })

  afterEach(() => world.end())

  it('tells what is in use at its first start as events that were seen late', async () => {
    world.cluster.run('shop', 'web-1', { app: 'nginx', log: 'fluentd' })
    world.cluster.run('pay', 'web-1', { app: 'nginx' })
    await world.start()
    assert.deepEqual(events(await world.list('imageevents')), [
      '+nginx shop/web-1 late',
      '+fluentd shop/web-1 late',
      '+nginx pay/web-1 late',
    ])
    assert.deepEqual(events(await world.list('clusterimageevents')), [
      '+nginx shop/web-1 late',
      '+fluentd shop/web-1 late',
    ])
    assert.deepEqual(images(await world.list('images')), ['pay nginx 1', 'shop fluentd 1', 'shop nginx 1'])
    assert.deepEqual(images(await world.list('clusterimages')), ['* fluentd 1', '* nginx 2'])
  })

  it('announces an image with its first user and its end with its last, in each namespace and in the cluster', async () => {
    await world.start()
    world.cluster.run('shop', 'a', { app: 'nginx' })
    world.cluster.run('shop', 'b', { app: 'nginx' })
    world.cluster.run('pay', 'c', { app: 'nginx' })
    world.cluster.end('shop', 'a')
    world.cluster.end('shop', 'b')
    world.cluster.end('pay', 'c')
    await world.settle()
    assert.deepEqual(events(await world.list('imageevents', { namespace: 'shop' })), [
      '+nginx shop/a',
      '-nginx shop/b',
    ])
    assert.deepEqual(events(await world.list('clusterimageevents')), ['+nginx shop/a', '-nginx pay/c'])
    assert.deepEqual(images(await world.list('clusterimages')), [])
  })

  it('says of an image what a client without a companion would find, and what only a companion knows', async () => {
    world.cluster.node('n1', [{ names: ['docker.io/library/nginx:1.25'], sizeBytes: 70_000_000 }])
    const { uid } = world.cluster.run('shop', 'web-1', { app: 'nginx:1.25' })
    await world.start()
    const [object] = (await world.list('images')).items as unknown as Image[]
    const { resourceVersion } = await world.list('images')
    assert.deepEqual(object, {
      apiVersion: 'deckwatch.dev/v1alpha1',
      kind: 'Image',
      metadata: {
        name: 'nginx-1-25-251ad31786',
        namespace: 'shop',
        uid: object?.metadata.uid,
        resourceVersion,
        creationTimestamp: '2026-11-21T02:14:07Z',
      },
      image: { reference: 'nginx:1.25', name: 'docker.io/library/nginx', tag: '1.25', digest: '' },
      digests: [],
      sizeBytes: 70_000_000,
      usage: {
        namespaces: 1,
        workloads: 1,
        pods: 1,
        nodes: 1,
        by: [
          {
            group: 'apps',
            kind: 'Deployment',
            name: 'web',
            namespace: 'shop',
            container: 'app',
            type: 'container',
            pods: 1,
          },
        ],
      },
      lastChange: {
        op: '+',
        time: '2026-11-21T02:14:07.000Z',
        namespace: 'shop',
        pod: 'web-1',
        uid,
        late: true,
      },
    })
    assert.match(
      object?.metadata.uid ?? '',
      /^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}$/,
    )
  })

  it('adds to a list the counts over all its images, each pod and workload once', async () => {
    world.cluster.run('shop', 'a', { app: 'nginx', log: 'docker.io/library/nginx' })
    world.cluster.run('shop', 'b', { app: 'redis' })
    world.cluster.run('pay', 'c', { app: 'redis' })
    await world.start()
    const summary = async (namespace: string | undefined) =>
      ((await world.list('images', { namespace })).extra as unknown as ServedImageList).summary
    assert.deepEqual(await summary('shop'), { images: 2, pods: 2, workloads: 1, namespaces: 1, nodes: 1 })
    assert.deepEqual(await summary(undefined), { images: 2, pods: 3, workloads: 2, namespaces: 2, nodes: 1 })
  })

  it('tells changes of counts once a second at most, and new and gone images at once', async () => {
    await world.start()
    world.cluster.run('shop', 'a', { app: 'nginx' })
    await world.settle()
    const { resourceVersion } = await world.list('images')
    for (const name of ['b', 'c', 'd', 'e']) world.cluster.run('shop', name, { app: 'nginx' })
    await world.settle()
    for (const name of ['a', 'b', 'c', 'd', 'e']) world.cluster.end('shop', name)
    await world.settle(0)
    assert.deepEqual(told(await world.replay('images', resourceVersion)), [
      'MODIFIED shop nginx 5',
      'DELETED shop nginx 0',
    ])
  })

  it('gives nothing a new number by a restart in which nothing changed', async () => {
    for (const name of ['a', 'b', 'c']) world.cluster.run('shop', name, { app: 'nginx', log: name })
    await world.start()
    world.cluster.run('shop', 'd', { app: 'nginx' })
    await world.settle()
    const before = await world.list('images')
    await world.stop()
    await world.clock.advance(3_600_000)
    await world.start()
    assert.deepEqual((await world.list('images')).items, before.items)
    assert.deepEqual(told(await world.replay('images', before.resourceVersion)), [])
  })

  it('tells after a restart what really changed meanwhile, and that it is late', async () => {
    world.cluster.run('shop', 'web-old', { app: 'nginx' })
    world.cluster.run('shop', 'job', { app: 'perl' })
    await world.start()
    const { resourceVersion } = await world.list('imageevents')
    await world.stop()
    world.cluster.end('shop', 'web-old')
    world.cluster.run('shop', 'web-new', { app: 'nginx' })
    world.cluster.end('shop', 'job')
    world.cluster.run('shop', 'cache', { app: 'redis' })
    await world.start()
    assert.deepEqual(told(await world.replay('imageevents', resourceVersion)), [
      'ADDED -perl shop/job late',
      'ADDED +redis shop/cache late',
    ])
  })

  it('begins a watch without a place with what is there, and says where that ends', async () => {
    world.cluster.run('shop', 'a', { app: 'nginx', log: 'fluentd' })
    world.cluster.run('pay', 'b', { app: 'redis' })
    await world.start()
    assert.deepEqual(told(await world.replay('images', undefined, { namespace: 'shop' })), [
      'ADDED shop fluentd 1',
      'ADDED shop nginx 1',
      'initial end',
    ])
    assert.deepEqual(told(await world.replay('clusterimageevents', undefined)), [
      'ADDED +nginx shop/a late',
      'ADDED +fluentd shop/a late',
      'ADDED +redis pay/b late',
      'initial end',
    ])
  })

  it('tells what passed while nobody looked from its events, and what is there as it is', async () => {
    await world.start()
    const { resourceVersion } = await world.list('images')
    world.cluster.run('shop', 'a', { app: 'nginx' })
    await world.settle()
    world.cluster.run('shop', 'b', { app: 'nginx' })
    world.cluster.run('shop', 'job', { app: 'perl' })
    await world.settle()
    world.cluster.end('shop', 'job')
    await world.settle()
    const live = told(await world.replay('images', resourceVersion))
    assert.deepEqual(live, [
      'ADDED shop nginx 1',
      'ADDED shop perl 1',
      'MODIFIED shop nginx 2',
      'DELETED shop perl 0',
    ])
    await world.stop()
    await world.start()
    // From the journal: nginx is told as it is now, perl as its events know it.
    assert.deepEqual(told(await world.replay('images', resourceVersion)), [
      'ADDED shop nginx 2',
      'ADDED shop perl 1',
      'MODIFIED shop nginx 2',
      'DELETED shop perl 0',
    ])
  })

  it('sends all watchers a bookmark within a minute, at the number up to which they know everything', async () => {
    await world.start()
    const watch = world.watch('images', { resourceVersion: (await world.list('images')).resourceVersion })
    const other = world.watch('clusterimageevents')
    assert.equal((await other.next()).value?.type, 'BOOKMARK')
    const [first, second] = [watch.next(), other.next()]
    world.cluster.run('shop', 'a', { app: 'nginx' })
    await world.settle(60)
    assert.deepEqual(told([(await first).value, (await second).value]), [
      'ADDED shop nginx 1',
      'ADDED +nginx shop/a',
    ])
    const { resourceVersion } = await world.list('images')
    for (const each of [watch, other]) {
      const next = each.next()
      await world.settle(60)
      assert.deepEqual((await next).value, { type: 'BOOKMARK', resourceVersion, initialEnd: false })
    }
  })

  it('holds nothing for a watcher that does not read: it finds everything in the journal', async () => {
    await world.start()
    const { resourceVersion } = await world.list('clusterimageevents')
    const watch = world.watch('clusterimageevents', { resourceVersion })
    const first = watch.next()
    world.cluster.run('shop', 'a', { app: 'image-0' })
    assert.deepEqual(told([(await first).value]), ['ADDED +image-0 shop/a'])
    for (let i = 1; i <= 1500; i += 1) world.cluster.run('shop', 'a', { app: `image-${i}` })
    await world.settle()
    let count = 0
    for (let last = ''; last !== 'ADDED -image-1499 shop/a'; count += 1) {
      const { value } = await watch.next()
      last = told([value])[0] ?? ''
      if (count % 2 === 0) assert.equal(last, `ADDED +image-${count / 2 + 1} shop/a`)
    }
    assert.equal(count, 3000)
  })

  it('ends watches when it stops, so that their readers ask anew', async () => {
    await world.start()
    const watch = world.watch('images')
    await watch.next()
    const next = watch.next()
    await world.stop()
    assert.equal((await next).done, true)
  })

  describe('refuses a place', () => {
    const refused = async (resourceVersion: string, reason: string): Promise<void> => {
      for (const plural of ['images', 'clusterimageevents'] as const) {
        await assert.rejects(world.watch(plural, { resourceVersion }).next(), { name: 'ApiError', reason })
      }
    }

    it('that is not of its journal', async () => {
      await world.start()
      const { resourceVersion } = await world.list('images')
      await refused(String(Number(resourceVersion) + 1), 'Expired')
      await refused(String(Number(resourceVersion) - 1), 'Expired')
      await refused('yesterday', 'BadRequest')
    })

    it('of a store that was lost', async () => {
      await world.start()
      for (let i = 0; i < 50; i += 1) world.cluster.run('shop', 'a', { app: `image-${i}` })
      await world.settle()
      const { resourceVersion } = await world.list('images')
      await world.stop()
      for (const file of readdirSync(world.folder)) writeFileSync(join(world.folder, file), '')
      await world.settle(60)
      await world.start()
      await refused(resourceVersion, 'Expired')
    })
  })

  describe('pages', () => {
    beforeEach(async () => {
      for (const name of ['a', 'b', 'c', 'd', 'e']) world.cluster.run('shop', name, { app: `image-${name}` })
      await world.start()
    })

    it('of images are all of one moment', async () => {
      const first = await world.list('images', { limit: 2 })
      assert.equal(first.remaining, 3)
      world.cluster.end('shop', 'd')
      world.cluster.run('shop', 'f', { app: 'image-f' })
      await world.settle()
      const second = await world.list('images', { limit: 2, continue: first.continue })
      const third = await world.list('images', { limit: 2, continue: second.continue })
      assert.deepEqual([first, second, third].flatMap(images), [
        'shop image-a 1',
        'shop image-b 1',
        'shop image-c 1',
        'shop image-d 1',
        'shop image-e 1',
      ])
      assert.equal(third.continue, '')
      assert.equal(third.resourceVersion, first.resourceVersion)
      assert.deepEqual(third.extra, first.extra)
      assert.deepEqual(told(await world.replay('images', third.resourceVersion)), [
        'DELETED shop image-d 0',
        'ADDED shop image-f 1',
      ])
    })

    it('of events go on where the one before ended, also after a restart', async () => {
      const first = await world.list('imageevents', { limit: 2 })
      world.cluster.end('shop', 'a')
      await world.settle()
      await world.stop()
      await world.start()
      const second = await world.list('imageevents', { limit: 2, continue: first.continue })
      const third = await world.list('imageevents', { limit: 2, continue: second.continue })
      assert.deepEqual([first, second, third].flatMap(events), [
        '+image-a shop/a late',
        '+image-b shop/b late',
        '+image-c shop/c late',
        '+image-d shop/d late',
        '+image-e shop/e late',
      ])
      assert.deepEqual(told(await world.replay('imageevents', third.resourceVersion)), [
        'ADDED -image-a shop/a',
      ])
    })

    it('are given for the list that was asked for, and for some minutes', async () => {
      const { continue: token } = await world.list('images', { limit: 2 })
      const expired = { name: 'ApiError', reason: 'Expired' }
      await assert.rejects(world.list('images', { namespace: 'shop', limit: 2, continue: token }), expired)
      await assert.rejects(world.list('clusterimages', { limit: 2, continue: token }), expired)
      await assert.rejects(world.list('images', { limit: 2, continue: 'guessed' }), expired)
      await assert.rejects(world.list('imageevents', { limit: 2, continue: token }), expired)
      await world.settle(301)
      await assert.rejects(world.list('images', { limit: 2, continue: token }), expired)
    })
  })

  describe('history', () => {
    it('can be asked from a moment on, and says where it begins', async () => {
      await world.start()
      world.cluster.run('shop', 'a', { app: 'old' })
      await world.settle()
      const sinceTime = world.clock.now()
      world.cluster.run('shop', 'b', { app: 'new' })
      await world.settle()
      const page = await world.list('imageevents', { sinceTime })
      assert.deepEqual(events(page), ['+new shop/b'])
      assert.deepEqual(page.warnings, [])
      const notices = await world.replay('imageevents', undefined, { sinceTime })
      assert.deepEqual(told(notices), ['ADDED +new shop/b', 'initial end'])
      const { warnings } = await world.list('imageevents', { sinceTime: sinceTime - 3_600_000 })
      assert.deepEqual(warnings, ['the history of images begins at 2026-11-21T02:14:07Z'])
    })

    it('is found by image, by operation and by pod', async () => {
      await world.start()
      world.cluster.run('shop', 'a', { app: 'nginx' })
      world.cluster.run('shop', 'b', { app: 'redis' })
      world.cluster.end('shop', 'a')
      await world.settle()
      const of = async (field: string, value: string, operator: '=' | '!=' = '=') =>
        events(await world.list('imageevents', { fields: [{ field, operator, value }] }))
      assert.deepEqual(await of('image', 'nginx'), ['+nginx shop/a', '-nginx shop/a'])
      assert.deepEqual(await of('image', 'nginx', '!='), ['+redis shop/b'])
      assert.deepEqual(await of('op', '-'), ['-nginx shop/a'])
      assert.deepEqual(await of('pod.name', 'b'), ['+redis shop/b'])
      assert.deepEqual(await of('late', 'true'), [])
      const fields = [{ field: 'image', operator: '=', value: 'nginx' }] as const
      assert.deepEqual(told(await world.replay('imageevents', undefined, { fields })), [
        'ADDED +nginx shop/a',
        'ADDED -nginx shop/a',
        'initial end',
      ])
    })

    it('gives a single event by its number, and only to those who may see it', async () => {
      world.cluster.run('shop', 'a', { app: 'nginx' })
      await world.start()
      const [event] = (await world.list('imageevents')).items
      const name = event?.metadata.name ?? ''
      const get = (plural: 'imageevents' | 'clusterimageevents', namespace?: string, namespaceUid?: string) =>
        world.get(plural, { name, namespace, namespaceUid })
      assert.deepEqual(await get('imageevents', 'shop', world.cluster.namespace('shop')), event)
      assert.equal(await get('imageevents', 'shop', 'another life'), undefined)
      assert.equal(await get('imageevents', 'pay'), undefined)
      assert.equal((await get('clusterimageevents'))?.kind, 'ClusterImageEvent')
      for (const wrong of ['x', '1', `${name}0`, `0${name}`, `${name}.0`]) {
        assert.equal(await world.get('imageevents', { name: wrong }), undefined, wrong)
      }
    })
  })

  describe('namespaces', () => {
    it('that were deleted leave nothing to the next owner of their name', async () => {
      world.cluster.run('shop', 'a', { app: 'secret-project' })
      await world.start()
      const first = world.cluster.namespace('shop')
      world.cluster.endNamespace('shop')
      await world.settle()
      world.cluster.run('shop', 'b', { app: 'nginx' })
      await world.settle()
      const second = world.cluster.namespace('shop')
      const of = async (namespaceUid: string | undefined) =>
        events(await world.list('imageevents', { namespace: 'shop', namespaceUid }))
      assert.deepEqual(await of(second), ['+nginx shop/b'])
      assert.deepEqual(await of(first), ['+secret-project shop/a late', '-secret-project shop/a'])
      assert.equal((await of(undefined)).length, 3)
      const start = (await world.list('imageevents')).items[0]?.metadata.resourceVersion
      assert.deepEqual(
        told(await world.replay('imageevents', start, { namespace: 'shop', namespaceUid: second })),
        ['ADDED +nginx shop/b'],
      )
    })

    it('are known by pods that came while the one in question was there, where that has gone meanwhile', async () => {
      await world.start()
      for (const name of ['a', 'b']) world.cluster.run('shop', name, { app: 'nginx' })
      world.cluster.end('shop', 'a')
      await world.settle()
      const namespaceUid = world.cluster.namespace('shop')
      const all = ['+nginx shop/a']
      assert.deepEqual(events(await world.list('imageevents')), all)
      assert.deepEqual(events(await world.list('imageevents', { namespace: 'shop', namespaceUid })), all)
    })

    it('are known by a pod of which the watch tells only while the first one, gone already, is asked for', async () => {
      await world.start()
      const namespaceUid = world.cluster.namespace('shop')
      // Asking takes its time: meanwhile another pod comes, the first goes, and the watch tells of it.
      world.cluster.beforeAnswer = (path) => {
        if (!path.endsWith('/namespaces/shop')) return
        world.cluster.beforeAnswer = undefined
        world.cluster.run('shop', 'b', { app: 'nginx' })
        world.cluster.end('shop', 'a')
      }
      world.cluster.run('shop', 'a', { app: 'nginx' })
      await world.settle()
      const all = ['+nginx shop/a']
      assert.deepEqual(events(await world.list('imageevents')), all)
      assert.deepEqual(events(await world.list('imageevents', { namespace: 'shop', namespaceUid })), all)
      assert.deepEqual(images(await world.list('images')), ['shop nginx 1'])
    })

    it('are not known by a pod that came only after the end of the first', async () => {
      await world.start()
      const first = world.cluster.namespace('shop')
      world.cluster.beforeAnswer = (path) => {
        if (!path.endsWith('/namespaces/shop')) return
        world.cluster.beforeAnswer = undefined
        world.cluster.endNamespace('shop')
        world.cluster.run('shop', 'b', { app: 'nginx' })
      }
      world.cluster.run('shop', 'a', { app: 'nginx' })
      await world.settle()
      const second = world.cluster.namespace('shop')
      assert.notEqual(second, first)
      const of = async (namespaceUid: string | undefined) =>
        events(await world.list('imageevents', { namespace: 'shop', namespaceUid }))
      assert.deepEqual(await of(first), [])
      assert.deepEqual(await of(second), ['+nginx shop/b'])
      assert.deepEqual(await of(undefined), ['+nginx shop/a', '-nginx shop/a', '+nginx shop/b'])
    })

    it('are asked for once as long as a pod of them is known, and again after the last', async () => {
      await world.start()
      world.cluster.requests.length = 0
      for (const name of ['a', 'b', 'c']) world.cluster.run('shop', name, { app: name })
      await world.settle()
      assert.deepEqual(world.cluster.requests, [
        'GET /api/v1/namespaces/shop',
        'GET /api/v1/namespaces/shop/pods?fieldSelector=metadata.name%3Da&limit=1',
      ])
      for (const name of ['a', 'b', 'c']) world.cluster.end('shop', name)
      world.cluster.run('shop', 'd', { app: 'd' })
      await world.settle()
      assert.equal(world.cluster.requests.length, 3)
    })

    it('are all read at the start, those that are old enough to be believed in one request', async () => {
      for (const name of ['shop', 'pay', 'dev']) world.cluster.run(name, 'a', { app: 'nginx' })
      await world.clock.advance(3_600_000)
      world.cluster.run('new', 'a', { app: 'nginx' })
      await world.start()
      assert.equal(world.cluster.requests.length, 3)
      for (const name of ['shop', 'pay', 'dev', 'new']) {
        const namespaceUid = world.cluster.namespace(name)
        assert.equal((await world.list('images', { namespace: name, namespaceUid })).items.length, 1)
      }
    })

    it('that cannot be read hold everything up, and it says so', async () => {
      await world.start()
      world.cluster.failure = 500
      world.cluster.run('shop', 'a', { app: 'nginx' })
      await world.settle(60)
      assert.deepEqual(events(await world.list('imageevents')), [])
      assert.match(
        world.room.ready().reason,
        /^waiting for the uid of 1 namespace \(\d+ attempts failed, KUBE_\w+\): see the log$/,
      )
      // Whoever reaches the port may read that, and users are told it.
      assert.doesNotMatch(world.room.alive().reason, /shop/)
      assert.equal(world.room.alive().ok, true)
      world.cluster.failure = undefined
      await world.settle(60)
      assert.deepEqual(events(await world.list('imageevents')), ['+nginx shop/a'])
      assert.equal(world.room.ready().reason, 'following 1 pod, 1 image in use')
    })
  })

  it('reads on while the disk is full, says since when nothing is recorded, and loses nothing', async () => {
    world.cluster.run('shop', 'a', { app: 'nginx' })
    await world.start()
    world.full = true
    world.cluster.run('shop', 'b', { app: 'redis' })
    await world.settle(30)
    world.cluster.end('shop', 'a')
    await world.settle(30)
    const page = await world.list('images')
    assert.deepEqual(images(page), ['shop nginx 1'])
    assert.equal(page.warnings?.length, 1)
    assert.match(page.warnings?.[0] ?? '', /nothing is recorded since 2026-11-21T02:14:10Z/)
    assert.equal(world.room.ready().ok, true)
    assert.match(world.room.ready().reason, /no space is left/)
    assert.equal(world.room.alive().ok, true)
    world.full = false
    await world.settle(10)
    assert.deepEqual(events(await world.list('imageevents')), [
      '+nginx shop/a late',
      '+redis shop/b',
      '-nginx shop/a',
    ])
    assert.deepEqual((await world.list('images')).warnings, [])
  })

  it('begins on a full disk as far as that goes: with what it knew where that is still so, else once there is space', async () => {
    world.full = true
    await world.start()
    assert.equal(world.room.ready().reason, 'on purpose')
    world.full = false
    await world.settle(5)
    world.cluster.run('shop', 'a', { app: 'nginx' })
    await world.settle()
    await world.stop()
    world.full = true
    await world.start()
    assert.deepEqual(images(await world.list('images')), ['shop nginx 1'])
    await world.stop()
    world.cluster.run('shop', 'b', { app: 'redis' })
    await world.start()
    assert.match(world.room.ready().reason, /^waiting for space: there is no space left on the volume/)
    await assert.rejects(world.list('images'), { reason: 'ServiceUnavailable' })
    world.full = false
    await world.settle(6)
    assert.deepEqual(events(await world.list('imageevents')), ['+nginx shop/a', '+redis shop/b late'])
  })

  it('waits for a store that another process still has', async () => {
    const other = openStore(
      { folder: world.folder, name: 'image-graph', migrations: [] },
      { clock: world.clock, log: world.log },
    )
    await world.start()
    assert.match(world.room.ready().reason, /another process keeps its data in this folder/)
    assert.equal(world.room.alive().ok, true)
    other.close()
    await world.settle(5)
    assert.deepEqual((await world.list('images')).items, [])
  }).timeout(30_000)

  it('answers 503 and says who holds the Lease, until it is its turn', async () => {
    world.leadership.take()
    await world.start()
    const message =
      'the image graph cannot answer yet: waiting for the Lease deckwatch-image-graph, held by another'
    await assert.rejects(world.list('images'), {
      reason: 'ServiceUnavailable',
      retryAfterSeconds: 2,
      message,
    })
    assert.equal(world.room.ready().ok, false)
    assert.equal(world.room.alive().ok, true)
    world.leadership.give()
    await world.settle()
    assert.deepEqual((await world.list('images')).items, [])
    world.leadership.take()
    await world.settle()
    await assert.rejects(world.list('images'), { reason: 'ServiceUnavailable', retryAfterSeconds: 2 })
  })

  it('lets nobody wait in vain: what lasts longer than a takeover is told without asking to come again', async () => {
    world.leadership.take()
    await world.start()
    await world.settle(25)
    const atOnce = { reason: 'ServiceUnavailable', retryAfterSeconds: undefined }
    await assert.rejects(world.list('images'), atOnce)
    world.leadership.give()
    await world.settle()
    assert.deepEqual((await world.list('images')).items, [])
    world.leadership.take()
    await world.settle(1)
    await assert.rejects(world.list('images'), { ...atOnce, retryAfterSeconds: 2 })
    await world.settle(25)
    await assert.rejects(world.list('images'), atOnce)
  })

  it('begins anew where the store is damaged, and says so', async () => {
    world.cluster.run('shop', 'a', { app: 'nginx' })
    await world.start()
    await world.stop()
    writeFileSync(join(world.folder, 'image-graph.sqlite'), 'no database at all '.repeat(1000))
    await world.settle(60)
    await world.start()
    assert.match(world.room.ready().reason, /the history was found damaged and begun anew/)
    const { warnings } = await world.list('imageevents')
    assert.equal(warnings?.length, 1)
    assert.deepEqual(events(await world.list('imageevents')), ['+nginx shop/a late'])
    await world.stop()
    await world.start()
    assert.deepEqual((await world.list('imageevents')).warnings, [])
  })

  it('goes on when the clock is set back', async () => {
    await world.start()
    world.cluster.run('shop', 'a', { app: 'nginx' })
    await world.settle()
    world.skew = -3_600_000
    world.cluster.run('shop', 'b', { app: 'nginx' })
    await world.settle(12)
    assert.deepEqual(images(await world.list('images')), ['shop nginx 2'])
    assert.equal(world.room.alive().ok, true)
  })
})
