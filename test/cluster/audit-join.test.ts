import assert from 'node:assert/strict'
import { setTimeout as pause } from 'node:timers/promises'
import type { RecordedResource } from '../../server/audit-log/config.ts'
import { RECORDED_RESOURCES } from '../../server/audit-log/recorded-resources.ts'
import type { NumberedChange } from '../../server/audit-log/store/audit-store.ts'
import type { KubeRequest, KubeTransport } from '../../src/core/kube/transport.ts'
import { readAll } from '../../src/core/kube/transport.ts'
import { type AuditRecording, startAuditRecording, transportOf } from '../kit/audit-recording.ts'
import type { ControlPlane } from '../kit/kubernetes/control-plane.ts'
import { ensureNamespace } from '../kit/kubernetes/namespaces.ts'
import { requireKubernetes } from '../kit/kubernetes/shared.ts'
import { startControlPlane } from '../kit/kubernetes/start-control-plane.ts'

const NAMESAKE: RecordedResource = {
  group: 'example.org',
  version: 'v1',
  resource: 'deployments',
  kind: 'Deployment',
  namespaced: true,
  subresources: [],
  operations: ['CREATE', 'UPDATE', 'DELETE'],
  watch: 'full',
}

const LANDED = new Set(['confirmed', 'admitted', 'unattributed', 'ambiguous'])
const sorted = (lines: readonly string[]): string[] =>
  lines.toSorted((one, other) => one.localeCompare(other))

const WITHIN_MS = 120_000
const CONTAINER = { name: 'app', image: 'nginx:1.24' }

