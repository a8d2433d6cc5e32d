import assert from 'node:assert/strict'
import { ApiError } from '../../../server/kit/api/api-error.ts'
import type {
  ListPage,
  ListQuery,
  ResourceReader,
  ServedObject,
  WatchNotice,
  WatchQuery,
} from '../../../server/kit/api/resource.ts'

/** A reader whose objects a test can make. */
export interface ReaderWorld {
  readonly reader: ResourceReader
  /** The uid of a namespace that objects are made in. */
  namespaceUid(namespace: string): string
  /** Brings about one more object in a namespace, and waits until it can be read; the numbers are not used twice. */
  add(namespace: string, number: number): Promise<void>
  /** Undoes that, by which the object goes or another comes; waits likewise. */
  undo(namespace: string, number: number): Promise<void>
  /** Lets the reader do what is due. */
  settle(): Promise<void>
  /** Says, where it is not the query that says it, as whom the reader is asked from now on. */
  seeOnly?(namespaceUid: string): void
  stop(): Promise<void>
}

const CALLER = { username: 'jane', uid: '', groups: ['dev'], extra: {} }
const ALL = { namespace: undefined, namespaceUid: undefined, fields: [], sinceTime: undefined }

/** What holds for every reader, be it of a room, of a peer, or in memory. */
export function checkResourceReader(title: string, start: () => Promise<ReaderWorld>): void {
  describe(`the reader ${title}`, () => {
    let world: ReaderWorld
    const watches: AbortController[] = []

    beforeEach(async () => {
      world = await start()
      for (const namespace of ['one', 'two'])
        for (const number of [1, 2, 3]) await world.add(namespace, number)
      await world.undo('one', 2)
    })
    afterEach(async () => {
      for (const watch of watches.splice(0)) watch.abort()
      await world.stop()
    })

    const list = (query: Partial<ListQuery> = {}): Promise<ListPage> =>
      world.reader.list({ ...ALL, limit: 0, continue: '', ...query }, CALLER, new AbortController().signal)

    const watch = (query: Partial<WatchQuery> = {}): AsyncIterator<WatchNotice> => {
      const controller = new AbortController()
      watches.push(controller)
      const notices = world.reader.watch(
        { ...ALL, resourceVersion: undefined, ...query },
        CALLER,
        controller.signal,
      )
      return notices[Symbol.asyncIterator]()
    }

    /** What a watch tells of objects until they are as in the list, without bookmarks. */
    async function follow(
      notices: AsyncIterator<WatchNotice>,
      objects: Map<string, ServedObject>,
      until: ListPage,
    ): Promise<readonly WatchNotice[]> {
      const told: WatchNotice[] = []
      const expected = keys(until.items)
      while (JSON.stringify(keys(objects.values())) !== JSON.stringify(expected)) {
        const { done, value } = await next(notices)
        assert.ok(!done, 'the watch ended')
        if (value.type === 'BOOKMARK') continue
        told.push(value)
        const key = keyOf(value.object)
        if (value.type === 'DELETED') assert.ok(objects.delete(key), `${key} was not known`)
        else objects.set(key, value.object)
      }
      return told
    }

    /** The next notice; the reader may have something to do first. */
    async function next(notices: AsyncIterator<WatchNotice>): Promise<IteratorResult<WatchNotice, unknown>> {
      const notice = notices.next()
      const came = notice.then(
        () => true,
        () => true,
      )
      for (let round = 0; round < 200; round += 1) {
        if (await Promise.race([came, world.settle().then(() => false)])) break
      }
      return notice
    }

    it('gives whole objects with increasing versions below the list’s', async () => {
      const { items, resourceVersion } = await list()
      assert.ok(items.length >= 5)
      assert.match(resourceVersion, /^\d+$/)
      assert.equal(new Set(keys(items)).size, items.length)
      for (const { apiVersion, kind, metadata } of items) {
        assert.equal(apiVersion, 'deckwatch.dev/v1alpha1')
        assert.ok(kind)
        assert.match(metadata.uid, /^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
        assert.match(metadata.resourceVersion, /^\d+$/)
        assert.ok(BigInt(metadata.resourceVersion) <= BigInt(resourceVersion))
        assert.match(metadata.creationTimestamp, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/)
      }
    })

    it('gives pages that are together what it gives at once', async () => {
      const whole = await list()
      for (const limit of [1, 2, whole.items.length - 1, whole.items.length, 100]) {
        const items: ServedObject[] = []
        let token = ''
        do {
          const page = await list({ limit, continue: token })
          assert.ok(page.items.length <= limit)
          assert.equal(page.resourceVersion, whole.resourceVersion)
          items.push(...page.items)
          if (page.remaining !== undefined) assert.equal(page.remaining, whole.items.length - items.length)
          token = page.continue
        } while (token !== '')
        assert.deepEqual(items.map(keyOf), whole.items.map(keyOf), `pages of ${limit}`)
      }
    })

    it('refuses a token that it did not give', async () => {
      for (const token of ['nonsense', 'e30', '9'.repeat(50), '..']) {
        await assert.rejects(
          list({ limit: 1, continue: token }),
          (error) => error instanceof ApiError && (error.status === 410 || error.status === 400),
        )
      }
    })

    it('gives one object by its name, in its namespace only', async () => {
      const [object] = (await list()).items
      assert.ok(object)
      const { name, namespace } = object.metadata
      const get = (query: object): Promise<ServedObject | undefined> => {
        const scope = { namespace, namespaceUid: undefined, name }
        return world.reader.get({ ...scope, ...query }, CALLER, new AbortController().signal)
      }
      assert.deepEqual(await get({}), object)
      assert.equal(await get({ name: 'there-is-none' }), undefined)
      assert.equal(await get({ namespace: 'nowhere' }), undefined)
    })

    it('keeps to a namespace, and to the life of it that is asked for', async () => {
      const one = await list({ namespace: 'one' })
      assert.ok(one.items.length > 0)
      assert.ok(one.items.every(({ metadata }) => metadata.namespace === 'one'))
      const two = await list({ namespace: 'two' })
      assert.equal(one.items.length + two.items.length, (await list()).items.length)

      const namespaceUid = world.namespaceUid('one')
      world.seeOnly?.(namespaceUid)
      assert.deepEqual(keys((await list({ namespace: 'one', namespaceUid })).items), keys(one.items))

      const other = { namespace: 'one', namespaceUid: 'of-another-life' }
      world.seeOnly?.(other.namespaceUid)
      assert.deepEqual((await list(other)).items, [])
      const name = one.items[0]?.metadata.name ?? ''
      assert.equal(
        await world.reader.get({ ...other, name }, CALLER, new AbortController().signal),
        undefined,
      )
      const first = await next(watch(other))
      assert.equal((first.value as WatchNotice).type, 'BOOKMARK')
    })

    it('tells in a watch from a list all that happens after it, in order', async () => {
      const before = await list()
      const notices = watch({ resourceVersion: before.resourceVersion })
      await world.add('one', 4)
      await world.undo('two', 1)
      await world.add('two', 5)
      const after = await list()
      const told = await follow(notices, byKey(before.items), after)
      const versions = told.map((notice) =>
        BigInt(notice.type === 'BOOKMARK' ? 0 : notice.object.metadata.resourceVersion),
      )
      for (const [index, version] of versions.entries()) {
        assert.ok(version > (versions[index - 1] ?? BigInt(before.resourceVersion)), `version ${version}`)
      }
    })

    it('goes on from any version that it told, and from any bookmark', async () => {
      const before = await list()
      const notices = watch({ resourceVersion: before.resourceVersion })
      await world.add('one', 4)
      await world.undo('one', 3)
      await world.add('one', 5)
      await world.add('two', 6)
      const after = await list()
      const told = await follow(notices, byKey(before.items), after)
      for (const [index, notice] of told.entries()) {
        if (notice.type === 'BOOKMARK') continue
        const { resourceVersion } = notice.object.metadata
        const rest = await follow(
          watch({ resourceVersion }),
          fold(before.items, told.slice(0, index + 1)),
          after,
        )
        assert.deepEqual(rest.map(briefly), told.slice(index + 1).map(briefly))
      }
    })

    it('begins a watch without a version with what is there, and marks its end once', async () => {
      const there = await list()
      const notices = watch()
      const objects = new Map<string, ServedObject>()
      let ends = 0
      while (ends === 0) {
        const { value } = (await next(notices)) as { value: WatchNotice }
        if (value.type === 'BOOKMARK') {
          if (value.initialEnd) ends += 1
        } else {
          assert.equal(value.type, 'ADDED')
          objects.set(keyOf(value.object), value.object)
        }
      }
      assert.deepEqual(keys(objects.values()), keys(there.items))
      await world.add('one', 4)
      const after = await list()
      const told = await follow(notices, objects, after)
      assert.ok(told.length >= 1)
    })

    it('begins it with the namespace’s own only', async () => {
      const there = await list({ namespace: 'two' })
      const notices = watch({ namespace: 'two' })
      await follow(notices, new Map(), there)
      const before = await list({ namespace: 'two' })
      await world.add('one', 4)
      await world.add('two', 4)
      const told = await follow(notices, byKey(before.items), await list({ namespace: 'two' }))
      assert.ok(
        told.every((notice) => notice.type === 'BOOKMARK' || notice.object.metadata.namespace === 'two'),
      )
    })

    it('says 410 of versions that it has not reached', async () => {
      const { resourceVersion } = await list()
      const later = String(BigInt(resourceVersion) + 1000n)
      await assert.rejects(
        next(watch({ resourceVersion: later })),
        (error) => error instanceof ApiError && error.status === 410,
      )
    })

    it('ends a watch when its signal aborts, also before it began', async () => {
      const controller = new AbortController()
      const query = { ...ALL, resourceVersion: (await list()).resourceVersion }
      const notices = world.reader.watch(query, CALLER, controller.signal)[Symbol.asyncIterator]()
      const ended = (async () => {
        for (;;) if ((await notices.next()).done) return
      })()
      for (let round = 0; round < 5; round += 1) await world.settle()
      controller.abort()
      await ended
      const never = world.reader.watch(query, CALLER, AbortSignal.abort())[Symbol.asyncIterator]()
      for (;;) if ((await never.next()).done) break
    })
  })
}

function keyOf({ metadata }: ServedObject): string {
  return `${metadata.namespace ?? ''}/${metadata.name}`
}

function keys(objects: Iterable<ServedObject>): readonly string[] {
  return [...objects].map(keyOf).toSorted()
}

function byKey(objects: readonly ServedObject[]): Map<string, ServedObject> {
  return new Map(objects.map((object) => [keyOf(object), object]))
}

function fold(objects: readonly ServedObject[], told: readonly WatchNotice[]): Map<string, ServedObject> {
  const known = byKey(objects)
  for (const notice of told) {
    if (notice.type === 'BOOKMARK') continue
    if (notice.type === 'DELETED') known.delete(keyOf(notice.object))
    else known.set(keyOf(notice.object), notice.object)
  }
  return known
}

function briefly(notice: WatchNotice): string {
  return notice.type === 'BOOKMARK' ? notice.type : `${notice.type} ${keyOf(notice.object)}`
}
