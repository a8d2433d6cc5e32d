import assert from 'node:assert/strict'
import { setTimeout as delay } from 'node:timers/promises'
import type { Reflector } from '../../../server/kit/cluster-watch/cluster-watch.ts'
import { createReflector } from '../../../server/kit/cluster-watch/create-reflector.ts'
import { createMetricsRegistry, type MetricsRegistry } from '../../../server/kit/metrics.ts'
import type { ListWatchEvent } from '../../../src/core/kube/list-watch.ts'
import { nodeSource, type WatchedNode } from '../../../src/core/kube/node-list.ts'
import { podSource } from '../../../src/core/kube/pod-list.ts'
import type { KubeTransport } from '../../../src/core/kube/transport.ts'
import type { Watched } from '../../../src/core/kube/watch-frame.ts'
import { DeckError } from '../../../src/core/lib/errors.ts'
import { systemClock } from '../../../src/core/lib/time.ts'
import type { PodSlice } from '../../../src/core/wire/pod.ts'
import { type FakeApi, startFakeApi } from '../../kit/fake-api/fake-api.ts'
import { isWatch } from '../../kit/fake-api/fake-faults.ts'
import { fakeTransport } from '../../kit/fake-api/fake-transport.ts'
import { buildNode, buildPod } from '../../kit/fake-api/pod-builder.ts'
import { recordedLog } from '../../kit/recorded-log.ts'

/** What a subscriber was told, in short: `+a` added, `(a)` known from the beginning, `~a` changed, `-a` gone. */
class Follower<T extends Watched & { readonly name: string }> {
  readonly told: string[] = []
  readonly #leaving = new AbortController()
  readonly ended: Promise<void>
  #paused: Promise<void> | undefined
  #resume = (): void => {}

  constructor(reflector: Reflector<T>) {
    this.ended = this.#follow(reflector)
  }

  async #follow(reflector: Reflector<T>): Promise<void> {
    for await (const event of reflector.subscribe(this.#leaving.signal)) {
      this.told.push(short(event))
      await this.#paused
    }
  }

  pause(): void {
    this.#paused = new Promise((resolve) => {
      this.#resume = resolve
    })
  }

  resume(): void {
    this.#paused = undefined
    this.#resume()
  }

  leave(): void {
    this.#leaving.abort()
    this.resume()
  }

  /** Waits until it was told this last. */
  async until(last: string): Promise<void> {
    while (!this.told.includes(last)) await delay(2)
  }
}

function short<T extends { readonly name: string }>(event: ListWatchEvent<T>): string {
  switch (event.type) {
    case 'added':
      return event.initial ? `(${event.object.name})` : `+${event.object.name}`
    case 'modified':
      return `~${event.object.name}`
    case 'deleted':
      return `-${event.object.name}`
    case 'synced':
      return `synced ${event.count}`
    default:
      return event.type
  }
}

