import assert from 'node:assert/strict'
import { companionPath, companionPurpose } from '../../../src/core/kube/companion.ts'
import type { JournalNotice } from '../../../src/core/kube/journal-notice.ts'
import { followJournal } from '../../../src/core/kube/journal-watch.ts'
import { DeckError, type ErrorCode } from '../../../src/core/lib/errors.ts'
import type { ImageEvent } from '../../../src/core/wire/image.ts'
import { type FakeApi, startFakeApi } from '../../kit/fake-api/fake-api.ts'
import { isWatch } from '../../kit/fake-api/fake-faults.ts'
import { fakeTransport } from '../../kit/fake-api/fake-transport.ts'
import { buildPod } from '../../kit/fake-api/pod-builder.ts'
import { ManualClock } from '../../kit/manual-clock.ts'

const QUIET_MS = 90_000
const SETTLE_MS = 1000
const ABSENT_MS = 20_000
const DOWN_MS = 300_000

interface List {
  readonly resourceVersion: string
}
type Notice = JournalNotice<ImageEvent, List>

const identity = { contextName: '', userName: '', server: 'http://test' }
const events = { resource: 'clusterimageevents', identity }

function text(notice: Notice): string {
  switch (notice.type) {
    case 'record':
      return `${notice.record.op} ${notice.record.image}`
    case 'resumed':
      return `resumed by ${notice.how}`
    case 'relisted':
      return 'relisted'
    default:
      return notice.type
  }
}

