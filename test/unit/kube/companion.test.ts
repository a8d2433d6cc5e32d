import assert from 'node:assert/strict'
import { companionPath, listCompanion } from '../../../src/core/kube/companion.ts'
import type { KubeTransport } from '../../../src/core/kube/transport.ts'
import type { DeckList, ImageEvent } from '../../../src/core/wire/image.ts'
import { type FakeApi, startFakeApi } from '../../kit/fake-api/fake-api.ts'
import { fakeTransport } from '../../kit/fake-api/fake-transport.ts'
import { ManualClock } from '../../kit/manual-clock.ts'

const identity = { contextName: '', userName: '', server: 'http://test' }
const events = { resource: 'imageevents', namespace: 'shop', identity }
const EVENTS = '/apis/deckwatch.dev/v1alpha1/namespaces/shop/imageevents'

describe('a list of the companion', () => {
  let api: FakeApi
  let transport: KubeTransport
  let clock: ManualClock
  const signal = new AbortController().signal

  beforeEach(async () => {
    api = await startFakeApi({ companion: true })
    const pod = { namespace: 'shop', name: 'web', uid: 'uid' }
    for (let i = 0; i < 5; i++) {
      const time = new Date(Date.UTC(2026, 10, 21, i)).toISOString()
      api.companion.record({ op: i % 2 ? '-' : '+', image: `image-${i}`, pod, time, late: false })
    }
    transport = await fakeTransport(api)
    clock = new ManualClock()
  })
  afterEach(async () => {
    transport.close()
    await api.stop()
  })

  async function pages(query: Record<string, string> = {}): Promise<string[]> {
    const found: string[] = []
    const list = listCompanion<DeckList<ImageEvent>>(transport, events, query, { signal, clock })
    for await (const page of list) found.push(page.list.items.map(({ image }) => image.slice(6)).join(''))
    return found
  }

  it('is at the path of its namespace, or of the cluster, encoded', () => {
    assert.equal(companionPath(events), EVENTS)
    assert.equal(companionPath({ ...events, namespace: 'a/b' }), EVENTS.replace('shop', 'a%2Fb'))
    assert.equal(
      companionPath({ resource: 'clusterimages', identity }),
      '/apis/deckwatch.dev/v1alpha1/clusterimages',
    )
  })

  it('is read to its end, page by page', async () => {
    assert.deepEqual(await pages(), ['01234'])
    assert.deepEqual(await pages({ limit: '2' }), ['01', '23', '4'])
  })

  it('begins where it is asked to', async () => {
    assert.deepEqual(await pages({ sinceTime: '2026-11-21T03:00:00Z' }), ['34'])
  })

  it('comes with what the companion warns of', async () => {
    api.companion.warnings = ['one, "two"', 'three']
    for await (const { warnings } of listCompanion(transport, events, {}, { signal, clock }))
      assert.deepEqual(warnings, ['one, "two"', 'three'])
  })

  it('waits where too much was asked in a second, as long as it is told to', async () => {
    api.faults.next(EVENTS, { kind: 'status', status: 429, retryAfterSeconds: 3 }, 2)
    const found = pages()
    for (const _ of [1, 2]) await clock.advance(await clock.untilSleep((ms) => ms >= 3000))
    assert.deepEqual(await found, ['01234'])
  })

  it('gives up where that does not help', async () => {
    api.faults.always(EVENTS, { kind: 'status', status: 429, retryAfterSeconds: 1 })
    const refused = assert.rejects(pages(), { code: 'KUBE_THROTTLED' })
    for (let i = 0; i < 5; i++) await clock.advance(await clock.untilSleep(() => true))
    await refused
  })

  const broken: [what: string, body: string][] = [
    ['no JSON', '<html>'],
    ['no object', 'null'],
    ['no list', '{"kind":"Status"}'],
  ]
  for (const [what, body] of broken) {
    it(`is refused where the answer is ${what}`, async () => {
      api.faults.next(EVENTS, { kind: 'answer', status: 200, contentType: 'application/json', body })
      await assert.rejects(pages(), { code: 'KUBE_PROTOCOL', message: new RegExp(`the answer is ${what}$`) })
    })
  }
})
