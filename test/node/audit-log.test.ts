import assert from 'node:assert/strict'
import { setTimeout as delay } from 'node:timers/promises'
import type { Change, ChangeListExtra } from '../../src/core/wire/change.ts'
import { deleteNamespace, ensureNamespace } from '../kit/kubernetes/namespaces.ts'
import { CompanionWorld, eventually } from './companion-world.ts'
import { makeLocalVolume } from './local-volume.ts'

const VOLUME = 'audit-log-test'
const NAMESPACE = 'audit-log-test'
const WEB = 'docker.io/library/web:1'
/** A time without a witness is a gap from five seconds on. */
const ABSENCE_MS = 5500
const WEBHOOK = ['validatingwebhookconfiguration', 'deckwatch-audit-log', '--ignore-not-found'] as const

type Served = Partial<ChangeListExtra> & { readonly items: readonly Change[] }

describe('the audit log on a real node', function () {
  this.timeout(300_000)
  let world: CompanionWorld
  let markers = 0
  /** How many changes of the namespace were told before. */
  let known: ReadonlySet<string> = new Set()

  before(async function () {
    world = await CompanionWorld.require(this)
    await world.node.importImage(WEB)
    await makeLocalVolume(world, VOLUME)
    await ensureNamespace(world.cluster.admin, NAMESPACE)
    await world.remember()
  })

  after(async () => {
    if (world === undefined) return
    await world.close()
    await deleteNamespace(world.cluster.admin, NAMESPACE)
    await world.kubectl('delete', 'persistentvolume', VOLUME)
  })

  /** kubectl in the namespace, as somebody who may do everything. */
  async function as(person: string, args: readonly string[], input = ''): Promise<string> {
    const kubeconfig = world.cluster.user(person, ['system:masters'])
    const { stdout, stderr, exitCode } = await world.cluster.kubectl(['-n', NAMESPACE, ...args], {
      kubeconfig,
      input,
    })
    assert.equal(exitCode, 0, `kubectl ${args.join(' ')}: ${stderr}`)
    return stdout
  }

  async function served(...fields: readonly string[]): Promise<Served> {
    const selector = fields.length > 0 ? [`--field-selector=${fields.join(',')}`] : []
    return JSON.parse(await world.kubectl('get', 'changes', '-n', NAMESPACE, ...selector, '-o', 'json'))
  }

  /** What has been told since this was asked last, the oldest first, once all that was written before has been told. */
  async function news(): Promise<readonly Change[]> {
    const marker = `marker-${++markers}`
    await as('marker', ['create', 'configmap', marker])
    await eventually(async () => {
      assert.equal((await served(`object.name=${marker}`, 'state=confirmed')).items.length, 1)
    })
    // Each kind has a watch of its own.
    await eventually(async () => {
      assert.deepEqual((await served('state=pending')).items.map(brief), [])
    })
    const { items } = await served()
    const fresh = items.filter(({ metadata }) => !known.has(metadata?.name ?? ''))
    known = new Set(items.map(({ metadata }) => metadata?.name ?? ''))
    return fresh.filter(({ object }) => object.name !== marker).toReversed()
  }

  const brief = ({ operation, state, user, object }: Change): string =>
    [
      operation,
      object.kind,
      ...(object.subresource === '' ? [] : [`(${object.subresource})`]),
      'by',
      user?.username ?? '?',
      state,
    ].join(' ')

  const webPods = async (): Promise<string[]> =>
    (await as('reader', ['get', 'pods', '-l', 'app=web', '-o', 'name'])).trim().split('\n')

  async function webIsUp(): Promise<void> {
    await as('reader', ['rollout', 'status', 'deployment/web', '--timeout=180s'])
  }

  it('is there with one command, under Pod Security "restricted", and records from then on', async () => {
    const told = await world.kubectl(
      'deckwatch',
      'install',
      '--yes',
      '--components=image-graph,audit-log',
      '--storage=pvc',
      '--set=storage.size=1Gi',
      '--set=auditLog.access=true',
      '--timeout=180s',
    )
    assert.match(told, /^ ok {2}changes are recorded$/m)
    const level = 'jsonpath={.metadata.labels.pod-security\\.kubernetes\\.io/enforce}'
    assert.equal(await world.kubectl('get', 'namespace', 'deckwatch', '-o', level), 'restricted')
    assert.match(await world.kubectl('deckwatch', 'status'), /^audit-log +ready: recording$/m)

    await as('dev-1', ['create', 'deployment', 'web', `--image=${WEB}`, '--replicas=2'])
    await webIsUp()
    // Its ReplicaSet and its pods are the Deployment controller's, the scheduler's and the kubelet's.
    assert.deepEqual((await news()).map(brief), ['CREATE Deployment by dev-1 confirmed'])
  })

  it('tells a pod’s deletion once, with the person who asked for it, not with the kubelet that ends it', async () => {
    const [pod = ''] = await webPods()
    await as('dev-1', ['delete', pod])
    await webIsUp()
    assert.deepEqual((await news()).map(brief), ['DELETE Pod by dev-1 confirmed'])
  })

  it('tells an eviction, as a drain asks for it, with the person who asked for it', async () => {
    const [pod = ''] = await webPods()
    const name = pod.replace('pod/', '')
    const eviction = { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name, namespace: NAMESPACE } }
    const path = `/api/v1/namespaces/${NAMESPACE}/pods/${name}/eviction`
    await as('dev-2', ['create', '--raw', path, '-f', '-'], JSON.stringify(eviction))
    await as('reader', ['wait', '--for=delete', pod, '--timeout=180s'])
    await webIsUp()
    assert.deepEqual((await news()).map(brief), ['DELETE Pod (eviction) by dev-2 confirmed'])
  })

  it('tells who ran a command in a pod, and not which', async () => {
    const [pod = ''] = await webPods()
    const printed = await as('dev-1', ['exec', pod, '--', 'echo', 'this-is-nobodys-business'])
    assert.equal(printed, 'this-is-nobodys-business\n')
    const told = await news()
    assert.deepEqual(told.map(brief), ['CONNECT Pod (exec) by dev-1 admitted'])
    assert.equal(told[0]?.object.name, pod.replace('pod/', ''))
    assert.doesNotMatch(JSON.stringify(told), /business/)
  })

  it('tells who put an ephemeral container into a pod', async () => {
    const [pod = ''] = await webPods()
    await as('dev-2', ['debug', pod, `--image=${WEB}`, '--container=debugger', '--image-pull-policy=Never'])
    const told = await news()
    assert.deepEqual(told.map(brief), ['UPDATE Pod (ephemeralcontainers) by dev-2 confirmed'])
    assert.match(told[0]?.changes[0]?.path ?? '', /^spec\.ephemeralContainers/)
  })

  it('tells a rollout as one change of its Deployment', async () => {
    await as('dev-2', ['set', 'env', 'deployment/web', 'LEVEL=debug'])
    await webIsUp()
    assert.deepEqual((await news()).map(brief), ['UPDATE Deployment by dev-2 confirmed'])
    const screen = await world.kubectl('blame', '-n', NAMESPACE)
    assert.match(screen, /deployment\/web +dev-2 /)
    assert.doesNotMatch(screen, /replicaset/i)
  })

  it('keeps what it knows while its pod is away, and says that it did not look', async () => {
    await world.kubectl('scale', 'deployment/deckwatch', '-n', 'deckwatch', '--replicas=0')
    const selector = 'app.kubernetes.io/name=deckwatch'
    await world.kubectl('wait', '--for=delete', 'pods', '-n', 'deckwatch', '-l', selector, '--timeout=180s')
    await as('dev-1', ['set', 'image', 'deployment/web', `web=${WEB}`, '--dry-run=server'])
    await as('dev-1', ['scale', 'deployment/web', '--replicas=1'])
    await as('dev-1', ['set', 'env', 'deployment/web', 'LEVEL=info'])
    await delay(ABSENCE_MS)
    await world.kubectl('scale', 'deployment/deckwatch', '-n', 'deckwatch', '--replicas=1')
    await world.rolledOut()
    await eventually(async () => {
      assert.equal((await served('state=unattributed')).items.length, 1)
    })
    const [unnamed, ...others] = (await news()).filter(({ object }) => object.kind === 'Deployment')
    assert.deepEqual(others, [])
    assert.ok(unnamed)
    assert.equal(brief(unnamed), 'UPDATE Deployment by ? unattributed')
    assert.equal(unnamed.via.manager, 'kubectl-set')
    assert.deepEqual(unnamed.changes.map(({ path }) => path).toSorted(), [
      'spec.replicas',
      'spec.template.spec.containers[name=web].env[name=LEVEL].value',
    ])
    const screen = await world.kubectl('blame', 'deployment', 'web', '-n', NAMESPACE)
    assert.match(screen, /^-- not recording .* 1 change without a name:$/m)
    assert.match(screen, /^\S+ +dev-2 /m)
  })

  it('goes without a trace', async () => {
    await as('dev-1', ['delete', 'deployment/web', '--cascade=foreground', '--timeout=180s'])
    await as('dev-1', [
      'delete',
      'configmaps',
      '--selector=!none',
      '--field-selector=metadata.name!=kube-root-ca.crt',
    ])
    await world.kubectl('deckwatch', 'uninstall', '--yes', '--timeout=180s')
    assert.equal(await world.kubectl('get', ...WEBHOOK), '')
    await world.expectNoTrace()
  })
})
