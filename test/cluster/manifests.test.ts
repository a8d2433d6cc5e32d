import assert from 'node:assert/strict'
import { setTimeout } from 'node:timers/promises'
import {
  DEFAULT_VALUES,
  manifests,
  readValues,
  type DeployValues,
  type KubeObject,
} from '../../server/deploy/index.ts'
import type { ControlPlane } from '../kit/kubernetes/control-plane.ts'
import { requireKubernetes } from '../kit/kubernetes/shared.ts'
import { startControlPlane } from '../kit/kubernetes/start-control-plane.ts'
import { VALUE_SETS } from '../unit/deploy/value-sets.ts'

const API_SERVICE = '/apis/apiregistration.k8s.io/v1/apiservices/v1alpha1.deckwatch.dev'

interface Stored {
  readonly kind: string
  readonly metadata: { readonly name: string; readonly labels: Readonly<Record<string, string>> }
}

interface PodTemplate {
  readonly metadata: object
  readonly spec: { readonly initContainers?: readonly object[] }
}

describe('the manifests, on a real API server', function () {
  this.timeout(300_000)
  // A cluster of its own: an APIService without a server holds up the deletion of every namespace.
  let cluster: ControlPlane

  before(async function () {
    await requireKubernetes(this)
    cluster = await startControlPlane()
  })

  after(() => cluster?.stop())

  async function apply(values: DeployValues, ...flags: string[]): Promise<readonly Stored[]> {
    const items = manifests(values).map(({ object }) => object)
    const { stdout, stderr, exitCode } = await cluster.kubectl(
      ['apply', '--server-side', '--field-manager=deckwatch-install', '-f', '-', '-o', 'json', ...flags],
      { input: JSON.stringify({ apiVersion: 'v1', kind: 'List', items }) },
    )
    assert.equal(exitCode, 0, stderr)
    const list = JSON.parse(stdout) as { items: Stored[] }
    assert.equal(list.items.length, items.length)
    return list.items.map(withoutStatus)
  }

  async function admit(namespace: string, { metadata, spec }: PodTemplate): Promise<void> {
    const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { ...metadata, name: 'a' }, spec }
    await cluster.admin.send('POST', `/api/v1/namespaces/${namespace}/pods?dryRun=All`, pod)
  }

  for (const [name, sets] of Object.entries(VALUE_SETS)) {
    const namespace = name.replaceAll(' ', '-')

    it(`are taken, and taken again without a change: ${name}`, async () => {
      const values = readValues({ ...DEFAULT_VALUES, namespace }, sets)
      const first = await apply(values)
      assert.deepEqual(await apply(values, '--dry-run=server'), first)
      assert.deepEqual(await apply(values), first)
    })

    it(`make pods that the Pod Security of their namespace admits: ${name}`, async () => {
      const templates = podTemplates(readValues({ ...DEFAULT_VALUES, namespace }, sets))
      for (const template of templates) await admit(namespace, template)
      assert.notEqual(templates.length, 0)
    })
  }

  it('enforce "restricted" where the defaults are', async () => {
    const values = readValues({ ...DEFAULT_VALUES, namespace: 'the-defaults' }, ['storage.type=hostPath'])
    const [template] = podTemplates(values)
    assert.ok(template)
    await assert.rejects(admit('the-defaults', template), /violates PodSecurity \\?"restricted:latest/)
  })

  it('lead from any choice to any other and back, with nothing left of the one before', async () => {
    const namespace = 'there-and-back'
    // A claim's StorageClass is for ever.
    const choices = Object.values(VALUE_SETS).map((sets) =>
      readValues({ ...DEFAULT_VALUES, namespace }, [...sets, 'storage.storageClass=', 'storage.size=5Gi']),
    )
    const [defaults = DEFAULT_VALUES] = choices
    const fresh = await apply(defaults)
    for (const choice of choices) {
      await apply(choice)
      assert.deepEqual(await apply(defaults), fresh)
    }
  })

  it('leave the caBundle that the companion writes alone, and see no difference in it', async () => {
    const values = { ...DEFAULT_VALUES, namespace: 'the-defaults' }
    await apply(values)
    const caBundle = Buffer.from('-----BEGIN CERTIFICATE-----\n').toString('base64')
    const { exitCode, stderr } = await cluster.kubectl(
      ['apply', '--server-side', '--field-manager=deckwatch-companion', '-f', '-'],
      {
        input: JSON.stringify({
          apiVersion: 'apiregistration.k8s.io/v1',
          kind: 'APIService',
          metadata: { name: 'v1alpha1.deckwatch.dev' },
          spec: { caBundle },
        }),
      },
    )
    assert.equal(exitCode, 0, stderr)
    const before = await cluster.admin.send<ApiServiceAnswer>('GET', API_SERVICE)
    await apply(values)
    const after = await cluster.admin.send<ApiServiceAnswer>('GET', API_SERVICE)
    assert.equal(after.spec.caBundle, caBundle)
    assert.deepEqual(after.spec, before.spec)
  })

  it('let people see what is served who may view a namespace, there', async () => {
    const namespace = 'the-defaults'
    await apply({ ...DEFAULT_VALUES, namespace })
    await cluster.admin.send(
      'POST',
      `/apis/rbac.authorization.k8s.io/v1/namespaces/${namespace}/rolebindings`,
      {
        metadata: { name: 'viewers' },
        roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'view' },
        subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: 'jane' }],
      },
    )
    const list = { group: 'deckwatch.dev', resource: 'images', verb: 'list' }
    // The controller manager aggregates the roles in its own time.
    let allowed = false
    for (const limit = Date.now() + 120_000; Date.now() < limit && !allowed;) {
      allowed = await mayDo('jane', { ...list, namespace })
      if (!allowed) await setTimeout(100)
    }
    assert.ok(allowed)
    assert.equal(await mayDo('jane', { ...list, namespace: 'default' }), false)
    assert.equal(await mayDo('jane', { ...list, namespace, verb: 'delete' }), false)
  })

  it('give a pod with the api and the rooms what it needs and nothing near it', async () => {
    const namespace = 'the-defaults'
    await apply({ ...DEFAULT_VALUES, namespace })
    const account = `system:serviceaccount:${namespace}:deckwatch`
    const secrets = { namespace, resource: 'secrets' }
    const apiServices = { group: 'apiregistration.k8s.io', resource: 'apiservices' }
    for (const allowed of [
      { resource: 'pods', verb: 'watch' },
      { ...secrets, verb: 'create' },
      { ...secrets, verb: 'get', name: 'deckwatch-tls' },
      { ...apiServices, verb: 'patch', name: 'v1alpha1.deckwatch.dev' },
      { resource: 'namespaces', verb: 'watch', name: namespace },
      {
        namespace: 'kube-system',
        resource: 'configmaps',
        verb: 'watch',
        name: 'extension-apiserver-authentication',
      },
      { group: 'authorization.k8s.io', resource: 'subjectaccessreviews', verb: 'create' },
    ]) {
      assert.ok(await mayDo(account, allowed), JSON.stringify(allowed))
    }
    for (const forbidden of [
      { ...secrets, verb: 'list' },
      { ...secrets, verb: 'watch' },
      { ...secrets, verb: 'get', name: 'another' },
      { ...secrets, verb: 'create', namespace: 'default' },
      { ...secrets, verb: 'get', name: 'deckwatch-tls', namespace: 'default' },
      { ...apiServices, verb: 'patch', name: 'v1beta1.metrics.k8s.io' },
      { ...apiServices, verb: 'create' },
      { resource: 'namespaces', verb: 'watch' },
      { resource: 'pods', verb: 'get', subresource: 'log' },
      { resource: 'pods', verb: 'create' },
      { namespace: 'kube-system', resource: 'configmaps', verb: 'list' },
      { namespace, resource: 'configmaps', verb: 'get', name: 'another' },
    ]) {
      assert.equal(await mayDo(account, forbidden), false, JSON.stringify(forbidden))
    }
  })

  it('give the rooms none of the rights of an api that stands apart', async () => {
    const namespace = 'apart'
    await apply({ ...DEFAULT_VALUES, namespace, apiReplicas: 2 })
    const account = (name: string): string => `system:serviceaccount:${namespace}:${name}`
    for (const right of [
      { namespace, resource: 'secrets', verb: 'get', name: 'deckwatch-peer-ca' },
      { namespace, resource: 'secrets', verb: 'create' },
      { namespace, resource: 'configmaps', verb: 'patch', name: 'deckwatch-ca' },
      {
        group: 'apiregistration.k8s.io',
        resource: 'apiservices',
        verb: 'delete',
        name: 'v1alpha1.deckwatch.dev',
      },
    ]) {
      assert.equal(await mayDo(account('deckwatch'), right), false, JSON.stringify(right))
      assert.equal(await mayDo(account('deckwatch-api'), right), true, JSON.stringify(right))
    }
    const pods = { resource: 'pods', verb: 'list' }
    assert.equal(await mayDo(account('deckwatch'), pods), true)
    assert.equal(await mayDo(account('deckwatch-api'), pods), false)
  })

  async function mayDo(user: string, resourceAttributes: Readonly<Record<string, string>>): Promise<boolean> {
    const path = '/apis/authorization.k8s.io/v1/subjectaccessreviews'
    const review = { apiVersion: 'authorization.k8s.io/v1', kind: 'SubjectAccessReview' }
    const groups = user.startsWith('system:serviceaccount:') ? ['system:serviceaccounts'] : []
    const spec = { user, groups: [...groups, 'system:authenticated'], resourceAttributes }
    const answer = await cluster.admin.send<Answer>('POST', path, { ...review, spec })
    return answer.status.allowed
  }
})

interface Answer {
  readonly status: { readonly allowed: boolean }
}

interface ApiServiceAnswer {
  readonly spec: { readonly caBundle?: string }
}

function podTemplates(values: DeployValues): readonly PodTemplate[] {
  return manifests(values)
    .map(({ object }) => object)
    .filter(({ kind }) => kind === 'Deployment')
    .map((object: KubeObject) => (object as unknown as { spec: { template: PodTemplate } }).spec.template)
}

/** What controllers write in their own time aside. */
function withoutStatus({ metadata: { name, labels }, ...object }: Stored): Stored {
  return JSON.parse(JSON.stringify({ ...object, status: undefined, metadata: { name, labels } })) as Stored
}
