import assert from 'node:assert/strict'
import { setTimeout as delay } from 'node:timers/promises'
import type { V1Pod } from '@kubernetes/client-node'
import type { ImageEvent } from '../../src/core/wire/image.ts'
import { unregisterCompanion } from '../kit/companion-cluster.ts'
import { type Companion, startCompanion } from '../kit/companion.ts'
import type { ControlPlane } from '../kit/kubernetes/control-plane.ts'
import { ensureNamespace } from '../kit/kubernetes/namespaces.ts'
import { createPods, deletePods } from '../kit/kubernetes/seed.ts'
import { requireKubernetes } from '../kit/kubernetes/shared.ts'
import { startControlPlane } from '../kit/kubernetes/start-control-plane.ts'
import { FollowProcess, type FollowOptions } from '../kit/plugin/follow-process.ts'
import { KubectlImages } from '../kit/plugin/kubectl-images.ts'

const SET_UP_MS = 300_000
const RBAC = '/apis/rbac.authorization.k8s.io/v1'

describe('kubectl images --follow by the real companion', function () {
  this.timeout(300_000)
  let cluster: ControlPlane
  let companion: Companion
  let namespace = ''
  let namespaces = 0
  const started: FollowProcess[] = []

  before(async function () {
    await requireKubernetes(this)
    this.timeout(SET_UP_MS)
    // Not the shared one: these tests kill it, and an APIService is for a whole cluster.
    cluster = await startControlPlane()
    companion = await startCompanion(cluster)
  })

  after(async function () {
    this.timeout(SET_UP_MS)
    await companion?.stop()
    await cluster?.stop()
  })

  beforeEach(async () => {
    namespace = `follow-${++namespaces}`
    await ensureNamespace(cluster.admin, namespace)
    // It is known to be there: a plain run asks for no longer than 300 ms.
    const { exitCode, stderr } = await new KubectlImages(cluster).run([
      '-A',
      '-o',
      'name',
      '--companion=require',
    ])
    assert.equal(exitCode, 0, stderr)
  })

  afterEach(async function () {
    this.timeout(SET_UP_MS)
    for (const following of started.splice(0)) await following.kill()
    if (!cluster.apiServer.running) await cluster.apiServer.start()
    if (companion.pid === undefined) await companion.start()
  })

  const pod = (name: string, image = `${name}:1`): V1Pod => ({
    metadata: { name, namespace },
    spec: { containers: [{ name: 'app', image }] },
  })

  async function follow(args: readonly string[] = [], options: FollowOptions = {}): Promise<FollowProcess> {
    const following = await FollowProcess.start(cluster, ['-n', namespace, '-o', 'json', ...args], options)
    started.push(following)
    return following
  }

  async function startWithPods(...names: string[]): Promise<FollowProcess> {
    await createPods(
      cluster,
      names.map((name) => pod(name)),
    )
    await recorded(names.length)
    const following = await follow(['--no-initial'])
    assert.equal(
      following.stderr,
      `${names.length} image${names.length === 1 ? '' : 's'} in use by ${names.length} pod${names.length === 1 ? '' : 's'}; following\n`,
    )
    return following
  }

  /** The journal of the namespace as plain kubectl reads it. */
  async function journal(): Promise<ImageEvent[]> {
    const { stdout, stderr, exitCode } = await cluster.kubectl([
      'get',
      'imageevents',
      '-n',
      namespace,
      '-o',
      'json',
    ])
    assert.equal(exitCode, 0, stderr)
    return (JSON.parse(stdout) as { items: ImageEvent[] }).items
  }

  async function recorded(count: number): Promise<readonly ImageEvent[]> {
    for (;;) {
      const events = await journal()
      if (events.length >= count) return events
      await delay(50)
    }
  }

  /** Waits for as many lines as there are records, and compares each. */
  async function expectRecords(following: FollowProcess, count: number, since = 0): Promise<void> {
    const events = (await recorded(since + count)).slice(since)
    await following.waitFor(() => following.lines.length >= count, `${count} events`)
    assert.deepEqual(following.events, events)
  }

  it('tells what is recorded, each event once and as it was recorded', async () => {
    const following = await startWithPods('one', 'two')
    await createPods(cluster, [pod('three'), pod('also', 'three:1')])
    await deletePods(cluster, [pod('one')])
    await expectRecords(following, 2, 2)
    assert.deepEqual(following.changes, ['+ three:1', '- one:1'])
    assert.equal(await following.interrupt(), 130)
  })

  it('misses nothing while the companion is replaced, of what it has recorded since', async () => {
    const following = await startWithPods('one', 'two')
    for (const round of [1, 2, 3]) {
      await createPods(cluster, [pod(`before-${round}`)])
      await companion.kill()
      await createPods(cluster, [pod(`while-${round}`)])
      await deletePods(cluster, [pod(`before-${round}`)])
      await companion.start()
      await createPods(cluster, [pod(`after-${round}`)])
      // Whether the `before` was seen before the kill is chance; what is recorded is told.
      await following.waitFor(
        () => following.changes.includes(`+ after-${round}:1`),
        'what came after the restart',
      )
    }
    await expectRecords(following, following.lines.length, 2)
    for (const round of [1, 2, 3]) {
      const { late } = following.events.find(({ image }) => image === `while-${round}:1`) ?? {}
      assert.equal(late, true, 'the companion saw it only after its restart')
    }
    assert.match(following.stderr, /; resumed, nothing missed\n$/)
    assert.doesNotMatch(following.stderr, /new list/)
  })

  it('misses nothing over restarts of the API server', async () => {
    const following = await startWithPods('one')
    await cluster.apiServer.kill()
    await following.waitFor(() => following.stderr.includes('trying again'), 'word of the loss')
    await cluster.apiServer.start()
    await createPods(cluster, [pod('passing')])
    await deletePods(cluster, [pod('passing')])
    await createPods(cluster, [pod('last')])
    await following.waitFor(() => following.changes.includes('+ last:1'), 'what came after the restart')
    await expectRecords(following, 3, 1)
    assert.deepEqual(following.changes, ['+ passing:1', '- passing:1', '+ last:1'])
    assert.match(following.stderr, /; resumed, nothing missed\n$/)
  })

  it('tells the difference of two lists, late, where the journal is another one', async () => {
    const following = await startWithPods('kept', 'gone')
    await companion.stop()
    await deletePods(cluster, [pod('gone')])
    await createPods(cluster, [pod('news'), pod('passing')])
    await deletePods(cluster, [pod('passing')])
    // An empty store: its numbers are greater than all of the one before.
    companion = await startCompanion(cluster)
    await following.waitFor(() => following.lines.length >= 2, 'the difference')
    assert.deepEqual(following.changes.toSorted(), ['+ news:1', '- gone:1'])
    assert.deepEqual(
      following.events.map(({ late }) => late),
      [true, true],
    )
    assert.match(following.stderr, /; resumed with a new list: what came and went in between is not told\n$/)
    await createPods(cluster, [pod('last')])
    await following.waitFor(() => following.changes.includes('+ last:1'), 'what came after that')
    assert.equal(following.events.at(-1)?.late, false)
  })

  it('waits for a right that was withdrawn, and misses nothing when it is given back', async () => {
    const binding = `${RBAC}/namespaces/${namespace}/rolebindings`
    const body = {
      metadata: { name: 'viewer' },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'view' },
      subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: 'jane' }],
    }
    await cluster.admin.text('POST', binding, body)
    await createPods(cluster, [pod('one')])
    await recorded(1)
    const following = await follow(['--no-initial'], { kubeconfig: cluster.user('jane') })
    await cluster.admin.text('DELETE', `${binding}/viewer`)
    await following.waitFor(() => following.stderr.includes('the watch was lost'), 'the end of the watch')
    assert.match(following.stderr, /may not watch imageevents\.deckwatch\.dev|answered 403|is forbidden/)
    await createPods(cluster, [pod('unseen')])
    await recorded(2)
    assert.deepEqual(following.lines, [])
    await cluster.admin.text('POST', binding, body)
    await following.waitFor(() => following.lines.length > 0, 'what was missed')
    assert.deepEqual(following.changes, ['+ unseen:1'])
    assert.match(following.stderr, /; resumed, nothing missed\n$/)
  })

  it('watches pods itself after the companion was uninstalled, with the difference', async () => {
    const following = await startWithPods('kept', 'gone')
    await unregisterCompanion(cluster.admin, companion.namespace, companion.ports.api)
    await companion.kill()
    await following.waitFor(() => following.stderr.includes('trying again'), 'word of the loss')
    await deletePods(cluster, [pod('gone')])
    await createPods(cluster, [pod('news')])
    await following.waitFor(() => following.stderr.includes('watching pods instead'), 'another way', 60_000)
    await following.waitFor(() => following.lines.length >= 2, 'the difference')
    assert.deepEqual(following.changes.toSorted(), ['+ news:1', '- gone:1'])
    assert.deepEqual(
      following.events.map(({ late }) => late),
      [true, true],
    )
    await createPods(cluster, [pod('last')])
    await following.waitFor(() => following.changes.includes('+ last:1'), 'what came after that')
    assert.match(following.stderr, /\n2 images in use by 2 pods; following\n$/)
    await companion.stop()
    companion = await startCompanion(cluster)
  })

  it('begins with the past where asked, and goes on over a restart of the companion', async () => {
    await createPods(cluster, [pod('one')])
    await deletePods(cluster, [pod('one')])
    await recorded(2)
    const following = await follow(['--since', '1h'])
    await companion.restart()
    await createPods(cluster, [pod('two')])
    await expectRecords(following, 3)
    assert.deepEqual(following.changes, ['+ one:1', '- one:1', '+ two:1'])
  })
})
