import assert from 'node:assert/strict'
import { CompanionWorld } from './companion-world.ts'
import { makeLocalVolume } from './local-volume.ts'

const VOLUME = 'companion-test'

describe('the companion on a real node, its history on a volume', function () {
  this.timeout(300_000)
  let world: CompanionWorld

  before(async function () {
    world = await CompanionWorld.require(this)
    await makeLocalVolume(world, VOLUME)
    await world.remember()
  })

  after(async () => {
    if (world === undefined) return
    await world.close()
    await world.kubectl('delete', 'persistentvolume', VOLUME)
  })

  const install = (...flags: readonly string[]) =>
    world.kubectl('deckwatch', 'install', '--yes', '--wait', '--timeout=180s', ...flags)

  const history = () => world.kubectl('images', 'history', world.reference, '-n', 'deckwatch', '-o', 'json')

  it('writes there under Pod Security "restricted"', async () => {
    await install('--storage=pvc', '--set', 'storage.size=1Gi')
    const level = 'jsonpath={.metadata.labels.pod-security\\.kubernetes\\.io/enforce}'
    assert.equal(await world.kubectl('get', 'namespace', 'deckwatch', '-o', level), 'restricted')
    assert.match(await world.kubectl('deckwatch', 'status'), /^store .* volume: .* free$/m)
  })

  it('is taken away with --keep-data, and knows its history when it is back', async () => {
    const before = JSON.parse(await history()) as { items: unknown[] }
    assert.ok(before.items.length > 0)
    const told = await world.kubectl('deckwatch', 'uninstall', '--yes', '--keep-data', '--timeout=180s')
    assert.match(told, /^Stays +persistentvolumeclaim\/deckwatch-data \(--keep-data\)$/m)
    assert.equal((await world.run('get', 'images', '-A')).exitCode, 1)

    await install('--storage=pvc', '--set', 'storage.size=1Gi')
    const after = JSON.parse(await history()) as { items: unknown[] }
    for (const event of before.items) {
      assert.ok(
        after.items.some((known) => JSON.stringify(known) === JSON.stringify(event)),
        JSON.stringify({ event, after }),
      )
    }
  })

  it('goes without a trace, and its volume with it', async () => {
    const told = await world.kubectl('deckwatch', 'uninstall', '--yes', '--timeout=180s')
    assert.match(
      told,
      /^ {9}persistentvolumeclaim\/deckwatch-data with the history|^persistentvolumeclaim\/deckwatch-data deleted$/m,
    )
    await world.expectNoTrace()
  })
})
