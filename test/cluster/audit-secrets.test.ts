import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { RECORDED_RESOURCES } from '../../server/audit-log/recorded-resources.ts'
import { openAuditStore } from '../../server/audit-log/store/open-audit-store.ts'
import { systemClock } from '../../src/core/lib/time.ts'
import type { Change } from '../../src/core/wire/change.ts'
import { AuditWorld } from '../kit/audit-world.ts'
import { requireKubernetes } from '../kit/kubernetes/shared.ts'
import { PlantedValues } from '../kit/planted-values.ts'
import { recordedLog } from '../kit/recorded-log.ts'
import { everything } from '../kit/sample-change.ts'

const MARK = /^redacted:[0-9a-f]{16}$/

describe('values of Secrets and credentials elsewhere, on a real API server', function () {
  this.timeout(300_000)
  const planted = new PlantedValues()
  const found = new Set<string>()
  let world: AuditWorld
  const looking = new AbortController()
  let looks: Promise<void> | undefined

  before(async function () {
    await requireKubernetes(this)
    world = await AuditWorld.start()
    await world.ensureNamespace('shop')
    // The journal is let go as soon as it is read: it is looked at all the time.
    looks = (async () => {
      while (!looking.signal.aborted) {
        look('audit-journal')
        await delay(100)
      }
    })()
  })

  after(async () => {
    looking.abort()
    await looks
    await world?.stop()
  })

  function look(folder = ''): void {
    for (const one of planted.inFolder(join(world.companion.data, folder))) found.add(one)
  }

  const shop = (user: string, args: readonly string[], input?: unknown): Promise<string> =>
    world.run(user, ['-n', 'shop', ...args], input)

  /** What is told of an object, the oldest first. */
  async function told(name: string): Promise<readonly Change[]> {
    await world.settled()
    return world.changes('shop', [`object.name=${name}`])
  }

  const paths = ({ changes }: Change): readonly string[] => changes.map(({ path }) => path)

  const secret = (name: string, more: object): object => ({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name, namespace: 'shop' },
    ...more,
  })
  const base64 = (text: string): string => Buffer.from(text).toString('base64')

  it('a Secret that is made, edited and patched: that a value changed is told, and which', async () => {
    const [first, second, third, other] = ['hunter2', 'pass-1234', 'Tr0ub4dor', 'never-changed-0'].map(
      (value) => planted.plant(value),
    )
    const literals = [`--from-literal=password=${first}`, `--from-literal=other=${other}`]
    await shop('alice', ['create', 'secret', 'generic', 'made', ...literals])
    await shop('bob', ['patch', 'secret', 'made', '-p', JSON.stringify({ stringData: { password: second } })])
    const operation = { op: 'replace', path: '/data/password', value: base64(third ?? '') }
    await shop('carol', ['patch', 'secret', 'made', '--type=json', '-p', JSON.stringify([operation])])
    const edited = planted.plant('edited-by-hand')
    const editor = `sed -i s/${base64(third ?? '')}/${base64(edited)}/`
    const { exitCode, stderr } = await world.kubectl('dave', ['-n', 'shop', 'edit', 'secret', 'made'], {
      env: { KUBE_EDITOR: editor },
    })
    assert.equal(exitCode, 0, stderr)
    await shop('erin', ['delete', 'secret', 'made'])
    const changes = await told('made')
    assert.deepEqual(
      changes.map((change) => [change.operation, change.user?.username, paths(change)]),
      [
        ['CREATE', 'alice', ['']],
        ['UPDATE', 'bob', ['data.password']],
        ['UPDATE', 'carol', ['data.password']],
        ['UPDATE', 'dave', ['data.password']],
        ['DELETE', 'erin', ['']],
      ],
    )
    const values = changes.slice(1, 4).flatMap(({ changes: [field] }) => [field?.from, field?.to])
    for (const value of values) assert.match(String(value), MARK)
    // What one left is what the next found.
    assert.deepEqual(values, [values[0], values[1], values[1], values[3], values[3], values[5]])
    assert.equal(new Set(values).size, 4)
  })

  it('apply, which keeps the whole object in an annotation, by the client and by the server, with data and stringData', async () => {
    const apply = (user: string, object: object, ...args: string[]): Promise<string> =>
      shop(user, ['apply', ...args, '-f', '-'], object)
    const plain = (name: string): object =>
      secret(name, { stringData: { token: planted.plant(`plain-${name}`) } })
    const encoded = (name: string): object =>
      secret(name, { data: { token: base64(planted.plant(`encoded-${name}`)) } })
    await apply('alice', encoded('by-client'))
    await apply('bob', secret('by-client', { stringData: { token: planted.plant('second-by-client') } }))
    await apply('alice', plain('by-client-plain'))
    await apply('alice', plain('by-server'), '--server-side')
    await apply('bob', encoded('by-server'), '--server-side', '--force-conflicts', '--field-manager=pipeline')
    await shop('carol', ['annotate', 'secret', 'by-client', `note=${planted.plant('noted-by-hand')}`])
    for (const [name, users] of [
      ['by-client', ['alice', 'bob', 'carol']],
      ['by-client-plain', ['alice']],
      ['by-server', ['alice', 'bob']],
    ] as const) {
      const changes = await told(name)
      assert.deepEqual(
        changes.map(({ user }) => user?.username),
        users,
        name,
      )
      if (changes[1]) assert.deepEqual(paths(changes[1]), ['data.token'])
    }
  })

  it('credentials in the environment of a container and in a ConfigMap', async () => {
    const container = (password: string, level: string): object => ({
      name: 'app',
      image: 'app:1',
      args: [
        '--password',
        planted.plant(`${password}-as-argument`),
        `--api-key=${planted.plant(`${password}-key`)}`,
      ],
      env: [
        { name: 'DB_PASSWORD', value: planted.plant(password) },
        { name: 'DATABASE_URL', value: `postgres://app:${planted.plant(`${password}-in-url`)}@db/app` },
        { name: 'LOG_LEVEL', value: level },
      ],
    })
    const deployment = (password: string, level: string): object => ({
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'web', namespace: 'shop' },
      spec: {
        replicas: 1,
        selector: { matchLabels: { app: 'web' } },
        template: {
          metadata: { labels: { app: 'web' } },
          spec: { containers: [container(password, level)] },
        },
      },
    })
    const configMap = (password: string, color: string): object => ({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'settings', namespace: 'shop' },
      data: {
        password: planted.plant(`${password}-as-key`),
        'app.yaml': `color: ${color}\ndatabase:\n  password: ${planted.plant(`${password}-in-yaml`)}\n`,
        'app.properties': `color=${color}\ndb.password=${planted.plant(`${password}-in-properties`)}\n`,
      },
    })
    await shop('alice', ['apply', '-f', '-'], deployment('s3cr3t-one', 'info'))
    await shop('bob', ['apply', '-f', '-'], deployment('s3cr3t-two', 'debug'))
    await shop('alice', ['apply', '-f', '-'], configMap('c0nf1g-one', 'red'))
    await shop('bob', ['apply', '-f', '-'], configMap('c0nf1g-two', 'blue'))
    const app = 'spec.template.spec.containers[name=app]'
    const web = (await told('web')).filter(({ object: { kind } }) => kind === 'Deployment')
    const [, second] = web.filter(({ user }) => user?.username === 'alice' || user?.username === 'bob')
    assert.deepEqual(second && paths(second).filter((path) => !path.includes('.args')), [
      `${app}.env[name=DB_PASSWORD].value`,
      `${app}.env[name=DATABASE_URL].value`,
      `${app}.env[name=LOG_LEVEL].value`,
    ])
    const level = second?.changes.find(({ path }) => path.includes('LOG_LEVEL'))
    assert.deepEqual([level?.from, level?.to], ['info', 'debug'])
    const [, changed] = await told('settings')
    assert.deepEqual(changed && paths(changed).toSorted(), [
      'data.password',
      'data["app.properties"]',
      'data["app.yaml"]',
    ])
    assert.match(JSON.stringify(changed), /blue/)
  })

  it('are in no answer of the API, on no screen of kubectl, and not in what the companion says of itself', async () => {
    const metrics = await fetch(`http://127.0.0.1:${world.companion.ports.metrics}/metrics`)
    const screens = [await metrics.text(), JSON.stringify(await world.companion.status())]
    for (const output of ['yaml', 'json', 'wide', 'name']) {
      for (const args of [
        ['get', 'changes', '-n', 'shop'],
        ['get', 'clusterchanges'],
        ['get', 'clusterchanges', '--field-selector=state!=confirmed'],
      ]) {
        screens.push(await world.run('alice', [...args, '-o', output]))
      }
    }
    screens.push(await world.run('alice', ['describe', 'changes', '-n', 'shop']))
    const watched = [
      'get',
      '--raw',
      '/apis/deckwatch.dev/v1alpha1/clusterchanges?watch=true&timeoutSeconds=1',
    ]
    screens.push(await world.run('alice', watched))
    const ofOne = await world.list('shop', [
      'object.resource=deployments',
      'object.group=apps',
      'object.name=web',
    ])
    assert.ok((ofOne.touched ?? []).length > 0)
    screens.push(JSON.stringify(ofOne))
    assert.ok(screens.every((screen) => screen.length > 0))
    assert.deepEqual(
      screens.flatMap((screen) => planted.in(screen)),
      [],
    )
  })

  it('are in no file of the companion: journal, store, log', async () => {
    look()
    await world.companion.kill()
    look()
    assert.deepEqual(planted.in(readFileSync(world.companion.logFile, 'latin1')), [])
    // What the store compresses with a dictionary is read as the store reads it.
    const store = await openAuditStore(
      { folder: world.companion.data, url: '' },
      { clock: systemClock, log: recordedLog() },
    )
    try {
      const bodies: string[] = []
      for (const { group, resource } of RECORDED_RESOURCES) {
        for await (const known of store.known(group, resource)) bodies.push(JSON.stringify(known))
      }
      for (const body of bodies) assert.deepEqual(planted.in(body), [])
      assert.ok(bodies.some((body) => body.includes('"by-server"') && body.includes('redacted:')))
      const all = await store.page(everything(), 10_000, undefined)
      for (const change of all.items) assert.deepEqual(planted.in(JSON.stringify(change)), [])
      assert.ok(all.items.length > 10)
    } finally {
      await store.close()
    }
    look()
    assert.deepEqual([...found], [])
  })
})
