import assert from 'node:assert/strict'
import { ApiError } from '../../../server/kit/api/api-error.ts'
import type { Caller } from '../../../server/kit/api/caller.ts'
import type { ListQuery, ResourceReader, WatchNotice, WatchQuery } from '../../../server/kit/api/resource.ts'
import { createPeerReader } from '../../../server/kit/peer/peer-reader.ts'
import { MemoryResource } from '../../kit/aggregated/memory-resource.ts'
import { startPeerWorld } from './peer-world.ts'

interface Subject {
  readonly widgets: MemoryResource
  readonly reader: ResourceReader
  stop(): Promise<void>
}

const JANE: Caller = { username: 'jäne', uid: 'u-1', groups: ['a, b', 'c'], extra: { 'x/y': ['1', '2'] } }

const LIST: ListQuery = {
  namespace: undefined,
  namespaceUid: undefined,
  fields: [],
  limit: 0,
  continue: '',
  sinceTime: undefined,
}

const WATCH: WatchQuery = {
  namespace: undefined,
  namespaceUid: undefined,
  fields: [],
  resourceVersion: undefined,
  sinceTime: undefined,
}

const SUBJECTS: Readonly<Record<string, () => Promise<Subject>>> = {
  'a reader of this pod': async () => {
    const widgets = new MemoryResource()
    return { widgets, reader: widgets, stop: async () => undefined }
  },
  'the same reader through another pod': async () => {
    const world = await startPeerWorld()
    return {
      widgets: world.widgets,
      reader: createPeerReader(world.client, 'widgets'),
      stop: () => world.stop(),
    }
  },
}

