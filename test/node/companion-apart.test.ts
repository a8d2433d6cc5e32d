import assert from 'node:assert/strict'
import { deleteNamespace } from '../kit/kubernetes/namespaces.ts'
import { FollowProcess } from '../kit/plugin/follow-process.ts'
import { CompanionWorld, ImageRecord } from './companion-world.ts'

const RECORDED = 'companion-apart-record'

describe('the companion on a real node, its API in two pods of their own', function () {
  this.timeout(300_000)
  let world: CompanionWorld
  let record: ImageRecord

  before(async function () {
    world = await CompanionWorld.require(this)
    record = await ImageRecord.open(world.cluster, RECORDED)
    await world.remember()
  })

  after(async () => {
    if (world === undefined) return
    await world.close()
    await deleteNamespace(world.cluster.admin, RECORDED)
  })

  it('is there with one command, under Pod Security "restricted"', async () => {
    const told = await world.kubectl(
      'deckwatch',
      'install',
      '--yes',
      '--wait',
      '--timeout=180s',
      '--api-replicas=2',
      '--storage=emptyDir',
    )
    assert.match(told, / objects applied in \d+ s; images\.deckwatch\.dev and 3 more answer$/m)
    const level = 'jsonpath={.metadata.labels.pod-security\\.kubernetes\\.io/enforce}'
    assert.equal(await world.kubectl('get', 'namespace', 'deckwatch', '-o', level), 'restricted')
    assert.match(await world.kubectl('deckwatch', 'status'), /^companion +3\/3 in deckwatch /)
  })

  it('lets a watch go on while each of its pods is killed in turn', async () => {
    const args = ['-n', RECORDED, '-o', 'json', '--companion', 'require']
    const follower = await FollowProcess.start(world.cluster, args)
    const agrees = async (): Promise<void> => {
      await follower.waitFor(() => follower.events.length >= record.length, 'as many changes as there were')
      record.expect(follower.events)
    }
    try {
      await record.come('first')
      await agrees()
      for (const pod of await world.pods('app.kubernetes.io/component=api')) {
        await world.kubectl('delete', 'pod', pod, '-n', 'deckwatch', '--force')
        await record.come(`at-${pod}`)
        await agrees()
        await world.rolledOut('deckwatch-api')
      }

      world.killProcess('--components=image-graph')
      await record.come('while-it-is-dead')
      await record.go('first')
      await agrees()
      assert.doesNotMatch(follower.stderr, /new list/)
    } finally {
      await follower.kill()
    }
  })

  it('goes without a trace', async () => {
    assert.match(
      await world.kubectl('deckwatch', 'uninstall', '--yes', '--timeout=180s'),
      /^ ok {2}nothing of deckwatch is left$/m,
    )
    await world.kubectl('delete', 'pods', '--all', '-n', RECORDED, '--force')
    await world.expectNoTrace()
  })
})
