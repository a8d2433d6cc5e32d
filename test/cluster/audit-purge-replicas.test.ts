import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Change } from '../../src/core/wire/change.ts'
import { PURGE_CONFIG_MAP, type PurgeAnswer } from '../../src/core/wire/purge.ts'
import type { Companion } from '../kit/companion.ts'
import type { KubectlResult } from '../kit/kubernetes/kubectl.ts'
import { ensureNamespace } from '../kit/kubernetes/namespaces.ts'
import { requireKubernetes } from '../kit/kubernetes/shared.ts'
import { PlantedValues } from '../kit/planted-values.ts'
import { kubectlDeckwatch } from '../kit/plugin/kubectl-deckwatch.ts'
import { type PostgresServer, requirePostgres } from '../kit/postgres.ts'
import { ReplicaWorld } from '../kit/replica-world.ts'

const CONFIG_MAP = `/api/v1/namespaces/deckwatch/configmaps/${PURGE_CONFIG_MAP}`
const SHOP = '/api/v1/namespaces/shop/configmaps'

describe('kubectl deckwatch purge with two replicas over one PostgreSQL, on a real API server', function () {
  this.timeout(300_000)
  let postgres: PostgresServer
  let world: ReplicaWorld

  before(async function () {
    await requireKubernetes(this)
    postgres = await requirePostgres(this)
    world = await ReplicaWorld.start(postgres)
    await ensureNamespace(world.cluster.admin, 'shop')
  })

  after(async () => {
    await world?.stop()
    await postgres?.stop()
  })

  const purge = (
    args: readonly string[],
    kubeconfig = world.cluster.adminKubeconfig,
  ): Promise<KubectlResult> =>
    kubectlDeckwatch(world.cluster, ['purge', '-n', 'shop', '--yes', ...args], { kubeconfig })

  const patch = (name: string, motto: string | null): Promise<unknown> =>
    world.cluster.admin.send('PATCH', `${SHOP}/${name}`, { data: { motto } })

  /** Sends each replica reviews of an object with a value, and takes the value out again: six changes. */
  async function plant(name: string, value: string): Promise<void> {
    const [one, other] = world.replicas
    await world.prefer(one)
    await world.cluster.admin.send('POST', SHOP, {
      metadata: { name },
      data: { motto: value, colour: 'blue' },
    })
    for (const motto of ['-1', '-2']) await patch(name, value + motto)
    await world.prefer(other)
    for (const motto of ['-3', '-4']) await patch(name, value + motto)
    await patch(name, null)
    await world.prefer()
  }

  /** The changes of an object, once so many are told with a name. */
  const told = (name: string, count: number): Promise<readonly Change[]> =>
    world.until(`${count} changes of ${name}`, async () => {
      const { items } = await world.list('shop', `object.name=${name}`)
      return items.filter(({ state }) => state === 'confirmed').length >= count ? items : undefined
    })

  /** Where a value is found: in the files of the database, in the journals, in the logs. */
  async function whereIs(value: string): Promise<readonly string[]> {
    const planted = new PlantedValues()
    planted.plant(value)
    const database = planted.in((await postgres.bytes(world.url)).toString('latin1'))
    const rows = await postgres.ask(world.url, "SELECT encode(entry, 'base64') AS entry FROM inbox")
    const folders = world.replicas.flatMap((replica) => [
      ...planted.inFolder(replica.data),
      ...planted.in(readFileSync(replica.logFile, 'utf8')).map((found) => `log: ${found}`),
    ])
    const entries = rows.flatMap(({ entry }) => planted.inBytes(Buffer.from(String(entry), 'base64')))
    return [...database.map((found) => `database: ${found}`), ...entries, ...folders]
  }

  const answer = async (): Promise<PurgeAnswer | undefined> => {
    const { data } = await world.cluster.admin.send<{ data?: Record<string, string> }>('GET', CONFIG_MAP)
    return data?.['answer'] === undefined ? undefined : (JSON.parse(data['answer']) as PurgeAnswer)
  }

  it('takes a value out of the rows, the files, and both journals, and keeps who changed what', async () => {
    const value = 'slipped-through-4410'
    await plant('both', value)
    const before = await told('both', 6)
    assert.ok(JSON.stringify(before).includes(value))
    const journals = new Set(before.map(({ metadata }) => metadata?.name?.split('-')[0]))
    assert.equal(journals.size, 2, 'both replicas were sent reviews')
    for (const { data } of world.replicas) {
      const planted = new PlantedValues()
      planted.plant(value)
      assert.notDeepEqual(planted.inFolder(join(data, 'audit-journal')), [], 'the test would see it')
    }
    const { exitCode, stdout, stderr } = await purge(['configmap/both', '--field', 'data.motto'])
    assert.equal(exitCode, 0, stderr)
    // More than six where the API server repeated a write, which was reviewed twice then.
    assert.match(stdout, /, (\d+) with a value at data\.motto\n ok {2}purged from \1 changes/)
    assert.doesNotMatch(stdout, /away|files of the database/)
    assert.deepEqual(await whereIs(value), [])
    const after = await told('both', 6)
    assert.deepEqual(
      after.map(({ metadata, user, state }) => [metadata?.name, user?.username, state]),
      before.map(({ metadata, user, state }) => [metadata?.name, user?.username, state]),
    )
    assert.ok(JSON.stringify(after).includes('blue'))
    const lines = world.replicas.flatMap((replica) => replica.logs())
    const asked = lines.find(({ message }) => message === 'a purge was asked for')
    assert.match(String(asked?.['by']), /not known here/)
    assert.match(String(asked?.['program']), /deckwatch|node|kubectl/)
    assert.equal(lines.filter(({ message }) => /the journal is rid/.test(message)).length, 2)
  })

  it('is finished by the other when the one that leads it is killed in the middle', async () => {
    const value = 'slipped-through-7702'
    await plant('killed', value)
    await told('killed', 6)
    const leader = await world.holder()
    const other = await world.other()
    const booked = bookings(leader)
    const ended = purge(['configmap/killed', '--field', 'data.motto'])
    await world.until('the booking', () => (bookings(leader) > booked ? true : undefined))
    await leader.kill()
    const { exitCode, stdout, stderr } = await ended
    assert.equal(exitCode, 0, stderr)
    assert.match(stdout, /, (\d+) with a value at data\.motto\n ok {2}purged from \1 changes/)
    assert.match(stdout, /1 replica was away/)
    assert.ok(bookings(other) > 0)
    assert.deepEqual(
      (await whereIs(value)).filter((found) => !found.startsWith(leader.data)),
      [],
      'nothing is left but what the one that is away has',
    )
    await leader.start()
    await world.until('its journal', async () => ((await whereIs(value)).length === 0 ? true : undefined))
    await told('killed', 6)
  })

  it('waits for one that is down when it is asked, and that one hands nothing of it over when it is back', async () => {
    const value = 'slipped-through-3198'
    const away = await world.other()
    await plant('down', value)
    // What it has received and not handed over: the database is away when it is killed.
    await told('down', 6)
    await postgres.kill()
    await world.prefer(away)
    for (const motto of [value, `${value}-5`, null]) await patch('down', motto)
    await world.prefer()
    await away.kill()
    await postgres.start()
    await world.until('the watch', async () => {
      const { items } = await world.list('shop', 'object.name=down')
      return items.length > 6 ? true : undefined
    })
    const { exitCode, stdout, stderr } = await purge(['configmap/down', '--field', 'data.motto'])
    assert.equal(exitCode, 0, stderr)
    assert.match(stdout, /1 replica was away/)
    assert.deepEqual(
      (await whereIs(value)).filter((found) => !found.startsWith(away.data)),
      [],
    )
    const before = await world.list('shop', 'object.name=down,state!=none')
    await away.start()
    await world.until('its journal', async () => ((await whereIs(value)).length === 0 ? true : undefined))
    const after = await world.until('what it had', async () => {
      const list = await world.list('shop', 'object.name=down,state!=none')
      return list.items.length > before.items.length ? list : undefined
    })
    assert.ok(!JSON.stringify(after).includes(value))
    assert.deepEqual(await whereIs(value), [])
  })

  it('is refused while the database is down, and while another is not answered', async () => {
    const { admin } = world.cluster
    const request = { id: 'open', time: new Date().toISOString(), target: {} }
    const target = { group: '', resource: 'configmaps', namespace: 'shop', name: 'both' }
    await postgres.kill()
    try {
      await admin.send('PATCH', CONFIG_MAP, {
        data: { request: JSON.stringify({ ...request, target }), answer: null },
      })
      const refused = await world.until('an answer', answer)
      assert.ok(!refused.done)
      assert.match(refused.reason, /the database cannot be reached/)
      const { exitCode, stderr } = await purge(['configmap/both'])
      assert.equal(exitCode, 3, stderr)
      assert.match(stderr, /cannot be read now: the database/)
    } finally {
      await postgres.start()
    }
    await world.untilReviewed()
  })

  it('says what is wrong with what it is asked for', async () => {
    const cases = [
      [['configmap/nothing'], 1, /there is no configmap\/nothing in namespace shop/],
      [['nonsense/both'], 2, /nonsense/],
      [['configmaps'], 2, /names no object/],
      [['configmap/both', '--field', 'data['], 2, /--field/],
    ] as const
    for (const [args, code, message] of cases) {
      const { exitCode, stderr } = await purge(args)
      assert.equal(exitCode, code, stderr)
      assert.match(stderr, message)
    }
    const { exitCode, stderr } = await purge(['configmap/both'], world.cluster.user('vera'))
    assert.equal(exitCode, 3, stderr)
    assert.match(stderr, /KUBE_FORBIDDEN/)
  })
})

/** How often a replica has booked a purge. */
function bookings(replica: Companion): number {
  return replica.logs().filter(({ message }) => message.startsWith('a purge is booked')).length
}