for (const [title, start] of Object.entries(SUBJECTS)) {
  describe(`the contract of readers: ${title}`, () => {
    let subject: Subject
    const controllers: AbortController[] = []

    beforeEach(async () => {
      subject = await start()
    })

    afterEach(async () => {
      for (const controller of controllers.splice(0)) controller.abort()
      await subject.stop()
    })

    const signal = (): AbortSignal => {
      const controller = new AbortController()
      controllers.push(controller)
      return controller.signal
    }

    const follow = (query: Partial<WatchQuery> = {}, until = signal()) =>
      subject.reader.watch({ ...WATCH, ...query }, JANE, until)[Symbol.asyncIterator]()

    const take = async (
      watch: AsyncIterator<WatchNotice>,
      wanted: (notice: WatchNotice) => boolean = ({ type }) => type !== 'BOOKMARK',
    ): Promise<WatchNotice> => {
      for (;;) {
        const { done, value } = await watch.next()
        assert.ok(!done, 'the watch ended')
        if (wanted(value)) return value
      }
    }

    it('lists whole objects with what the list says beside them', async () => {
      subject.widgets.warnings = ['history begins on Monday', 'ünd "so"']
      const one = subject.widgets.put({ name: 'a', namespace: 'shop', labels: { 'a/b': 'ü' } })
      const two = subject.widgets.put({ name: 'b', namespace: 'shop' })
      assert.deepEqual(await subject.reader.list(LIST, JANE, signal()), {
        items: [one, two],
        resourceVersion: subject.widgets.version,
        continue: '',
        remaining: undefined,
        extra: { summary: { widgets: 2 } },
        warnings: ['history begins on Monday', 'ünd "so"'],
      })
    })

    it('pages through a list', async () => {
      for (const letter of ['a', 'b', 'c']) subject.widgets.put({ name: letter, namespace: 'shop' })
      const first = await subject.reader.list({ ...LIST, limit: 2 }, JANE, signal())
      assert.equal(first.remaining, 1)
      const second = await subject.reader.list(
        { ...LIST, limit: 2, continue: first.continue },
        JANE,
        signal(),
      )
      assert.deepEqual(
        [...first.items, ...second.items].map(({ metadata }) => metadata.name),
        ['a', 'b', 'c'],
      )
      assert.equal(second.continue, '')
    })

    it('shows of a namespace only what belongs to its uid', async () => {
      subject.widgets.put({ name: 'old', namespace: 'shop', namespaceUid: 'first' })
      const mine = subject.widgets.put({ name: 'new', namespace: 'shop', namespaceUid: 'second' })
      const query = { ...LIST, namespace: 'shop', namespaceUid: 'second' }
      assert.deepEqual((await subject.reader.list(query, JANE, signal())).items, [mine])
      assert.equal(await subject.reader.get({ ...query, name: 'old' }, JANE, signal()), undefined)
    })

    it('gets one object, or nothing', async () => {
      const one = subject.widgets.put({ name: 'a', namespace: 'shop' })
      const scope = { namespace: 'shop', namespaceUid: undefined }
      assert.deepEqual(await subject.reader.get({ ...scope, name: 'a' }, JANE, signal()), one)
      assert.equal(await subject.reader.get({ ...scope, name: 'b' }, JANE, signal()), undefined)
    })

    it('carries failures over as they are', async () => {
      subject.widgets.failure = new ApiError('ServiceUnavailable', 'nothing to tell yet', {
        retryAfterSeconds: 7,
      })
      const expected = { reason: 'ServiceUnavailable', message: 'nothing to tell yet', retryAfterSeconds: 7 }
      await assert.rejects(subject.reader.list(LIST, JANE, signal()), expected)
      await assert.rejects(
        subject.reader.get({ namespace: 'a', namespaceUid: undefined, name: 'b' }, JANE, signal()),
        expected,
      )
      await assert.rejects(follow().next(), expected)
    })

    it('begins a watch with what is there and says where that ends', async () => {
      const one = subject.widgets.put({ name: 'a', namespace: 'shop' })
      const watch = follow()
      assert.deepEqual(await take(watch, () => true), { type: 'ADDED', object: one })
      assert.deepEqual(await take(watch, () => true), {
        type: 'BOOKMARK',
        resourceVersion: subject.widgets.version,
        initialEnd: true,
      })
    })

    it('follows what is added, changed and removed', async () => {
      const watch = follow({ resourceVersion: subject.widgets.version })
      const red = subject.widgets.put({ name: 'a', namespace: 'shop' })
      assert.deepEqual(await take(watch), { type: 'ADDED', object: red })
      const blue = subject.widgets.put({ name: 'a', namespace: 'shop', color: 'blue' })
      assert.deepEqual(await take(watch), { type: 'MODIFIED', object: blue, previous: red })
      subject.widgets.remove('a', 'shop')
      assert.equal((await take(watch)).type, 'DELETED')
    })

    it('resumes a watch exactly where another ended', async () => {
      const before = subject.widgets.version
      const names = ['a', 'b', 'c']
      for (const name of names) subject.widgets.put({ name, namespace: 'shop' })
      const first = await take(follow({ resourceVersion: before }))
      assert.ok(first.type === 'ADDED')
      const rest = follow({ resourceVersion: first.object.metadata.resourceVersion })
      for (const expected of ['b', 'c']) {
        const notice = await take(rest)
        assert.equal(notice.type === 'ADDED' && notice.object.metadata.name, expected)
      }
    })

    it('refuses to resume from what is forgotten', async () => {
      const before = subject.widgets.version
      subject.widgets.expire()
      await assert.rejects(follow({ resourceVersion: before }).next(), { reason: 'Expired' })
    })

    it('ends a watch quietly when its signal aborts, and lets go of it', async () => {
      const until = new AbortController()
      const watch = follow({}, until.signal)
      await take(watch, () => true)
      until.abort()
      for (;;) if ((await watch.next()).done) break
      await released(subject.widgets)
    })

    it('lets go of a watch whose reader stops half way', async () => {
      for await (const notice of subject.reader.watch(WATCH, JANE, signal())) {
        assert.equal(notice.type, 'BOOKMARK')
        break
      }
      await released(subject.widgets)
    })
  })
}

async function released(widgets: MemoryResource): Promise<void> {
  while (widgets.watchers > 0) {
    await new Promise((resolve) => {
      setTimeout(resolve, 5)
    })
  }
}
