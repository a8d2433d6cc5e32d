import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { Agent, request } from 'node:https'
import { text } from 'node:stream/consumers'
import type { KubernetesObject } from '../../src/core/wire/admission-review.ts'
import { AuditWorld } from '../kit/audit-world.ts'
import { requireKubernetes } from '../kit/kubernetes/shared.ts'

const WEBHOOK = '/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/deckwatch-audit-log'
const MANY = 1500

describe('reviews that nobody but a forger sent, on a real API server', function () {
  this.timeout(300_000)
  let world: AuditWorld
  let agent: Agent
  /** The webhook's path, which only those know who may read its configuration. */
  let path = ''

  before(async function () {
    await requireKubernetes(this)
    world = await AuditWorld.start()
    agent = new Agent({ keepAlive: true, maxSockets: 8 })
    const { webhooks } = await world.cluster.admin.send<{
      webhooks: [{ clientConfig: { service: { path: string } } }]
    }>('GET', WEBHOOK)
    path = webhooks[0].clientConfig.service.path
    await world.ensureNamespace('shop')
    await world.run('alice', ['-n', 'shop', 'create', 'configmap', 'real', '--from-literal=a=1'])
    await world.settled()
  })

  after(async () => {
    agent?.destroy()
    await world?.stop()
  })

  function post(to: string, body: unknown, method = 'POST'): Promise<{ status: number; body: string }> {
    return new Promise((resolve, reject) => {
      const headers = { 'content-type': 'application/json' }
      const options = { method, agent, headers, rejectUnauthorized: false }
      request(`${world.companion.url}${to}`, options, (response) => {
        const { statusCode: status = 0 } = response
        text(response).then((answer) => resolve({ status, body: answer }), reject)
      })
        .once('error', reject)
        .end(method === 'GET' ? undefined : typeof body === 'string' ? body : JSON.stringify(body))
    })
  }

  function review(
    operation: string,
    { object, oldObject }: { readonly object?: KubernetesObject; readonly oldObject?: KubernetesObject },
    username = 'bob',
  ): object {
    const kind = { group: '', version: 'v1', kind: 'ConfigMap' }
    const resource = { group: '', version: 'v1', resource: 'configmaps' }
    return {
      apiVersion: 'admission.k8s.io/v1',
      kind: 'AdmissionReview',
      request: {
        uid: randomUUID(),
        kind,
        resource,
        requestKind: kind,
        requestResource: resource,
        operation,
        dryRun: false,
        name: (object ?? oldObject)?.metadata?.name,
        namespace: 'shop',
        userInfo: { username, groups: ['system:masters'] },
        object: object ?? null,
        oldObject: oldObject ?? null,
      },
    }
  }

  /** Changes that are shown of what people write; every namespace has some of its own. */
  async function shown(): Promise<readonly string[]> {
    await world.settled()
    const changes = await world.changes('shop')
    return changes
      .filter(({ object }) => object.name !== 'kube-root-ca.crt' && object.kind === 'ConfigMap')
      .map(({ operation, object, state, user }) => `${operation} ${object.name} ${state} ${user?.username}`)
  }

  const made = (name: string, value = ''): KubernetesObject => ({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name, namespace: 'shop', uid: randomUUID() },
    data: { a: value },
  })

  it('are never changes: of objects that there are not, and of one that there is with its uid and resourceVersion', async () => {
    const oldObject = await world.cluster.admin.send<KubernetesObject>(
      'GET',
      '/api/v1/namespaces/shop/configmaps/real',
    )
    const object = { ...oldObject, data: { a: 'forged' } } as KubernetesObject
    for (const forged of [
      review('CREATE', { object: made('never') }),
      review('UPDATE', { object, oldObject }),
      review('DELETE', { oldObject }),
    ]) {
      const { status, body } = await post(path, forged)
      assert.equal(status, 200)
      assert.equal((JSON.parse(body) as { response: { allowed: boolean } }).response.allowed, true)
    }
    assert.deepEqual(await shown(), ['CREATE real confirmed alice'])
    await world.run('carol', ['-n', 'shop', 'label', 'configmap', 'real', 'a=b'])
    assert.deepEqual(await shown(), ['CREATE real confirmed alice', 'UPDATE real confirmed carol'])
  })

  it('are not taken on any other path, nor what is no review', async () => {
    const forged = review('CREATE', { object: made('elsewhere') })
    for (const wrong of [
      '/audit',
      '/audit/',
      `${path}/`,
      `${path}x`,
      path.slice(0, -1),
      '/audit/0000000000',
    ]) {
      const { status, body } = await post(wrong, forged)
      assert.ok(status === 401 || status === 404, `${status} of ${wrong.length} characters`)
      assert.ok(!body.includes(path))
    }
    assert.equal((await post(path, '', 'GET')).status, 405)
    for (const nonsense of [
      'no json',
      '{}',
      '['.repeat(100_000),
      '{"kind":"AdmissionReview","request":{"uid":"x"}}',
    ]) {
      assert.equal((await post(path, nonsense)).status, 400)
    }
    const { items } = await world.list(undefined, ['state!=confirmed', 'object.name=elsewhere'])
    assert.deepEqual(items, [])
  })

  it('in great numbers do not hide what people do, and each takes little of the store', async () => {
    const used = async (): Promise<number> => {
      const { components } = await world.companion.status()
      return components.find(({ name }) => name === 'audit-log')?.store?.usedBytes ?? NaN
    }
    const before = await used()
    let count = 0
    const flood = async (): Promise<void> => {
      while (count < MANY) {
        count += 1
        const object = made(`flood-${count}`, `words of no use ${count} `.repeat(100))
        const { status } = await post(path, review('CREATE', { object }, `mallory-${count}`))
        assert.equal(status, 200)
      }
    }
    await Promise.all(Array.from({ length: 8 }, flood))
    await world.run('alice', ['-n', 'shop', 'create', 'configmap', 'after'])
    assert.deepEqual(await shown(), [
      'CREATE real confirmed alice',
      'UPDATE real confirmed carol',
      'CREATE after confirmed alice',
    ])
    const each = ((await used()) - before) / MANY
    assert.ok(each < 2000, `${each} bytes of the store for each`)
  })
})
