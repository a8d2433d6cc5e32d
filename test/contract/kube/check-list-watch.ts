import assert from 'node:assert/strict'
import { setTimeout as delay } from 'node:timers/promises'
import { listWatch, type ListWatchEvent, type ListWatchTimes } from '../../../src/core/kube/list-watch.ts'
import { listPods, podSource } from '../../../src/core/kube/pod-list.ts'
import type { KubeTransport } from '../../../src/core/kube/transport.ts'
import { systemClock } from '../../../src/core/lib/time.ts'
import type { PodSlice } from '../../../src/core/wire/pod.ts'
import { EventFold } from './event-fold.ts'
import { ValveTransport } from './valve-transport.ts'

/** A server that the contract is checked on. */
export interface WatchedServer {
  transport(): Promise<KubeTransport>
  /** Makes a namespace that is empty and lets pods in. */
  namespace(): Promise<string>
  create(namespace: string, name: string): Promise<void>
  /** Changes the pod by giving it another label. */
  change(namespace: string, name: string): Promise<void>
  /** Deletes the pod at once. */
  remove(namespace: string, name: string): Promise<void>
  /** uid → resourceVersion of all pods, read by other means than those under test. */
  contents(namespace: string): Promise<ReadonlyMap<string, string>>
  /** Ends the server as a crash does; nothing answers until `restart`. */
  crash(): Promise<void>
  restart(): Promise<void>
  /** Makes every resourceVersion and continue token so far too old. */
  expire(): Promise<void>
}

const TIMES: Partial<ListWatchTimes> = { settleMs: 200, backoff: { firstMs: 20, maxMs: 200 } }

/**
 * Checks on one server, in one encoding, what `listWatch` and `listPods` promise. Not `thorough`: crashes and expiry
 * only as part of the last check, where each costs a restart of seconds.
 */