describe('what was reviewed and what landed, joined on a real API server', function () {
  this.timeout(300_000)
  let cluster: ControlPlane
  let recording: AuditRecording
  const people = new Map<string, KubeTransport>()
  let round = 0
  let namespace = ''

  before(async function () {
    await requireKubernetes(this)
    cluster = await startControlPlane({ controllers: 'all' })
    await defineNamesakes()
    recording = await startAuditRecording(cluster, {
      resources: [...RECORDED_RESOURCES, NAMESAKE],
      refuses: ({ object }) => object?.metadata?.labels?.['refuse'] === 'yes',
    })
    for (const name of ['alice', 'bob', 'carol', 'dave', 'erin']) {
      people.set(name, await transportOf(cluster, name))
    }
  })

  after(async () => {
    for (const transport of people.values()) transport.close()
    await recording?.stop()
    await cluster?.stop()
  })

  beforeEach(async () => {
    round += 1
    namespace = `join-${round}`
    await ensureNamespace(cluster.admin, namespace)
  })

  /** Speaks as a person; gives the status, with the object where there is one. */
  async function as(
    user: string,
    method: KubeRequest['method'],
    path: string,
    body?: unknown,
    contentType?: string,
  ): Promise<{
    readonly status: number
    readonly object: { metadata: { name: string; resourceVersion: string; uid: string } }
  }> {
    const transport = people.get(user)
    assert.ok(transport)
    const answer = await transport.send({
      ...(method ? { method } : {}),
      path,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      ...(contentType === undefined ? {} : { contentType }),
    })
    const text = Buffer.from(await readAll(answer.body)).toString('utf8')
    return { status: answer.status, object: JSON.parse(text) as never }
  }

  /** Deployments of another group, in three versions. */
  async function defineNamesakes(): Promise<void> {
    const schema = { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } }
    const versions = ['v1alpha1', 'v1beta1', 'v1'].map((name) => ({
      name,
      served: true,
      storage: name === 'v1beta1',
      schema,
    }))
    await cluster.admin.send('POST', '/apis/apiextensions.k8s.io/v1/customresourcedefinitions', {
      metadata: { name: 'deployments.example.org' },
      spec: {
        group: 'example.org',
        scope: 'Namespaced',
        names: {
          plural: 'deployments',
          singular: 'deployment',
          kind: 'Deployment',
          listKind: 'DeploymentList',
        },
        versions,
      },
    })
    for (const limit = Date.now() + WITHIN_MS; Date.now() < limit;) {
      const served = await cluster.admin
        .text('GET', '/apis/example.org/v1/deployments')
        .catch(() => undefined)
      if (served !== undefined) return
      await pause(50)
    }
    throw new Error('the custom resource is not served')
  }

  const MERGE = 'application/merge-patch+json'
  const of = (resource: string, group = 'api/v1'): string => `/${group}/namespaces/${namespace}/${resource}`

  /** What readers see of a resource in the namespace, the oldest first. */
  async function shown(resource: string, inNamespace = namespace): Promise<NumberedChange[]> {
    await recording.settled()
    const all = await recording.changes()
    return all.filter(
      ({ object, state, user }) =>
        object.resource === resource &&
        object.namespace === inNamespace &&
        LANDED.has(state) &&
        // Every namespace gets one of its own from a controller.
        user?.username !== 'system:serviceaccount:kube-system:root-ca-cert-publisher',
    )
  }

  const line = ({ operation, state, user, object }: NumberedChange): string =>
    [operation, object.subresource, object.name, state, user?.username ?? '?']
      .filter((part) => part !== '')
      .join(' ')

  it('twenty patches of one object at once: as many confirmed changes as resourceVersions, by the right users', async () => {
    const names = [...people.keys()]
    await as('alice', 'POST', of('configmaps'), { metadata: { name: 'race' }, data: { first: '' } })
    const patches = Array.from({ length: 20 }, (_, index) => ({
      user: names[index % names.length] ?? '',
      key: `key-${index}`,
    }))
    const answers = await Promise.all(
      patches.map(({ user, key }) =>
        as(user, 'PATCH', of('configmaps/race'), { data: { [key]: user } }, MERGE),
      ),
    )
    assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([200]))
    const changes = (await shown('configmaps')).filter(({ operation }) => operation === 'UPDATE')
    const found = changes.map(({ state, object, user, changes: [field] }) =>
      [field?.path, user?.username, state, object.resourceVersion.after].join(' '),
    )
    const wanted = patches.map(({ user, key }, index) =>
      [`data.${key}`, user, 'confirmed', answers[index]?.object.metadata.resourceVersion].join(' '),
    )
    assert.deepEqual(sorted(found), sorted(wanted))
    const hidden = (await recording.changes({ states: ['superseded', 'not-landed', 'pending'] })).filter(
      ({ object }) => object.name === 'race',
    )
    assert.deepEqual(
      hidden.filter(({ state }) => state !== 'superseded').map(line),
      [],
      'every other review was a try of one that landed',
    )
  })

  it('each kind of write of a Deployment appears once with its user; dry runs and what changes nothing do not', async () => {
    const deployment = {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'web', namespace },
      spec: {
        replicas: 0,
        selector: { matchLabels: { app: 'web' } },
        template: { metadata: { labels: { app: 'web' } }, spec: { containers: [CONTAINER] } },
      },
    }
    const web = of('deployments/web', 'apis/apps/v1')
    const kubectl = async (user: string, args: readonly string[], input?: unknown): Promise<void> => {
      const { exitCode, stderr } = await cluster.kubectl(['-n', namespace, ...args], {
        kubeconfig: cluster.user(user, ['system:masters']),
        ...(input === undefined ? {} : { input: JSON.stringify(input) }),
      })
      assert.ok(exitCode === 0 || args[0] === 'diff', stderr)
    }
    await kubectl('alice', ['apply', '-f', '-'], deployment)
    await kubectl('alice', ['apply', '-f', '-'], deployment)
    await kubectl('bob', ['diff', '-f', '-'], { ...deployment, spec: { ...deployment.spec, paused: true } })
    await kubectl('bob', ['apply', '--dry-run=server', '-f', '-'], {
      ...deployment,
      spec: { ...deployment.spec, paused: true },
    })
    await kubectl('bob', ['scale', 'deployment/web', '--replicas=1'])
    await kubectl('carol', ['set', 'image', 'deployment/web', 'app=nginx:1.25'])
    await kubectl('dave', ['rollout', 'restart', 'deployment/web'])
    await kubectl('erin', ['label', 'deployment/web', 'tier=front'])
    await as('alice', 'PATCH', web, { spec: { minReadySeconds: 3 } }, MERGE)
    await as('alice', 'PATCH', web, { spec: { minReadySeconds: 3 } }, MERGE)
    const applied = await as(
      'bob',
      'PATCH',
      `${web}?fieldManager=pipeline&force=true`,
      {
        apiVersion: 'apps/v1',
        kind: 'Deployment',
        metadata: { name: 'web' },
        spec: { revisionHistoryLimit: 4 },
      },
      'application/apply-patch+yaml',
    )
    assert.equal(applied.status, 200)
    const changes = await shown('deployments')
    const controllers = ({ actor }: NumberedChange): boolean => actor === 'control-plane'
    assert.deepEqual(
      changes
        .filter((change) => !controllers(change))
        .map((change) => [line(change), change.changes.map(({ path }) => path)]),
      [
        ['CREATE web confirmed alice', ['']],
        ['UPDATE scale web confirmed bob', ['spec.replicas']],
        ['UPDATE web confirmed carol', ['spec.template.spec.containers[name=app].image']],
        ['UPDATE web confirmed dave', ['spec.template.metadata.annotations']],
        ['UPDATE web confirmed erin', ['metadata.labels']],
        ['UPDATE web confirmed alice', ['spec.minReadySeconds']],
        ['UPDATE web confirmed bob', ['spec.revisionHistoryLimit']],
      ],
    )
    assert.deepEqual(changes.filter(({ state }) => state === 'unattributed').map(line), [])
    assert.equal(changes.at(-1)?.via.manager, 'pipeline')
    assert.ok(recording.dryRuns.some(({ name }) => name === 'web'))
  })

  it('what a quota, another webhook or a taken name refused is not shown', async () => {
    await as('alice', 'POST', of('resourcequotas'), {
      metadata: { name: 'none' },
      spec: { hard: { services: '0', 'count/configmaps': '2' } },
    })
    const configMap = (name: string, labels = {}): object => ({ metadata: { name, labels } })
    let made = 201
    // The quota takes effect after a moment.
    const limit = Date.now() + WITHIN_MS
    for (let index = 0; made === 201 && Date.now() < limit; index += 1) {
      made = (
        await as('bob', 'POST', of('services'), {
          metadata: { name: `s-${index}` },
          spec: { ports: [{ port: 80 }] },
        })
      ).status
      await pause(50)
    }
    assert.equal(made, 403)
    assert.equal(
      (await as('carol', 'POST', of('serviceaccounts'), configMap('refused', { refuse: 'yes' }))).status,
      400,
    )
    assert.equal((await as('carol', 'POST', of('serviceaccounts'), configMap('taken'))).status, 201)
    assert.equal((await as('dave', 'POST', of('serviceaccounts'), configMap('taken'))).status, 409)
    const update = await as(
      'erin',
      'PATCH',
      of('serviceaccounts/taken'),
      { metadata: { labels: { refuse: 'yes' } } },
      MERGE,
    )
    assert.equal(update.status, 400)
    const accounts = (await shown('serviceaccounts')).filter(({ object }) => object.name !== 'default')
    assert.deepEqual(accounts.map(line), ['CREATE taken confirmed carol'])
    const services = await shown('services')
    const there = (await as('alice', 'GET', of('services'))).object as unknown as { items: unknown[] }
    assert.equal(services.length, there.items.length)
    const refused = await recording.changes({ states: ['not-landed'] })
    const names = refused
      .filter(({ object }) => object.namespace === namespace)
      .map(({ user, object }) => `${user?.username} ${object.name}`)
    for (const name of ['carol refused', 'dave taken', 'erin taken'])
      assert.ok(names.includes(name), `${name} of ${names.join()}`)
  })

  it('generated names, deletion of a collection, finalizers and a name that is used again', async () => {
    const names: string[] = []
    for (let index = 0; index < 3; index += 1) {
      const { object } = await as('alice', 'POST', of('configmaps'), {
        metadata: { generateName: 'made-', labels: { made: 'yes' } },
      })
      names.push(object.metadata.name)
    }
    await as('bob', 'DELETE', `${of('configmaps')}?labelSelector=made%3Dyes`)
    await as('carol', 'POST', of('configmaps'), {
      metadata: { name: 'held', finalizers: ['example.org/hold'] },
    })
    await as('dave', 'DELETE', of('configmaps/held'))
    await as('erin', 'PATCH', of('configmaps/held'), { metadata: { finalizers: null } }, MERGE)
    assert.equal((await as('alice', 'POST', of('configmaps'), { metadata: { name: 'held' } })).status, 201)
    const changes = await shown('configmaps')
    assert.deepEqual(
      sorted(changes.filter(({ object }) => names.includes(object.name)).map(line)),
      sorted(names.flatMap((name) => [`CREATE ${name} confirmed alice`, `DELETE ${name} confirmed bob`])),
    )
    const held = changes.filter(({ object }) => object.name === 'held')
    assert.deepEqual(held.map(line), [
      'CREATE held confirmed carol',
      'DELETE held confirmed dave',
      'UPDATE held confirmed erin',
      'CREATE held confirmed alice',
    ])
    assert.equal(new Set(held.map(({ object }) => object.uid)).size, 2)
  })

  it('a namespace that is deleted: its objects\u2019 ends name the person', async () => {
    await as('alice', 'POST', of('configmaps'), { metadata: { name: 'left' } })
    await recording.settled()
    assert.equal((await as('bob', 'DELETE', `/api/v1/namespaces/${namespace}`)).status, 200)
    const limit = Date.now() + WITHIN_MS
    while ((await as('alice', 'GET', `/api/v1/namespaces/${namespace}`)).status !== 404) {
      assert.ok(Date.now() < limit)
      await pause(50)
    }
    const ends = (await shown('configmaps')).filter(
      ({ operation, object }) => operation === 'DELETE' && object.name === 'left',
    )
    const [end] = ends
    assert.equal(ends.length, 1)
    assert.deepEqual(
      [end?.cause?.type, end?.cause?.object, end?.cause?.username],
      ['namespace', `Namespace ${namespace}`, 'bob'],
    )
    assert.notEqual(end?.object.namespaceUid, '')
    const namespaces = (await shown('namespaces', '')).filter(({ object }) => object.name === namespace)
    assert.ok(
      namespaces.map(line).includes(`DELETE ${namespace} confirmed bob`),
      namespaces.map(line).join('\n'),
    )
  })

  it('what an autoscaler scales names it', async () => {
    const deployment = {
      metadata: { name: 'web' },
      spec: {
        replicas: 0,
        selector: { matchLabels: { app: 'web' } },
        template: { metadata: { labels: { app: 'web' } }, spec: { containers: [CONTAINER] } },
      },
    }
    assert.equal((await as('alice', 'POST', of('deployments', 'apis/apps/v1'), deployment)).status, 201)
    const scaler = {
      metadata: { name: 'grow' },
      spec: { maxReplicas: 5, scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' } },
    }
    const made = await as('bob', 'POST', of('horizontalpodautoscalers', 'apis/autoscaling/v2'), scaler)
    assert.equal(made.status, 201)
    await recording.settled()
    const account = 'system:serviceaccount:kube-system:horizontal-pod-autoscaler'
    people.set(account, await transportOf(cluster, account))
    const scale = of('deployments/web/scale', 'apis/apps/v1')
    assert.equal((await as(account, 'PATCH', scale, { spec: { replicas: 2 } }, MERGE)).status, 200)
    const scaled = (await shown('deployments')).filter(({ object }) => object.subresource === 'scale')
    assert.deepEqual(scaled.map(line), [`UPDATE scale web confirmed ${account}`])
    assert.deepEqual(scaled[0]?.changes, [{ path: 'spec.replicas', op: 'replace', from: 0, to: 2 }])
    assert.equal(scaled[0]?.cause?.type, 'autoscaler')
    assert.equal(scaled[0]?.cause?.object, 'HorizontalPodAutoscaler grow')
  })

  it('a custom resource of several versions, with the name of a built-in one', async () => {
    const path = (version: string): string => of('deployments', `apis/example.org/${version}`)
    const made = await as('alice', 'POST', path('v1alpha1'), {
      apiVersion: 'example.org/v1alpha1',
      kind: 'Deployment',
      metadata: { name: 'web' },
      spec: { colour: 'red' },
    })
    assert.equal(made.status, 201)
    await as('bob', 'PATCH', `${path('v1')}/web`, { spec: { colour: 'blue' } }, MERGE)
    await as('carol', 'PATCH', `${path('v1beta1')}/web`, { spec: { colour: 'green' } }, MERGE)
    await as('dave', 'DELETE', `${path('v1alpha1')}/web`)
    const changes = await shown('deployments')
    assert.deepEqual(
      changes.map(({ object: { group, version } }) => `${version}.${group}`),
      changes.map(() => 'v1.example.org'),
    )
    assert.deepEqual(changes.map(line), [
      'CREATE web confirmed alice',
      'UPDATE web confirmed bob',
      'UPDATE web confirmed carol',
      'DELETE web confirmed dave',
    ])
  })

  it('pods: who made, deleted or evicted one, and who debugged it', async () => {
    for (const name of ['one', 'two', 'three']) {
      await as('alice', 'POST', of('pods'), { metadata: { name }, spec: { containers: [CONTAINER] } })
    }
    await as(
      'bob',
      'PATCH',
      of('pods/one/ephemeralcontainers'),
      {
        spec: {
          ephemeralContainers: [{ name: 'debug', image: 'busybox', terminationMessagePolicy: 'File' }],
        },
      },
      'application/strategic-merge-patch+json',
    )
    await as('bob', 'DELETE', of('pods/one'))
    await as('carol', 'POST', of('pods/two/eviction'), {
      apiVersion: 'policy/v1',
      kind: 'Eviction',
      metadata: { name: 'two' },
    })
    await as('dave', 'DELETE', `${of('pods/three')}?gracePeriodSeconds=0`)
    const changes = (await shown('pods')).map(line)
    assert.deepEqual(sorted(changes), [
      'CREATE one confirmed alice',
      'CREATE three confirmed alice',
      'CREATE two confirmed alice',
      'DELETE eviction two confirmed carol',
      'DELETE one confirmed bob',
      'DELETE three confirmed dave',
      'UPDATE ephemeralcontainers one confirmed bob',
    ])
  })

  it('a Secret\u2019s change is admitted, and confirmed by the next review', async () => {
    await as('alice', 'POST', of('secrets'), {
      metadata: { name: 'key' },
      stringData: { password: 'hunter2-hunter2' },
    })
    await as('bob', 'PATCH', of('secrets/key'), { stringData: { password: 'correct-horse' } }, MERGE)
    await as('carol', 'PATCH', of('secrets/key'), { metadata: { labels: { seen: 'yes' } } }, MERGE)
    const changes = await shown('secrets')
    assert.deepEqual(changes.map(line), [
      'CREATE key confirmed alice',
      'UPDATE key confirmed bob',
      'UPDATE key admitted carol',
    ])
    assert.ok(!JSON.stringify(changes).includes('hunter2'))
  })
})
