import assert from 'node:assert/strict'
import { CompanionWorld } from './companion-world.ts'

describe('the companion on a real node, in the network of that node', function () {
  this.timeout(300_000)
  let world: CompanionWorld

  before(async function () {
    world = await CompanionWorld.require(this)
    await world.remember()
  })

  after(() => world?.close())

  it('serves from another port than the kubelet’s, and says what is open there', async () => {
    const told = await world.kubectl(
      'deckwatch',
      'install',
      '--yes',
      '--timeout=180s',
      '--host-network',
      '--storage=emptyDir',
    )
    assert.match(told, /^Warning +hostNetwork=true: the namespace does not enforce Pod Security$/m)
    assert.ok((await world.kubectl('get', 'images', '-n', 'deckwatch')).includes(world.reference))
    const [pod = ''] = await world.pods()
    const where = 'jsonpath={.status.podIP} {.spec.containers[0].ports[?(@.name=="api")].hostPort}'
    assert.equal(
      await world.kubectl('get', 'pod', pod, '-n', 'deckwatch', '-o', where),
      `${world.node.address} 20250`,
    )
  })

  it('goes without a trace', async () => {
    await world.kubectl('deckwatch', 'uninstall', '--yes', '--timeout=180s')
    await world.expectNoTrace()
  })
})
