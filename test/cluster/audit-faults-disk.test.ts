import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { SERVER_NODE_FLAGS } from '../../scripts/bundle/server-node-flags.ts'
import { AuditWriters } from '../kit/audit-writers.ts'
import { AuditWorld } from '../kit/audit-world.ts'
import { requireKubernetes } from '../kit/kubernetes/shared.ts'
import { mountSmallDisk, type SmallDisk } from '../kit/small-disk.ts'

const MAIN = join(import.meta.dirname, '../../server/main.ts')
const FULL = /^nothing can be kept: no space is left/
/** Longer than what counts as a gap. */
const FULL_MS = 7000
const BEGUN_MS = 4000
/** What nobody names is told after five seconds. */
const HELD_BACK_MS = 6500

describe('the audit log on a full disk, on a real API server', function () {
  this.timeout(300_000)
  let folder = ''
  let disk: SmallDisk | undefined
  let world: AuditWorld | undefined
  let writers: AuditWriters | undefined

  before(async function () {
    await requireKubernetes(this)
    folder = mkdtempSync(join(tmpdir(), 'deckwatch-small-'))
    disk = await mountSmallDisk(this, folder, 32 * 1024 * 1024)
    world = await AuditWorld.start({
      companion: {
        data: disk.folder,
        program: [...disk.enter, process.execPath, ...SERVER_NODE_FLAGS, MAIN],
        flags: ['--audit-per-object=100000'],
      },
    })
  })

  after(async () => {
    await writers?.stop()
    await world?.stop()
    await disk?.unmount()
    if (folder !== '') rmSync(folder, { recursive: true })
  })

  it('every write succeeds, the companion says so, and with space again recording goes on', async () => {
    assert.ok(world && disk)
    const { cluster } = world
    writers = await AuditWriters.start(cluster, { namespace: 'full' })
    // Until both witnesses have been up for some looks, nothing is known to have begun.
    await writers.during(BEGUN_MS, 30)
    // What is let go of makes a little space again.
    const filling = setInterval(() => disk?.fill(), 50)
    await writers.during(FULL_MS, 30)
    const told = await world
      .until(async () => {
        const { components } = (await world?.companion.status()) ?? { components: [] }
        const room = components.find(({ name }) => name === 'audit-log')
        return room?.recording && room.recording.lastHour.dropped > 0 && FULL.test(room.reason)
          ? room
          : undefined
      }, 'what the companion says of it')
      .finally(() => clearInterval(filling))
    assert.equal(told.ready, true, 'what was recorded before can be read')
    assert.match(await world.run('alice', ['get', 'changes', '-n', 'full']), /written-0/)

    disk.free()
    await world.untilReviewed()
    const [gap] = await world.until(async () => {
      const { gaps = [] } = (await world?.list('full')) ?? {}
      return gaps.length > 0 && gaps.every(({ to }) => to !== undefined) ? gaps : undefined
    }, 'a gap that has ended')
    assert.match(gap?.reason ?? '', /journal is full/)
    const after = await writers.during(1000, 10)
    await writers.stop()
    assert.deepEqual(new Set(writers.writes.map((write) => write.status)), new Set([200]))
    await writers.during(HELD_BACK_MS)
    await world.settled()
    const figures = await writers.agree(async () => {
      const { items = [], gaps = [] } = (await world?.list('full')) ?? {}
      return { changes: items.toReversed(), gaps }
    })
    const { items } = await world.list('full')
    assert.ok(figures.named > 20 && figures.unnamed > 20, JSON.stringify(figures))
    const named = new Set(
      items
        .filter(({ state }) => state === 'confirmed')
        .flatMap((change) => change.changes.map(({ path }) => path)),
    )
    for (const { key, took } of after) assert.ok(named.has(`data.${key}`) || took >= 1000, key)
  })
})