describe('following a journal', () => {
  let api: FakeApi
  let clock: ManualClock
  let stop: AbortController
  let notices: AsyncGenerator<Notice, void>
  let gone: boolean
  /** Fails so often before it gives the list. */
  let relistsFail: number

  const put = (name: string, image: string): void =>
    void api.put(buildPod(name, { namespace: 'shop', uid: `uid-${name}`, containers: [image] }))

  beforeEach(async () => {
    api = await startFakeApi({ companion: true })
    put('first', 'a:1')
    clock = new ManualClock()
    stop = new AbortController()
    relistsFail = 0
    gone = false
    const transport = await fakeTransport(api)
    const current = (): string => String(api.companion.version)
    notices = followJournal<ImageEvent, List>({
      transport,
      source: { path: companionPath(events), purpose: companionPurpose(events) },
      read: (object) => object as ImageEvent,
      resourceVersion: current(),
      relist: async () => {
        if (relistsFail-- > 0) throw new DeckError('KUBE_UNAVAILABLE', 'told by the test', { status: 503 })
        return { resourceVersion: current() }
      },
      isGone: async () => gone,
      clock,
      random: () => 0,
      signal: stop.signal,
    })
  })
  afterEach(async () => {
    stop.abort()
    await notices.return()
    await api.stop()
  })

  async function next(): Promise<string> {
    const { value, done } = await notices.next()
    return done ? 'the end' : text(value)
  }

  async function expectNext(...expected: string[]): Promise<void> {
    for (const line of expected) assert.equal(await next(), line)
  }

  /** Starts it and waits for the watch. */
  async function watching(): Promise<void> {
    await expectNext('watching')
  }

  /** The next notice, while time passes in steps for whoever sleeps. */
  async function nextInTime(passMs: number, stepMs = 250): Promise<string> {
    const told: string[] = []
    const coming = next().then((line) => told.push(line))
    for (let passed = 0; told.length === 0 && passed < passMs; passed += stepMs) {
      await Promise.race([coming, clock.untilSleep(() => true)])
      // What the server sends meanwhile comes through a socket.
      await new Promise((resolve) => setTimeout(resolve, 5))
      if (told.length === 0) await clock.advance(stepMs)
    }
    await coming
    return told[0] ?? ''
  }

  it('tells each record once, in order, from the version on', async () => {
    await watching()
    put('second', 'b:1')
    put('third', 'c:1')
    api.remove('Pod', 'shop', 'second')
    await expectNext('+ b:1', '+ c:1', '- b:1')
  })

  it('says nothing of a watch that the server ends in good order, and misses nothing', async () => {
    await watching()
    put('second', 'b:1')
    await expectNext('+ b:1')
    api.companion.endWatches()
    put('third', 'c:1')
    assert.equal(await nextInTime(2000), '+ c:1')
  })

  it('goes on after the last record when the connection broke, with what was missed and nothing else', async () => {
    await watching()
    put('second', 'b:1')
    await expectNext('+ b:1')
    await api.down()
    assert.equal(await nextInTime(1000), 'interrupted')
    put('third', 'c:1')
    api.remove('Pod', 'shop', 'second')
    await api.up()
    assert.equal(await nextInTime(5000), 'resumed by watch')
    await expectNext('+ c:1', '- b:1')
  })

  it('goes on after a bookmark where no record came', async () => {
    await watching()
    // Of the journal that all resources share this is no record for the whole cluster.
    api.put(buildPod('elsewhere', { namespace: 'pay', uid: 'uid-elsewhere', containers: ['a:1'] }))
    api.companion.bookmark()
    const coming = nextInTime(5000)
    while (api.companion.watches > 0) {
      await new Promise((resolve) => setTimeout(resolve, 20))
      api.companion.endWatches()
    }
    put('second', 'b:1')
    assert.equal(await coming, '+ b:1')
    const [first, second] = api.requests
      .filter(isWatch)
      .map(({ query }) => Number(query.get('resourceVersion')))
    assert.equal(second, (first ?? 0) + 1)
  })

  it('says that it has resumed though nothing was missed, once the watch has stood for a while', async () => {
    await watching()
    api.faults.next(isWatch, { kind: 'status', status: 503, reason: 'ServiceUnavailable' })
    api.dropConnections()
    assert.equal(await nextInTime(1000), 'interrupted')
    assert.equal(await nextInTime(2000 + SETTLE_MS), 'resumed by watch')
  })

  it('reads the list anew where the place is lost, and does not call that resumed before', async () => {
    await watching()
    relistsFail = 1
    api.companion.expire()
    api.companion.endWatches()
    assert.equal(await nextInTime(1000), 'interrupted')
    assert.equal(await nextInTime(5000), 'resumed by relist')
    await expectNext('relisted')
    put('second', 'b:1')
    assert.equal(await nextInTime(2000), '+ b:1')
  })

  it('opens a silent watch again', async () => {
    await watching()
    const coming = next()
    await clock.untilSleep((ms) => ms === QUIET_MS)
    await clock.advance(QUIET_MS)
    while (api.requests.filter(isWatch).length < 2) await new Promise((resolve) => setTimeout(resolve, 5))
    put('second', 'b:1')
    assert.equal(await coming, '+ b:1')
  })

  it('waits for a right that was withdrawn, and misses nothing when it is given back', async () => {
    await watching()
    const refused = api.faults.always(isWatch, { kind: 'status', status: 403, reason: 'Forbidden' })
    api.companion.endWatchesWith(403, 'Forbidden')
    assert.equal(await nextInTime(1000), 'interrupted')
    put('second', 'b:1')
    const asked = (): number => api.requests.filter(isWatch).length
    const coming = nextInTime(4 * DOWN_MS, 5000)
    // Longer than a companion may be down: it is there, and only this user is not let in.
    const refusedAt = clock.now()
    while (clock.now() - refusedAt < 2 * DOWN_MS || asked() < 10) {
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
    refused()
    assert.equal(await coming, 'resumed by watch')
    await expectNext('+ b:1')
  })

  it('gives up where the group is gone for longer than an API server needs to start', async () => {
    await watching()
    const goneAt = clock.now()
    api.uninstallCompanion()
    assert.equal(await nextInTime(1000), 'interrupted')
    assert.equal(await nextInTime(2 * ABSENT_MS, 1000), 'lost')
    assert.ok(clock.now() - goneAt >= ABSENT_MS)
    await expectNext('the end')
  })

  it('gives up where the rights went with the group', async () => {
    await watching()
    gone = true
    api.faults.always(isWatch, { kind: 'status', status: 403, reason: 'Forbidden' })
    api.companion.endWatches()
    assert.equal(await nextInTime(1000), 'interrupted')
    assert.equal(await nextInTime(2 * ABSENT_MS, 1000), 'lost')
  })

  it('gives up where the API server cannot reach the companion for minutes', async () => {
    await watching()
    const goneAt = clock.now()
    api.faults.always(isWatch, { kind: 'status', status: 503, reason: 'ServiceUnavailable' })
    api.companion.endWatches()
    assert.equal(await nextInTime(1000), 'interrupted')
    assert.equal(await nextInTime(2 * DOWN_MS, 5000), 'lost')
    assert.ok(clock.now() - goneAt >= DOWN_MS)
  })

  const atStart: [status: number, reason: string, code: ErrorCode][] = [
    [403, 'Forbidden', 'KUBE_FORBIDDEN'],
    [404, 'NotFound', 'KUBE_NOT_FOUND'],
    [503, 'ServiceUnavailable', 'KUBE_UNAVAILABLE'],
  ]
  for (const [status, reason, code] of atStart) {
    it(`throws what refuses the first watch: ${status}`, async () => {
      api.faults.next(isWatch, { kind: 'status', status, reason })
      await assert.rejects(next(), { code })
    })
  }

  it('ends quietly when it is aborted', async () => {
    await watching()
    const coming = next()
    stop.abort()
    assert.equal(await coming, 'the end')
  })
})
