import assert from 'node:assert/strict'
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { eventually } from '../kit/aggregated/eventually.ts'
import { MemoryResource } from '../kit/aggregated/memory-resource.ts'
import { type Aggregated, startAggregated } from '../kit/aggregated/start-aggregated.ts'
import type { ControlPlane } from '../kit/kubernetes/control-plane.ts'
import { deleteNamespace, ensureNamespace } from '../kit/kubernetes/namespaces.ts'
import { requireCluster } from '../kit/kubernetes/shared.ts'

const MINE = 'api-rights-mine'
const OTHERS = 'api-rights-others'
const RBAC = '/apis/rbac.authorization.k8s.io/v1'

describe('rights on the aggregated API behind a real API server', () => {
  let cluster: ControlPlane
  let aggregated: Aggregated
  let widgets: MemoryResource
  let users = 0
  let user = ''
  let kubeconfig = ''
  const children: ChildProcess[] = []

  before(async function () {
    cluster = await requireCluster(this)
    widgets = new MemoryResource()
    const clusterWidgets = new MemoryResource({ namespaced: false })
    aggregated = await startAggregated(cluster, [widgets.resource, clusterWidgets.resource])
    await Promise.all([MINE, OTHERS].map((name) => ensureNamespace(cluster.admin, name)))
    for (const namespace of [MINE, OTHERS]) {
      widgets.put({ name: 'shown', namespace, namespaceUid: await uidOf(namespace) })
      widgets.put({ name: 'of-before', namespace, namespaceUid: 'uid-of-a-namespace-that-was-deleted' })
    }
    clusterWidgets.put({ name: 'whole' })
  })
  after(() => aggregated?.stop())

  beforeEach(() => {
    user = `api-rights-user-${++users}`
    kubeconfig = cluster.user(user)
  })
  afterEach(async () => {
    for (const child of children.splice(0)) {
      if (child.exitCode !== null || child.signalCode !== null) continue
      child.kill()
      await once(child, 'close')
    }
  })

  async function uidOf(namespace: string): Promise<string> {
    const { metadata } = await cluster.admin.send<{ metadata: { uid: string } }>(
      'GET',
      `/api/v1/namespaces/${namespace}`,
    )
    return metadata.uid
  }

  const ALL = ['get', 'list', 'watch']

  /** Gives the user the rights on widgets and pods in a namespace, or in the whole cluster. */
  async function grant(
    namespace: string | undefined,
    resources: Readonly<Record<string, readonly string[]>>,
  ): Promise<void> {
    const kind = namespace === undefined ? 'ClusterRole' : 'Role'
    const root = namespace === undefined ? RBAC : `${RBAC}/namespaces/${namespace}`
    const name = `${user}-${Object.keys(resources).join('-')}`
    await cluster.admin.send('POST', `${root}/${kind.toLowerCase()}s`, {
      metadata: { name },
      rules: Object.entries(resources).map(([resource, verbs]) => ({
        apiGroups: [resource === 'pods' ? '' : 'deckwatch.dev'],
        resources: [resource],
        verbs,
      })),
    })
    await cluster.admin.send('POST', `${root}/${kind.toLowerCase()}bindings`, {
      metadata: { name },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind, name },
      subjects: [{ kind: 'User', name: user, apiGroup: 'rbac.authorization.k8s.io' }],
    })
  }

  const revoke = (namespace: string, resource: string): Promise<unknown> =>
    cluster.admin.send('DELETE', `${RBAC}/namespaces/${namespace}/rolebindings/${user}-${resource}`)

  const kubectl = (...args: string[]) => cluster.kubectl(args, { kubeconfig })

  async function names(...args: string[]): Promise<readonly string[]> {
    const { stdout, stderr, exitCode } = await kubectl('get', 'widgets', '-o', 'name', ...args)
    assert.equal(exitCode, 0, stderr)
    return stdout.split('\n').filter(Boolean)
  }

  async function refused(...args: string[]): Promise<string> {
    const { stdout, stderr, exitCode } = await kubectl(...args)
    assert.equal(stdout, '')
    assert.equal(exitCode, 1)
    assert.match(stderr, /\(Forbidden\)/)
    return stderr
  }

  /** Watches widgets with kubectl until it ends. */
  function watch(...args: string[]): { readonly output: () => string; readonly ended: Promise<unknown> } {
    const child = spawn(cluster.kubectlPath, ['get', 'widgets', '--watch-only', '--no-headers', ...args], {
      env: { ...process.env, KUBECONFIG: kubeconfig },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    children.push(child)
    let output = ''
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk: Buffer) => (output += chunk.toString()))
    return { output: () => output, ended: once(child, 'close') }
  }

  it('let a reader of the whole cluster see everything, also what deleted namespaces left', async () => {
    await grant(undefined, { widgets: ALL, clusterwidgets: ALL, pods: ALL })
    assert.equal((await names('-A')).length, 4)
    assert.equal((await names('-n', MINE)).length, 2)
    assert.equal(
      (await kubectl('get', 'clusterwidgets', '-o', 'name')).stdout,
      'clusterwidget.deckwatch.dev/whole\n',
    )
  })

  it('let a reader of one namespace see that one only, in lists, watches and by guessing names', async () => {
    await grant(MINE, { widgets: ALL, pods: ALL })
    assert.deepEqual(await names('-n', MINE), ['widget.deckwatch.dev/shown'])
    assert.deepEqual(await names('-n', MINE, 'shown'), ['widget.deckwatch.dev/shown'])
    const { stderr } = await kubectl('get', 'widgets', '-n', MINE, 'of-before')
    assert.match(stderr, /\(NotFound\)/)
    await refused('get', 'widgets', '-n', OTHERS)
    await refused('get', 'widgets', '-n', OTHERS, 'shown')
    await refused('get', 'widgets', '-n', OTHERS, 'there-is-none')
    await refused('get', 'widgets', '-A')
    await refused('get', 'clusterwidgets')
    await refused('get', 'widgets', '-n', OTHERS, '--watch')

    const watching = watch('-n', MINE)
    await eventually('its watch', () => widgets.watchers === 1)
    widgets.put({ name: 'x', namespace: OTHERS, namespaceUid: await uidOf(OTHERS) })
    widgets.put({ name: 'y', namespace: MINE, namespaceUid: 'uid-of-a-namespace-that-was-deleted' })
    widgets.put({ name: 'z', namespace: MINE, namespaceUid: await uidOf(MINE) })
    await eventually('the one that it may see', () => watching.output().startsWith('z'))
    assert.match(watching.output(), /^z +red +\d+m\n$/)
    widgets.remove('z', MINE)
  })

  it('need the right on what stands behind too', async () => {
    await grant(MINE, { widgets: ALL })
    assert.match(
      await refused('get', 'widgets', '-n', MINE),
      /cannot list resource "pods" in API group "" in the namespace/,
    )
    await grant(MINE, { pods: ['list'] })
    // The refusal is remembered for ten seconds.
    await eventually('the right', async () => (await kubectl('get', 'widgets', '-n', MINE)).exitCode === 0)
    const { stderr } = await kubectl('get', 'widgets', '-n', MINE, '--watch-only')
    assert.match(stderr, /cannot watch resource "pods"/)
  })

  for (const [what, resource] of [
    ['on the resource', 'widgets'],
    ['on what stands behind', 'pods'],
  ] as const) {
    it(`end an open watch when the right ${what} is withdrawn`, async function () {
      this.timeout(300_000)
      await grant(MINE, { widgets: ALL })
      await grant(MINE, { pods: ALL })
      const watching = watch('-n', MINE)
      await eventually('its watch', () => widgets.watchers === 1)
      await revoke(MINE, resource)
      await watching.ended
      await eventually('the end of the watch here', () => widgets.watchers === 0)
      assert.match(watching.output(), new RegExp(String.raw`cannot watch resource "${resource}"`))
    })
  }

  it('do not pass to the next owner of a namespace’s name', async function () {
    this.timeout(300_000)
    const namespace = 'api-rights-again'
    await ensureNamespace(cluster.admin, namespace)
    const first = await uidOf(namespace)
    widgets.put({ name: 'old', namespace, namespaceUid: first })
    await grant(namespace, { widgets: ALL, pods: ALL })
    assert.deepEqual(await names('-n', namespace), ['widget.deckwatch.dev/old'])
    const watching = watch('-n', namespace)
    await eventually('its watch', () => widgets.watchers === 1)

    await deleteNamespace(cluster.admin, namespace)
    await ensureNamespace(cluster.admin, namespace)
    assert.notEqual(await uidOf(namespace), first)
    await watching.ended
    assert.doesNotMatch(watching.output(), /old/)

    await grant(namespace, { widgets: ALL, pods: ALL })
    await eventually(
      'the right',
      async () => (await kubectl('get', 'widgets', '-n', namespace)).exitCode === 0,
    )
    assert.deepEqual(await names('-n', namespace), [])
    widgets.put({ name: 'new', namespace, namespaceUid: await uidOf(namespace) })
    assert.deepEqual(await names('-n', namespace), ['widget.deckwatch.dev/new'])
    await deleteNamespace(cluster.admin, namespace)
  })

  it('are those of the impersonated, whose groups may hold commas', async () => {
    const as = ['--as=api-rights-somebody', '--as-group=a, b', '--as-group=system:authenticated']
    const get = (...groups: string[]) =>
      cluster.kubectl(['get', 'widgets', '-n', MINE, '-o', 'name', as[0] ?? '', ...groups])
    await cluster.admin.send('POST', `${RBAC}/namespaces/${MINE}/rolebindings`, {
      metadata: { name: 'api-rights-comma' },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'cluster-admin' },
      subjects: [{ kind: 'Group', name: 'a, b', apiGroup: 'rbac.authorization.k8s.io' }],
    })
    assert.equal((await get('--as-group=a, b')).stdout, 'widget.deckwatch.dev/shown\n')
    assert.match((await get('--as-group=a', '--as-group=b')).stderr, /\(Forbidden\)/)
  })

  it('are ServiceAccounts’ too', async () => {
    user = `system:serviceaccount:${MINE}:reader`
    kubeconfig = cluster.tokenKubeconfig(await cluster.token(MINE, 'reader'))
    await cluster.admin.send('POST', `${RBAC}/namespaces/${MINE}/rolebindings`, {
      metadata: { name: 'api-rights-reader' },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'cluster-admin' },
      subjects: [{ kind: 'ServiceAccount', name: 'reader', namespace: MINE }],
    })
    assert.deepEqual(await names('-n', MINE), ['widget.deckwatch.dev/shown'])
    await refused('get', 'widgets', '-n', OTHERS)
  })
})