describe('a reflector', () => {
  let api: FakeApi
  let transport: KubeTransport
  let metrics: MetricsRegistry
  let stop: AbortController
  const followers: Follower<PodSlice>[] = []
  const runs: Promise<void>[] = []

  beforeEach(async () => {
    api = await startFakeApi()
    transport = await fakeTransport(api)
    metrics = createMetricsRegistry()
    stop = new AbortController()
  })
  afterEach(async () => {
    for (const follower of followers) follower.leave()
    stop.abort()
    await Promise.all([...runs.splice(0), ...followers.splice(0).map(({ ended }) => ended)])
    await api.stop()
  })

  const run = <T extends Watched>(reflector: Reflector<T>): Reflector<T> => {
    runs.push(reflector.run(stop.signal))
    return reflector
  }
  const reflect = (queueLimit?: number, patienceMs = 0): Reflector<PodSlice> =>
    createReflector({
      transport,
      source: podSource(),
      clock: systemClock,
      log: recordedLog(),
      metrics,
      patienceMs,
      ...(queueLimit === undefined ? {} : { queueLimit }),
      times: { settleMs: 20, backoff: { firstMs: 10, maxMs: 50 } },
    })
  const follow = (reflector: Reflector<PodSlice>): Follower<PodSlice> => {
    const follower = new Follower(reflector)
    followers.push(follower)
    return follower
  }

  it('tells those who come late what is known, and from then on the same as all others', async () => {
    api.put(buildPod('a'))
    const reflector = reflect()
    const early = follow(reflector)
    run(reflector)
    await early.until('synced 1')
    api.put(buildPod('b'))
    await early.until('+b')
    const late = follow(reflector)
    await late.until('synced 2')
    api.put(buildPod('a', { containers: ['nginx:1.26'] }))
    api.remove('Pod', 'default', 'b')
    await Promise.all([early.until('-b'), late.until('-b')])
    assert.deepEqual(early.told, ['(a)', 'synced 1', '+b', '~a', '-b'])
    assert.deepEqual(late.told, ['(a)', '(b)', 'synced 2', '~a', '-b'])
    assert.equal(api.requests.filter(isWatch).length, 1)
  })

  it('tells nobody of changes in what is not kept, but knows the new version', async () => {
    api.put(buildPod('a', { phase: 'Pending' }))
    const reflector = run(reflect())
    const follower = follow(reflector)
    await follower.until('synced 1')
    api.put({ ...buildPod('a', { phase: 'Pending' }), metadata: { name: 'a', namespace: 'default' } })
    api.put(buildPod('a', { phase: 'Running' }))
    await follower.until('~a')
    assert.deepEqual(follower.told, ['(a)', 'synced 1', '~a'])
  })

  it('tells of an outage, and those who come during it too', async () => {
    api.put(buildPod('a'))
    const reflector = run(reflect())
    const follower = follow(reflector)
    await follower.until('synced 1')
    await api.down()
    await follower.until('interrupted')
    const late = follow(reflector)
    await late.until('interrupted')
    assert.deepEqual(late.told, ['(a)', 'synced 1', 'interrupted'])
    api.put(buildPod('b'))
    api.remove('Pod', 'default', 'a')
    api.expire()
    await api.up()
    await Promise.all([follower.until('resumed'), late.until('resumed')])
    assert.deepEqual(late.told.slice(-3), ['-a', '+b', 'resumed'])
    const after = follow(reflector)
    await after.until('synced 1')
    assert.deepEqual(after.told, ['(b)', 'synced 1'])
  })

  it('holds the watch back for the slowest, and lets it go when that one leaves', async () => {
    const reflector = run(reflect(10))
    const [slow, quick] = [follow(reflector), follow(reflector)]
    await Promise.all([slow.until('synced 0'), quick.until('synced 0')])
    slow.pause()
    for (let n = 0; n < 200; n++) api.put(buildPod(`pod-${n}`))
    await quick.until('+pod-9')
    // Whatever came after it would have come by now.
    await delay(100)
    assert.ok(quick.told.length <= 15, `${quick.told.length} were told past the queue of the slow one`)
    slow.leave()
    await quick.until('+pod-199')
    assert.equal(quick.told.length, 201)
  })

  it('gives the slowest everything in order once it reads again', async () => {
    const reflector = run(reflect(4))
    const slow = follow(reflector)
    await slow.until('synced 0')
    slow.pause()
    const names = Array.from({ length: 100 }, (_, n) => `pod-${n}`)
    for (const name of names) api.put(buildPod(name))
    await delay(20)
    slow.resume()
    await slow.until('+pod-99')
    assert.deepEqual(
      slow.told.slice(1),
      names.map((name) => `+${name}`),
    )
  })

  it('ends its subscriptions, after all that was told, when it ends', async () => {
    api.put(buildPod('a'))
    const reflector = run(reflect())
    const follower = follow(reflector)
    await follower.until('synced 1')
    stop.abort()
    await follower.ended
    const late = follow(reflector)
    await late.ended
    assert.deepEqual(late.told, ['(a)', 'synced 1'])
  })

  it('rejects where no waiting helps, and its subscriptions end', async () => {
    api.faults.always('/api/v1/pods', { kind: 'status', status: 403, reason: 'Forbidden', message: 'no' })
    const reflector = reflect()
    const follower = follow(reflector)
    await assert.rejects(
      reflector.run(stop.signal),
      (error) => error instanceof DeckError && error.code === 'KUBE_FORBIDDEN',
    )
    await follower.ended
    assert.deepEqual(follower.told, [])
  })

  it('bears with an API server that does not know its rights yet', async () => {
    api.put(buildPod('a'))
    api.faults.next('/api/v1/pods', { kind: 'status', status: 403, reason: 'Forbidden', message: 'no' }, 2)
    const follower = follow(run(reflect(undefined, 20_000)))
    await follower.until('synced 1')
    assert.deepEqual(follower.told, ['(a)', 'synced 1'])
  })

  it('bears with one that was started again between the list and the watch', async () => {
    api.put(buildPod('a'))
    api.faults.next(isWatch, { kind: 'status', status: 403, reason: 'Forbidden', message: 'not yet' }, 3)
    const follower = follow(run(reflect(undefined, 20_000)))
    await follower.until('resumed')
    assert.deepEqual(follower.told, ['(a)', 'synced 1', 'interrupted', 'resumed'])
  })

  it('counts its objects, events and outages', async () => {
    api.put(buildPod('a'))
    api.put(buildPod('b'))
    const reflector = run(reflect())
    const follower = follow(reflector)
    await follower.until('synced 2')
    api.remove('Pod', 'default', 'b')
    await follower.until('-b')
    api.faults.next(isWatch, { kind: 'status', status: 503 })
    api.endWatches()
    await follower.until('resumed')
    const text = await metrics.metrics()
    for (const line of [
      'deckwatch_reflector_objects{resource="pods"} 1',
      'deckwatch_reflector_events_total{resource="pods",type="added"} 2',
      'deckwatch_reflector_events_total{resource="pods",type="deleted"} 1',
      'deckwatch_reflector_interruptions_total{resource="pods"} 1',
    ]) {
      assert.ok(text.includes(`${line}\n`), `${line} is not in\n${text}`)
    }
    const [, age] = /last_event_timestamp_seconds\{resource="pods"\} ([\d.]+)/.exec(text) ?? []
    assert.ok(Math.abs(Number(age) - Date.now() / 1000) < 60, age)
  })

  for (const protobuf of [true, false]) {
    it(`of nodes tells of new images but not of heartbeats, in ${protobuf ? 'protobuf' : 'JSON'}`, async () => {
      const image = (tag: string) => [{ names: [`nginx:${tag}`], sizeBytes: 7 }]
      api.put(buildNode('node-1', image('1')))
      const reflector = createReflector<WatchedNode>({
        transport,
        source: nodeSource({ protobuf }),
        clock: systemClock,
        log: recordedLog(),
        metrics,
      })
      const sizes: string[] = []
      const following = (async () => {
        for await (const event of reflector.subscribe(stop.signal)) {
          sizes.push(short(event))
          if (event.type === 'modified') {
            assert.deepEqual([event.previous.images, event.object.images], [image('1'), image('2')])
            assert.ok(event.object.uid)
            stop.abort()
          }
          if (event.type === 'synced') {
            for (let beat = 0; beat < 3; beat++) api.put(buildNode('node-1', image('1')))
            api.put(buildNode('node-1', image('2')))
          }
        }
      })()
      run(reflector)
      await Promise.all([...runs, following])
      assert.deepEqual(sizes, ['(node-1)', 'synced 1', '~node-1'])
    })
  }
})