export function checkListWatch(server: () => WatchedServer, protobuf: boolean, thorough = true): void {
  const thoroughly = thorough ? it : () => undefined

  let namespace: string
  let cable: ValveTransport
  let stop: AbortController
  let fold: EventFold
  let events: AsyncGenerator<ListWatchEvent<PodSlice>, void>

  function follow(options: { pageSize?: number; times?: Partial<ListWatchTimes> } = {}): void {
    events = listWatch({
      transport: cable,
      source: podSource({ namespace, protobuf }),
      clock: systemClock,
      signal: stop.signal,
      ...options,
      times: { ...TIMES, ...options.times },
    })
  }

  beforeEach(async () => {
    namespace = await server().namespace()
    cable = new ValveTransport(await server().transport())
    stop = new AbortController()
    fold = new EventFold()
    follow()
  })

  afterEach(async () => {
    stop.abort()
    cable.close()
    await events.return()
  })

  async function next(): Promise<ListWatchEvent<PodSlice>> {
    const result = await events.next()
    assert.ok(!result.done, 'the stream has ended')
    fold.apply(result.value)
    return result.value
  }

  async function until(type: ListWatchEvent<PodSlice>['type'], name?: string): Promise<void> {
    for (;;) {
      const event = await next()
      if (event.type === type && (name === undefined || ('object' in event && event.object.name === name)))
        return
    }
  }

  async function create(...names: string[]): Promise<void> {
    for (const name of names) await server().create(namespace, name)
  }

  /** What the events add up to, once one has been told that comes after all others. */
  async function expectContents(): Promise<void> {
    await create('sentinel')
    await until('added', 'sentinel')
    assert.deepEqual(fold.contents, await server().contents(namespace))
  }

  it('tells the first list over its pages, then additions, changes and ends in their order', async () => {
    follow({ pageSize: 2 })
    await create('a', 'b', 'c', 'd', 'e')
    const initial: string[] = []
    for (let index = 0; index < 5; index++) {
      const event = await next()
      assert.ok(event.type === 'added' && event.initial)
      initial.push(event.object.name)
    }
    assert.deepEqual(initial, ['a', 'b', 'c', 'd', 'e'])
    assert.deepEqual(await next(), { type: 'synced', count: 5 })

    await create('f')
    await server().change(namespace, 'a')
    await server().remove(namespace, 'b')
    const told: string[] = []
    while (told.at(-1) !== 'deleted b') {
      const event = await next()
      if ('object' in event) told.push(`${event.type} ${event.object.name}`)
    }
    // A real server marks a pod as being deleted before it deletes it.
    const ends = told.filter((line) => line !== 'modified b')
    assert.deepEqual(ends, ['added f', 'modified a', 'deleted b'])
    await expectContents()
  })

  it('goes on after each end of a watch, without a word', async () => {
    follow({ times: { watchSeconds: [1, 1] } })
    await create('a')
    await until('synced')
    const reading = until('added', 'sentinel')
    for (let round = 0; cable.watches < 3; round++) {
      await create(`web-${round}`)
      await server().change(namespace, `web-${round}`)
      await server().remove(namespace, `web-${round}`)
      await delay(100)
    }
    await create('sentinel')
    await reading
    assert.deepEqual(fold.outages, [])
    assert.deepEqual(fold.contents, await server().contents(namespace))
  })

  thoroughly('loses and repeats nothing when the server crashes and comes back', async function () {
    this.timeout(300_000)
    await create('a', 'b', 'c')
    await until('synced')
    const interrupted = until('interrupted')
    await delay(50)
    await server().crash()
    await interrupted
    const resumed = until('resumed')
    await server().restart()
    await server().change(namespace, 'a')
    await server().remove(namespace, 'b')
    await resumed
    await expectContents()
    assert.equal(fold.outages[0], 'interrupted')
    assert.match(fold.outages[1] ?? '', /^resumed/)
  })

  it('goes on where it was after the network was gone', async () => {
    await create('a', 'b')
    await until('synced')
    const interrupted = until('interrupted')
    await delay(50)
    cable.close()
    await interrupted
    await server().remove(namespace, 'a')
    await create('c')
    const resumed = until('resumed')
    await delay(300)
    cable.open()
    await resumed
    await expectContents()
    assert.deepEqual(fold.outages, ['interrupted', 'resumed by watch'])
  })

  thoroughly('tells the difference, ends first, when history has expired meanwhile', async function () {
    this.timeout(300_000)
    await create('a', 'b', 'c')
    await until('synced')
    const interrupted = until('interrupted')
    await delay(50)
    cable.close()
    await interrupted
    await server().remove(namespace, 'a')
    // The same name with a new uid.
    await create('a')
    await server().change(namespace, 'b')
    await server().remove(namespace, 'c')
    await create('d')
    await server().expire()
    cable.open()
    const told: string[] = []
    for (;;) {
      const event = await next()
      if (event.type === 'resumed') break
      told.push('object' in event ? `${event.type} ${event.object.name}` : event.type)
    }
    assert.deepEqual(told.toSorted(), ['added a', 'added d', 'deleted a', 'deleted c', 'modified b'])
    assert.deepEqual(told.slice(0, 2).toSorted(), ['deleted a', 'deleted c'])
    await expectContents()
    assert.deepEqual(fold.outages, ['interrupted', 'resumed by relist'])
  })

  thoroughly('starts the first list anew when its continue token expires', async function () {
    this.timeout(300_000)
    follow({ pageSize: 2 })
    await create('a', 'b', 'c', 'd', 'e')
    const held = cable.hold(({ path }) => path.includes('continue='))
    const synced = until('synced')
    const release = await held
    await server().remove(namespace, 'a')
    await create('a')
    await server().remove(namespace, 'd')
    await create('f')
    await server().expire()
    release()
    await synced
    await expectContents()
  })

  thoroughly('lists every name once when a continue token expires on the way', async function () {
    this.timeout(300_000)
    await create('a', 'b', 'c', 'd', 'e')
    const held = cable.hold(({ path }) => path.includes('continue='))
    const list = listPods(cable, { namespace, protobuf, pageSize: 2 })
    const names: string[] = []
    const first = await list.next()
    assert.ok(!first.done)
    names.push(...first.value.map((pod) => pod.name))
    const release = await held
    await server().remove(namespace, 'a')
    await create('a')
    await server().remove(namespace, 'd')
    await create('f')
    await server().expire()
    release()
    for await (const batch of list) names.push(...batch.map((pod) => pod.name))
    assert.deepEqual(names, ['a', 'b', 'c', 'e', 'f'])
  })

  it('ends quietly and at once when its signal aborts', async () => {
    await create('a')
    await until('synced')
    const last = events.next()
    await delay(50)
    stop.abort()
    assert.deepEqual(await last, { done: true, value: undefined })
  })

  it('adds up to what is there after whatever happened', async function () {
    this.timeout(300_000)
    await until('synced')
    const reading = until('added', 'sentinel')
    const names = ['a', 'b', 'c', 'd', 'e', 'f']
    const there = new Set<string>()
    for (let step = 0; step < 60; step++) {
      const name = names[(step * 7 + (step >> 2)) % names.length] ?? 'a'
      if (!there.has(name)) {
        await server().create(namespace, name)
        there.add(name)
      } else if (step % 3 === 0) await server().change(namespace, name)
      else {
        await server().remove(namespace, name)
        there.delete(name)
      }
      if (step % 11 === 5) cable.cut()
      if (step === 20) {
        await server().crash()
        await server().restart()
      }
      if (step === 40) {
        cable.close()
        await server().expire()
        cable.open()
      }
    }
    await create('sentinel')
    await reading
    assert.deepEqual(fold.contents, await server().contents(namespace))
  })
}
