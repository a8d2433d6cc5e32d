import assert from 'node:assert/strict'
import type { Change } from '../../src/core/wire/change.ts'
import { AuditWorld } from '../kit/audit-world.ts'
import { requireKubernetes } from '../kit/kubernetes/shared.ts'

const CONTAINER = { name: 'app', image: 'nginx:1.24' }

describe('what commands and clients of many kinds leave, on a real API server', function () {
  this.timeout(120_000)
  let world: AuditWorld

  before(async function () {
    await requireKubernetes(this)
    world = await AuditWorld.start()
    await world.ensureNamespace('shop')
  })

  after(() => world?.stop())

  const shop = (user: string, args: readonly string[], input?: unknown): Promise<string> =>
    world.run(user, ['-n', 'shop', ...args], input)

  /** Who did what to one object, the oldest first. */
  async function told(resource: string, name: string): Promise<readonly Change[]> {
    await world.settled()
    return world.changes('shop', [`object.resource=${resource}`, `object.name=${name}`])
  }

  const line = ({ operation, object, state, user, via, changes }: Change): string =>
    [
      operation,
      object.subresource,
      state,
      user?.username,
      via.manager,
      ...changes.map(({ path, op }) => (path === '' ? '' : `${op} ${path}`)),
    ]
      .filter(Boolean)
      .join(' ')

  const deployment = (image: string): object => ({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'web' },
    spec: {
      replicas: 0,
      selector: { matchLabels: { app: 'web' } },
      template: { metadata: { labels: { app: 'web' } }, spec: { containers: [{ ...CONTAINER, image }] } },
    },
  })

  it('an edit, each kind of patch, a replacement and a change of the way of applying: once each', async () => {
    await shop('alice', ['apply', '-f', '-'], deployment('nginx:1.24'))
    // The API server asks for several reviews of this one command.
    await shop('bob', ['apply', '--server-side', '--force-conflicts', '-f', '-'], deployment('nginx:1.25'))
    const edit = await world.kubectl('carol', ['-n', 'shop', 'edit', 'deployment', 'web'], {
      env: { KUBE_EDITOR: 'sed -i s/nginx:1.25/nginx:1.26/' },
    })
    assert.equal(edit.exitCode, 0, edit.stderr)
    const patch = (user: string, type: string, body: unknown): Promise<string> =>
      shop(user, ['patch', 'deployment', 'web', `--type=${type}`, '-p', JSON.stringify(body)])
    const path = '/spec/template/spec/containers/0/image'
    await patch('dave', 'json', [
      { op: 'test', path, value: 'nginx:1.26' },
      { op: 'replace', path, value: 'nginx:1.27' },
    ])
    const failed = await world.kubectl('dave', [
      '-n',
      'shop',
      'patch',
      'deployment',
      'web',
      '--type=json',
      '-p',
      JSON.stringify([
        { op: 'test', path, value: 'another' },
        { op: 'replace', path, value: 'nginx:9' },
      ]),
    ])
    assert.equal(failed.exitCode, 1)
    await patch('erin', 'merge', { spec: { minReadySeconds: 3 } })
    await patch('alice', 'strategic', {
      spec: { template: { spec: { containers: [{ name: 'app', env: [{ name: 'A', value: '1' }] }] } } },
    })
    await shop('bob', ['set', 'image', 'deployment/web', 'app=nginx:1.28'])
    const app = 'spec.template.spec.containers[name=app]'
    const changes = (await told('deployments', 'web')).filter(({ actor }) => actor === 'person')
    assert.deepEqual(changes.map(line), [
      'CREATE confirmed alice kubectl-client-side-apply',
      `UPDATE confirmed bob kubectl replace ${app}.image`,
      `UPDATE confirmed carol kubectl-edit replace ${app}.image`,
      `UPDATE confirmed dave kubectl-patch replace ${app}.image`,
      'UPDATE confirmed erin kubectl-patch add spec.minReadySeconds',
      `UPDATE confirmed alice kubectl-patch add ${app}.env`,
      `UPDATE confirmed bob kubectl-set replace ${app}.image`,
    ])
  })

  it('a replacement by force is an end and a beginning, in one timeline', async () => {
    const configMap = (value: string): object => ({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'settings' },
      data: { value },
    })
    await shop('alice', ['create', '-f', '-'], configMap('1'))
    await shop('bob', ['replace', '--force', '-f', '-'], configMap('2'))
    const changes = await told('configmaps', 'settings')
    assert.deepEqual(changes.map(line), [
      'CREATE confirmed alice kubectl-create',
      'DELETE confirmed bob',
      'CREATE confirmed bob kubectl-replace',
    ])
    assert.equal(new Set(changes.map(({ object }) => object.uid)).size, 2)
  })

  it('a pod that is resized, and one whose name begins another’s', async () => {
    const resources = (cpu: string): object => ({ requests: { cpu } })
    for (const name of ['web', 'web-2']) {
      await shop('alice', ['create', '-f', '-'], {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { name },
        spec: { containers: [{ ...CONTAINER, resources: resources('100m') }] },
      })
    }
    const containers = [{ ...CONTAINER, resources: resources('200m') }]
    const body = JSON.stringify({ spec: { containers } })
    await shop('bob', ['patch', 'pod', 'web', '--subresource=resize', '--type=merge', '-p', body])
    assert.deepEqual((await told('pods', 'web')).map(line), [
      'CREATE confirmed alice kubectl-create',
      'UPDATE resize confirmed bob kubectl-patch replace spec.containers[name=app].resources.requests.cpu',
    ])
    assert.deepEqual((await told('pods', 'web-2')).map(line), ['CREATE confirmed alice kubectl-create'])
  })

  it('somebody who acts as another is that other; a ServiceAccount comes with its pod', async () => {
    const as = ['--as=deployer', '--as-group=system:masters', '--as-uid=u-1']
    await shop('alice', ['create', 'configmap', 'acted', ...as])
    await shop('alice', ['create', 'serviceaccount', 'robot'])
    const binding = ['create', 'rolebinding', 'robot', '--clusterrole=admin', '--serviceaccount=shop:robot']
    await shop('alice', binding)
    await shop('alice', ['create', '-f', '-'], {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'robot' },
      spec: { serviceAccountName: 'robot', containers: [CONTAINER] },
    })
    const bound = ['--bound-object-kind=Pod', '--bound-object-name=robot']
    const token = (await shop('alice', ['create', 'token', 'robot', ...bound])).trim()
    const kubeconfig = world.cluster.tokenKubeconfig(token)
    const label = ['-n', 'shop', 'label', 'configmap', 'acted', 'by=robot']
    const { stderr, exitCode } = await world.cluster.kubectl(label, { kubeconfig })
    assert.equal(exitCode, 0, stderr)
    const [created, labelled] = await told('configmaps', 'acted')
    assert.deepEqual([created?.user?.username, created?.user?.uid], ['deployer', 'u-1'])
    assert.equal(labelled?.user?.username, 'system:serviceaccount:shop:robot')
    const { extra } = labelled.user
    assert.deepEqual(extra['authentication.kubernetes.io/pod-name'], ['robot'])
  })

  it('are counted: reviews and how long they took, dry runs, what changed nothing, and what landed', async () => {
    const metrics = async (): Promise<(name: string) => number> => {
      const response = await fetch(`http://127.0.0.1:${world.companion.ports.metrics}/metrics`)
      const samples = (await response.text())
        .split('\n')
        .map((sample) => /^(\S+) (\S+)$/.exec(sample) ?? [])
        .map(([, name = '', value]) => [name, Number(value)] as const)
      const values = new Map(samples)
      return (name) => values.get(`deckwatch_audit_${name}`) ?? assert.fail(`${name} is not told`)
    }
    const confirmed = 'changes_total{state="confirmed"}'
    const before = await metrics()
    const patch = ['patch', 'configmap', 'counted', '--type=merge', '-p', '{"data":{"a":"1"}}']
    await shop('alice', ['create', 'configmap', 'counted'])
    await shop('alice', [...patch, '--dry-run=server'])
    await shop('alice', patch)
    await shop('alice', patch)
    assert.equal((await told('configmaps', 'counted')).length, 2)
    // The recorder tells its figures a moment after what it recorded.
    const after = await world.until(async () => {
      const now = await metrics()
      const isTold = now(confirmed) >= before(confirmed) + 2 && now('no_ops_total') > before('no_ops_total')
      return isTold && now('recording') === 1 ? now : undefined
    }, 'the figures')
    const rise = (name: string): number => after(name) - before(name)
    // The API server asks again where what it had in its cache was old.
    assert.ok(rise('dry_runs_total') >= 1)
    assert.equal(rise('reviews_total{outcome="dry-run"}'), rise('dry_runs_total'))
    assert.ok(rise('reviews_total{outcome="recorded"}') >= 3)
    assert.ok(rise('review_seconds_count') >= 4 && rise('review_seconds_sum') > 0)
    for (const name of [
      'gap_seconds_total',
      'pending_age_seconds',
      'journal_entries_behind',
      'excluded_total',
    ])
      assert.ok(after(name) >= 0, name)
    for (const name of ['journal_bytes', 'store_bytes']) assert.ok(after(name) > 0, name)
  })
})
