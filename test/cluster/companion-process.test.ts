import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as delay } from 'node:timers/promises'
import type { V1ClusterRole, V1Lease, V1Pod, V1Secret } from '@kubernetes/client-node'
import { type Companion, type CompanionOptions, startCompanion } from '../kit/companion.ts'
import type { ControlPlane } from '../kit/kubernetes/control-plane.ts'
import { createPods, deletePods } from '../kit/kubernetes/seed.ts'
import { requireKubernetes } from '../kit/kubernetes/shared.ts'
import { startControlPlane } from '../kit/kubernetes/start-control-plane.ts'

const STORE = 'image-graph.sqlite'
const PROGRAM = join(import.meta.dirname, '../../dist/bin/deckwatch-server')
const LEASE = '/apis/coordination.k8s.io/v1/namespaces/deckwatch/leases/deckwatch-image-graph'

describe('the companion as a process', function () {
  this.timeout(300_000)
  let cluster: ControlPlane
  let companion: Companion
  const others: Companion[] = []

  /** Another in place of the one that all tests share: there is one Lease, and the rights are of one namespace. */
  const startInstead = async (options: CompanionOptions): Promise<Companion> => {
    await companion.terminate()
    const started = await startCompanion(cluster, { register: false, ...options })
    others.push(started)
    return started
  }
  const pod = (name: string, image: string): V1Pod => ({
    metadata: { name, namespace: 'shop' },
    spec: { nodeName: 'node-1', containers: [{ name: 'app', image }] },
  })
  const kubectl = async (...args: string[]): Promise<string> => {
    const { stdout, stderr, exitCode } = await cluster.kubectl(args)
    assert.equal(exitCode, 0, `kubectl ${args.join(' ')}: ${stderr}`)
    return stdout
  }
  const images = async (): Promise<readonly string[]> => {
    const list = await kubectl(
      'get',
      'images',
      '-A',
      '-o',
      'jsonpath={range .items[*]}{.image.reference}{"\\n"}{end}',
    )
    return list.trim().split('\n').toSorted()
  }
  const events = async (): Promise<readonly string[]> => {
    const template = 'jsonpath={range .items[*]}{.op} {.image} {.late}{"\\n"}{end}'
    return (await kubectl('get', 'imageevents', '-n', 'shop', '-o', template)).trim().split('\n')
  }
  const metrics = async (): Promise<string> =>
    (await fetch(`http://127.0.0.1:${companion.ports.metrics}/metrics`)).text()
  /** Waits until the image is in use, or no more. */
  const until = async (image: string, used: boolean): Promise<void> => {
    while ((await images()).includes(image) !== used) await delay(50)
  }

  before(async function () {
    await requireKubernetes(this)
    cluster = await startControlPlane()
    await createPods(cluster, [pod('web', 'nginx:1.25'), pod('db', 'postgres:17')])
    companion = await startCompanion(cluster)
  })
  afterEach(async () => {
    for (const other of others.splice(0)) await other.stop()
    if (companion?.pid === undefined) await companion?.start()
  })
  after(async () => {
    await companion?.stop()
    await cluster?.stop()
  })

  it('answers plain kubectl', async () => {
    const table = await kubectl('get', 'images', '-A')
    assert.match(table, /^NAMESPACE +NAME/)
    assert.match(table, /^shop +nginx-1-25-\S+ /m)
    assert.deepEqual(await images(), ['nginx:1.25', 'postgres:17'])
  })

  it('says by name what is ready, and about itself what status asks', async () => {
    const { body } = await companion.ask('/readyz?verbose')
    const named = [...body.matchAll(/^\[\+\](\S+) ./gm)].map(([, name]) => name)
    assert.deepEqual(named, ['api', 'certificates', 'image-graph', 'shutdown'])
    assert.deepEqual(await companion.ask('/livez'), { status: 200, body: 'ok' })
    const status = await companion.status()
    assert.deepEqual(
      status.components.map(({ name, ready, alive }) => [name, ready, alive]),
      [
        ['api', true, true],
        ['image-graph', true, true],
      ],
    )
    assert.ok((status.volume?.freeBytes ?? 0) > 0)
    assert.ok((status.components[1]?.store?.usedBytes ?? 0) > 0)
    assert.deepEqual(
      status.certificates.map(({ name }) => name),
      ['serving authority', 'serving', 'peer authority'],
    )
  })

  it('gives its metrics', async () => {
    const text = await metrics()
    for (const line of [
      /^deckwatch_build_info\{version="\S+",node="v24/m,
      /^deckwatch_reflector_objects\{resource="pods"\} 2$/m,
      /^deckwatch_process_resident_memory_bytes \d+$/m,
    ]) {
      assert.match(text, line)
    }
    const foreign = [...text.matchAll(/^# TYPE (\S+)/gm)].filter(
      ([, name]) => !name?.startsWith('deckwatch_'),
    )
    assert.deepEqual(foreign, [])
  })

  it('writes no token, key or password into its log', async () => {
    const secret = await cluster.admin.send<V1Secret>(
      'GET',
      '/api/v1/namespaces/deckwatch/secrets/deckwatch-tls',
    )
    const key =
      Buffer.from(secret.data?.['tls.key'] ?? '', 'base64')
        .toString()
        .split('\n')[1] ?? ''
    assert.ok(key.length > 40)
    const log = JSON.stringify(companion.logs())
    assert.ok(!log.includes(key) && !/PRIVATE KEY|eyJhbGci|Bearer /.test(log))
  })

  it('goes on after kill -9 with what it knew, and tells the difference as late', async () => {
    await createPods(cluster, [pod('cache', 'redis:8')])
    await until('redis:8', true)
    const before = await events()
    await companion.kill()
    await deletePods(cluster, [pod('cache', 'redis:8')])
    await createPods(cluster, [pod('queue', 'nats:2')])
    await companion.start()
    await until('nats:2', true)
    const after = await events()
    assert.deepEqual(after.slice(0, before.length), before)
    assert.deepEqual(after.slice(before.length).toSorted(), ['+ nats:2 true', '- redis:8 true'])
  })

  it('ends when asked: not ready first, watches closed, the Lease given up, the store whole', async () => {
    const watch = spawn(cluster.kubectlPath, ['get', 'images', '-A', '-w', '-o', 'name'], {
      env: { ...process.env, KUBECONFIG: cluster.adminKubeconfig },
      stdio: ['ignore', 'ignore', 'inherit'],
    })
    const closed = once(watch, 'close')
    while (!/^deckwatch_api_watches 1$/m.test(await metrics())) await delay(20)
    assert.equal(await companion.terminate(), 0)
    assert.deepEqual(await closed, [0, null])
    assert.equal(companion.logs().at(-1)?.message, 'ended')
    const lease = await cluster.admin.send<V1Lease>('GET', LEASE)
    assert.ok(!lease.spec?.holderIdentity, `${lease.spec?.holderIdentity} still holds it`)
    assert.deepEqual(
      readdirSync(companion.data).filter((name) => name.endsWith('-wal')),
      [],
    )
    await companion.start()
  })

  it('is not ready while it ends, and ends at once when asked again', async () => {
    const other = await startInstead({ flags: ['--shutdown-grace=60s'] })
    const code = other.terminate()
    while ((await other.ask('/readyz')).status === 200) await delay(10)
    assert.match((await other.ask('/readyz')).body, /^\[-\]shutdown ending$/m)
    assert.equal((await other.ask('/livez')).status, 200)
    process.kill(other.pid ?? 0, 'SIGTERM')
    assert.equal(await code, 1)
    assert.match(other.logs().at(-1)?.message ?? '', /ending at once/)
  })

  it('is the same as the program that a build makes, outside of a cluster too', async () => {
    const built = await startInstead({ program: [PROGRAM] })
    const { components } = await built.status()
    assert.deepEqual(
      components.map(({ name, ready }) => [name, ready]),
      [
        ['api', true],
        ['image-graph', true],
      ],
    )
    assert.equal(await built.terminate(), 0)
  })

  it('sets a damaged store aside, says so, and serves', async () => {
    await companion.terminate()
    writeFileSync(join(companion.data, STORE), 'no database at all, just some words')
    await companion.start()
    assert.ok((await images()).includes('nginx:1.25'))
    const aside = readdirSync(companion.data).filter((name) => /^image-graph\.damaged-.*\.sqlite$/.test(name))
    assert.equal(aside.length, 1)
    assert.ok(companion.logs().some(({ level, message }) => level === 'error' && /set aside/.test(message)))
  })

  it('does not touch the store of a later version, and says which it needs', async () => {
    await companion.terminate()
    const file = join(companion.data, STORE)
    const schema = (version?: number): number => {
      const database = new DatabaseSync(file)
      const { user_version: found } = database.prepare('PRAGMA user_version').get() ?? {}
      if (version !== undefined) database.exec(`PRAGMA user_version = ${version}`)
      database.close()
      return Number(found)
    }
    const known = schema(999)
    await assert.rejects(companion.start(), /its schema is 999[^]*STORE_NEWER/)
    assert.equal(companion.logs().find(({ part }) => part === 'image-graph')?.message, 'image-graph failed')
    assert.equal(schema(known), 999)
    await companion.start()
  })

  it('bears with a right that comes a moment later than itself', async () => {
    const path = '/apis/rbac.authorization.k8s.io/v1/clusterroles/deckwatch'
    const { rules } = await cluster.admin.send<V1ClusterRole>('GET', path)
    await companion.terminate()
    await cluster.admin.send('PATCH', path, {
      rules: rules?.filter(({ resources }) => !resources?.includes('nodes')),
    })
    const refused = () =>
      companion.logs().filter(({ message }) => message.startsWith('refused at the start')).length
    const before = refused()
    const started = companion.start()
    while (refused() === before) await delay(20)
    await cluster.admin.send('PATCH', path, { rules })
    await started
  })

  it('gives its metrics by TLS to those only who may get them', async () => {
    const other = await startInstead({ flags: ['--metrics-auth'] })
    const token = await cluster.token('deckwatch', 'prometheus')
    const get = (bearer?: string) => askMetrics(other.ports.metrics, bearer)
    assert.deepEqual([await get(), await get('nonsense'), await get(token)], [401, 401, 403])
    await kubectl('create', 'clusterrole', 'metrics-reader', '--verb=get', '--non-resource-url=/metrics')
    const account = '--serviceaccount=deckwatch:prometheus-2'
    await kubectl('create', 'clusterrolebinding', 'metrics-reader', '--clusterrole=metrics-reader', account)
    assert.equal(await get(await cluster.token('deckwatch', 'prometheus-2')), 200)
  })

  it('waits for an API server that is away, alive but not ready', async () => {
    await companion.kill()
    await cluster.apiServer.kill()
    const started = companion.start()
    while (
      !(await companion.ask('/livez').then(
        ({ status }) => status === 200,
        () => false,
      ))
    )
      await delay(20)
    const { status, body } = await companion.ask('/readyz')
    assert.equal(status, 500)
    assert.match(body, /^\[-\]image-graph ./m)
    await cluster.apiServer.start()
    await started
    await until('nginx:1.25', true)
  })
})

async function askMetrics(port: number, token?: string): Promise<number> {
  const { request } = await import('node:https')
  const headers = token === undefined ? {} : { authorization: `Bearer ${token}` }
  const asked = request({
    host: '127.0.0.1',
    port,
    path: '/metrics',
    rejectUnauthorized: false,
    agent: false,
    headers,
  })
  asked.end()
  const [answer] = (await once(asked, 'response')) as [{ statusCode: number; resume(): void }]
  answer.resume()
  return answer.statusCode
}
