import assert from 'node:assert/strict'
import { join } from 'node:path'
import type { Change } from '../../src/core/wire/change.ts'
import { AuditWorld } from '../kit/audit-world.ts'
import type { KubectlResult } from '../kit/kubernetes/kubectl.ts'
import { requireKubernetes } from '../kit/kubernetes/shared.ts'
import { PlantedValues } from '../kit/planted-values.ts'
import { kubectlDeckwatch } from '../kit/plugin/kubectl-deckwatch.ts'

const SLIPPED = 'slipped-through-8731'
const MOTTO = ['purge', 'configmap/settings', '-n', 'shop', '--field', 'data.motto']

describe('kubectl deckwatch purge, on a real API server', function () {
  this.timeout(300_000)
  let world: AuditWorld

  before(async function () {
    await requireKubernetes(this)
    world = await AuditWorld.start()
    await world.ensureNamespace('shop')
  })

  after(() => world?.stop())

  const purge = (
    args: readonly string[],
    kubeconfig = world.cluster.adminKubeconfig,
  ): Promise<KubectlResult> => kubectlDeckwatch(world.cluster, args, { kubeconfig })

  const patch = (user: string, data: object): Promise<string> =>
    world.run(user, ['-n', 'shop', 'patch', 'configmap', 'settings', '-p', JSON.stringify({ data })])

  /** What of the value is in a folder of the companion's. */
  function found(folder: string): readonly string[] {
    const planted = new PlantedValues()
    planted.plant(SLIPPED)
    return planted.inFolder(join(world.companion.data, folder))
  }

  /** What is told of the object once so many changes are; waiting for another object's would leave reviews undecided. */
  const told = (count: number): Promise<readonly Change[]> =>
    world.until(async () => {
      const changes = await world.changes('shop', ['object.name=settings'])
      if (changes.length === count) return changes
      throw new Error(`there are ${changes.length}: ${JSON.stringify(changes)}`)
    }, `${count} changes`)

  it('refuses without a yes where nobody can be asked', async () => {
    const { exitCode, stderr } = await purge(MOTTO)
    assert.equal(exitCode, 2, stderr)
    assert.match(stderr, /Give --yes/)
  })

  it('says what would bring the value back, and takes nothing out', async () => {
    const literals = [`--from-literal=motto=${SLIPPED}`, '--from-literal=colour=blue']
    await world.run('alice', ['-n', 'shop', 'create', 'configmap', 'settings', ...literals])
    await patch('bob', { colour: 'green' })
    await told(2)
    const { exitCode, stderr } = await purge([...MOTTO, '--yes'])
    assert.equal(exitCode, 1, stderr)
    assert.match(stderr, /PURGE_REFUSED/)
    assert.match(stderr, /--set 'auditLog\.redact=\{configmaps:data\.motto\}'/)
    assert.ok(JSON.stringify(await told(2)).includes(SLIPPED))
  })

  it('takes the values of a field out of store and journal, and keeps who changed what', async () => {
    await patch('carol', { motto: null })
    const before = await told(3)
    assert.ok(JSON.stringify(before).includes(SLIPPED))
    assert.notDeepEqual(found('audit-journal'), [])
    const { exitCode, stdout, stderr } = await purge([...MOTTO, '--yes'])
    assert.equal(exitCode, 0, stderr)
    // More than two with the value where the API server repeated a write, which was reviewed twice then.
    assert.match(
      stdout,
      /3 recorded changes( and \d+ writes? without effect)?, \d+ with a value at data\.motto/,
    )
    assert.match(stdout, /, (\d+) with a value at data\.motto\n ok {2}purged from \1 changes/)
    assert.deepEqual(found(''), [])
    const after = await told(3)
    assert.deepEqual(
      after.map(({ metadata, user, state }) => [metadata?.name, user?.username, state]),
      before.map(({ metadata, user, state }) => [metadata?.name, user?.username, state]),
    )
    assert.ok(!JSON.stringify(after).includes(SLIPPED))
    assert.ok(JSON.stringify(after).includes('blue'))
  })

  it('takes the whole history of an object, and no other', async () => {
    await world.run('alice', ['-n', 'shop', 'create', 'configmap', 'other'])
    await world.until(
      async () => (await world.changes('shop', ['object.name=other']))[0],
      'a change of another',
    )
    const { exitCode, stderr } = await purge(['purge', 'configmap/settings', '-n', 'shop', '--yes'])
    assert.equal(exitCode, 0, stderr)
    await told(0)
    assert.equal((await world.changes('shop', ['object.name=other'])).length, 1)
  })

  it('tells who may not, and which right is missing', async () => {
    const { exitCode, stderr } = await purge([...MOTTO, '--yes'], world.cluster.user('vera'))
    assert.equal(exitCode, 3, stderr)
    assert.match(stderr, /deckwatch-purge/)
    assert.match(stderr, /KUBE_FORBIDDEN/)
  })

  it('records on, over a restart too', async () => {
    await patch('dave', { colour: 'red' })
    await told(1)
    await world.companion.restart()
    await world.untilReviewed()
    await patch('erin', { colour: 'white' })
    const changes = await told(2)
    assert.deepEqual(
      changes
        .slice(-2)
        .map(({ user, state, changes: [field] }) => [user?.username, state, field?.from, field?.to]),
      [
        ['dave', 'confirmed', 'green', 'red'],
        ['erin', 'confirmed', 'red', 'white'],
      ],
    )
    assert.deepEqual(found(''), [])
  })
})
