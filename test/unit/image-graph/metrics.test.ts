import assert from 'node:assert/strict'
import { RoomWorld } from './room-world.ts'

describe('metrics of the image graph', () => {
  let world: RoomWorld

  beforeEach(() => {
    world = new RoomWorld()
  })

  afterEach(() => world.end())

  /** The values of one metric by its labels. */
  async function values(name: string): Promise<Record<string, number>> {
    const text = await world.metrics.getSingleMetricAsString(name)
    const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'))
    return Object.fromEntries(
      lines.map((line) => [line.slice(name.length, line.lastIndexOf(' ')), Number(line.split(' ').at(-1))]),
    )
  }

  it('count what is in use, and what came and went', async () => {
    world.cluster.run('shop', 'a', { app: 'nginx', log: 'fluentd' })
    world.cluster.run('pay', 'b', { app: 'nginx' })
    await world.start()
    assert.deepEqual(await values('deckwatch_images'), { '{scope="cluster"}': 2, '{scope="namespace"}': 3 })
    assert.deepEqual(await values('deckwatch_image_pods'), { '': 2 })
    world.cluster.end('shop', 'a')
    await world.settle()
    assert.deepEqual(await values('deckwatch_images'), { '{scope="cluster"}': 1, '{scope="namespace"}': 1 })
    assert.deepEqual(await values('deckwatch_image_changes_total'), {
      '{op="+",scope="cluster"}': 2,
      '{op="+",scope="namespace"}': 3,
      '{op="-",scope="cluster"}': 1,
      '{op="-",scope="namespace"}': 2,
    })
    assert.deepEqual(await values('deckwatch_image_journal_events'), { '': 5 })
    assert.ok(((await values('deckwatch_image_journal_bytes'))[''] ?? 0) > 10_000)
  })

  it('are all there before anything has happened', async () => {
    await world.start()
    assert.deepEqual(await values('deckwatch_images'), { '{scope="cluster"}': 0, '{scope="namespace"}': 0 })
    assert.equal(Object.keys(await values('deckwatch_image_changes_total')).length, 4)
    assert.deepEqual(await values('deckwatch_image_journal_full'), { '': 0 })
  })

  it('say that nothing is recorded while the disk is full', async () => {
    await world.start()
    world.full = true
    world.cluster.run('shop', 'a', { app: 'nginx' })
    await world.settle()
    assert.deepEqual(await values('deckwatch_image_journal_full'), { '': 1 })
    world.full = false
    await world.settle(10)
    assert.deepEqual(await values('deckwatch_image_journal_full'), { '': 0 })
  })

  it('have names, units and help as Prometheus asks for them', async () => {
    await world.start()
    for (const { name, help, type } of await world.metrics.getMetricsAsJSON()) {
      const kind = String(type)
      assert.match(name, /^deckwatch_[a-z]+(_[a-z]+)*$/)
      assert.match(help, /^[A-Z0-9].*\.$/)
      assert.equal(name.endsWith('_total'), kind === 'counter', name)
      if (kind === 'histogram') assert.match(name, /_seconds$/)
    }
  })

  it('name no image, pod or namespace', async () => {
    world.cluster.run('some-namespace', 'some-pod', { app: 'some-image' })
    await world.start()
    assert.doesNotMatch(await world.metrics.metrics(), /some-/)
  })
})
