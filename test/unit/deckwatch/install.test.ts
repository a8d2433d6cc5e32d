import assert from 'node:assert/strict'
import { manifests } from '../../../server/deploy/index.ts'
import { install, type InstallStep } from '../../../src/cli/features/deckwatch/install.ts'
import { API_SERVICE } from '../../../src/cli/features/deckwatch/installation.ts'
import { KINDS } from '../../../src/cli/features/deckwatch/kinds.ts'
import { planInstall } from '../../../src/cli/features/deckwatch/plan-install.ts'
import { DeckError, type ErrorCode } from '../../../src/core/lib/errors.ts'
import { ManualClock } from '../../kit/manual-clock.ts'
import { COMPLETE, discovery, installedObjects, object, OWN, VALUES } from './companion-objects.ts'
import { MemoryCluster } from './memory-cluster.ts'
import { tick, turnUntil } from './turning.ts'

const { signal } = new AbortController()
const CHOICE = { values: VALUES, given: new Set(['storage.type']) }
const GROUP = '/apis/deckwatch.dev/v1alpha1'
const READYZ = '/api/v1/namespaces/deckwatch/services/https:deckwatch:443/proxy/readyz'

/** A cluster whose Deployments are complete as soon as they are applied, and whose companion answers. */
class WillingCluster extends MemoryCluster {
  broken = new Map<string, { status: number; body?: string }>()
  deploymentStatus: object = COMPLETE

  constructor() {
    super()
    this.answers = (path) => {
      const broken = this.broken.get(path.split('?')[0] ?? '')
      if (broken) return broken
      if (path === READYZ) return { body: 'ok' }
      if (path === GROUP) return { body: discovery('images', 'clusterimages') }
      return path.startsWith(GROUP) ? { body: '{}' } : undefined
    }
  }

  override async apply(...args: Parameters<MemoryCluster['apply']>) {
    const after = await super.apply(...args)
    if (!args[1].dryRun && after.kind === 'Deployment') this.put({ ...after, status: this.deploymentStatus })
    return after
  }
}

interface Going {
  readonly cluster: MemoryCluster
  readonly steps: InstallStep[]
  readonly clock: ManualClock
  readonly ended: Promise<unknown>
}

/** Installs with time turned by hand, as fast as anybody sleeps. */
async function go(
  cluster: WillingCluster,
  options: { wait?: boolean; signal?: AbortSignal; components?: readonly string[] } = {},
): Promise<Going> {
  const { components = CHOICE.values.components } = options
  const plan = await planInstall(cluster, { ...CHOICE, values: { ...VALUES, components } }, signal)
  cluster.journal.length = 0
  const clock = new ManualClock()
  const steps: InstallStep[] = []
  const run = async (): Promise<void> => {
    const { wait = false } = options
    const going = install({ cluster, clock }, plan, { timeoutMs: 180_000, wait }, options.signal ?? signal)
    for await (const step of going) steps.push(step)
  }
  const ended = run().then(
    () => undefined,
    (error: unknown) => error,
  )
  void turnUntil(ended, clock)
  return { cluster, steps, clock, ended }
}

function expectError(error: unknown, code: ErrorCode, ...said: readonly RegExp[]): void {
  assert.ok(error instanceof DeckError, String(error))
  assert.equal(error.code, code)
  for (const pattern of said) assert.match(`${error.message}\n${error.hint ?? ''}`, pattern)
}

const objectSteps = (steps: readonly InstallStep[]): string[] =>
  steps.flatMap((step) => (step.type === 'object' ? [`${step.ref.kind.kind} ${step.outcome}`] : []))

describe('planning an installation', () => {
  it('lets the server try what it can, and asks for rights where the namespace is not there yet', async () => {
    const cluster = new WillingCluster()
    const plan = await planInstall(cluster, CHOICE, signal)
    assert.deepEqual(cluster.names, [])
    assert.equal(plan.objects.length + 1, manifests(VALUES).length)
    for (const { ref, expected } of plan.objects) {
      assert.equal(expected, ref.namespace === 'deckwatch' ? undefined : 'created', ref.kind.kind)
    }
    cluster.allows = ({ verb, resource }) => !(verb === 'patch' && resource === 'deployments')
    await assert.rejects(planInstall(cluster, CHOICE, signal), (error) => {
      expectError(error, 'KUBE_FORBIDDEN', /may not patch deployments\.apps in namespace deckwatch/)
      return true
    })
  })

  it('finds nothing to change where all is as it should be', async () => {
    const cluster = new WillingCluster()
    cluster.put(...installedObjects())
    const plan = await planInstall(cluster, CHOICE, signal)
    assert.deepEqual([...new Set(plan.objects.map(({ expected }) => expected))], ['unchanged'])
    assert.equal(plan.answersNow, true)
    assert.deepEqual(plan.obsolete, [])
  })

  it('names what an earlier form had, but nothing that holds data or that somebody else made', async () => {
    const cluster = new WillingCluster()
    cluster.put(...installedObjects({ ...VALUES, apiReplicas: 2 }))
    const inside = { namespace: 'deckwatch', labels: OWN }
    cluster.put(
      object('v1', 'PersistentVolumeClaim', { name: 'deckwatch-data', ...inside }),
      object('v1', 'ConfigMap', {
        name: 'deckwatch-ca',
        namespace: 'deckwatch',
        labels: { 'app.kubernetes.io/name': 'deckwatch' },
      }),
    )
    const plan = await planInstall(cluster, CHOICE, signal)
    const names = plan.obsolete.map(({ kind, name }) => `${kind.kind}/${name}`)
    assert.ok(names.includes('Deployment/deckwatch-api'))
    assert.ok(names.includes('Service/deckwatch-data'))
    assert.ok(
      names.every((name) => /\/deckwatch-(?:api|data)/.test(name)),
      names.join(),
    )
    assert.ok(!names.some((name) => /PersistentVolumeClaim|ConfigMap/.test(name)))
  })

  it('tells which values become otherwise', async () => {
    const cluster = new WillingCluster()
    const before = {
      ...VALUES,
      apiReplicas: 2,
      image: 'registry.example/deckwatch:1',
      nodeSelector: { disk: 'ssd' },
    }
    cluster.put(...installedObjects(before))
    const plan = await planInstall(cluster, CHOICE, signal)
    assert.deepEqual(plan.changes, [
      `image registry.example/deckwatch:1 → ${VALUES.image}`,
      'apiReplicas 2 → 0',
      'nodeSelector.disk ssd → none',
    ])
    cluster.put(...installedObjects())
    assert.deepEqual((await planInstall(cluster, CHOICE, signal)).changes, [])
  })

  it('counts no key that an earlier version did not know as a change', async () => {
    const cluster = new WillingCluster()
    const { auditLog: _, store: __, ...earlier } = VALUES
    const annotations = { 'deckwatch.dev/values': JSON.stringify(earlier) }
    const installed = installedObjects().map((made) =>
      made.metadata.name === 'deckwatch-config'
        ? { ...made, metadata: { ...made.metadata, annotations } }
        : made,
    )
    cluster.put(...installed)
    assert.deepEqual((await planInstall(cluster, CHOICE, signal)).changes, [])
  })

  it('leaves the labels of a namespace alone in which others work', async () => {
    const cluster = new WillingCluster()
    cluster.put(
      object('v1', 'Namespace', { name: 'deckwatch' }),
      object('v1', 'Service', { name: 'grafana', namespace: 'deckwatch' }),
      object('v1', 'ConfigMap', { name: 'kube-root-ca.crt', namespace: 'deckwatch' }),
    )
    const plan = await planInstall(cluster, CHOICE, signal)
    assert.ok(!plan.objects.some(({ ref }) => ref.kind === KINDS.Namespace))
    assert.match(plan.warnings.join(), /namespace deckwatch holds service\/grafana not of deckwatch/)
  })

  for (const [what, put, said] of [
    [
      'a namespace that is being deleted',
      object('v1', 'Namespace', { name: 'deckwatch', deletionTimestamp: '2026-11-21T00:00:00Z' }),
      /being deleted since .*\n.*uninstall --namespace deckwatch/,
    ],
    [
      'a companion elsewhere',
      object(
        'apiregistration.k8s.io/v1',
        'APIService',
        { name: 'v1alpha1.deckwatch.dev' },
        {
          spec: { service: { namespace: 'monitoring', name: 'deckwatch' } },
        },
      ),
      /in namespace monitoring, not deckwatch/,
    ],
    [
      'a companion elsewhere that lost its registration',
      object(
        'rbac.authorization.k8s.io/v1',
        'ClusterRoleBinding',
        { name: 'deckwatch' },
        {
          subjects: [{ kind: 'ServiceAccount', namespace: 'monitoring', name: 'deckwatch' }],
        },
      ),
      /in namespace monitoring, not deckwatch/,
    ],
    [
      'an object of a Helm release',
      object('rbac.authorization.k8s.io/v1', 'ClusterRole', {
        name: 'deckwatch-view',
        labels: { 'app.kubernetes.io/managed-by': 'Helm' },
        annotations: { 'meta.helm.sh/release-name': 'dw', 'meta.helm.sh/release-namespace': 'tools' },
      }),
      /installed by Helm.*\nUse Helm for it: helm upgrade dw .* -n tools/,
    ],
  ] as const) {
    it(`refuses ${what}`, async () => {
      const cluster = new WillingCluster()
      cluster.put(put)
      await assert.rejects(planInstall(cluster, CHOICE, signal), (error) => {
        expectError(error, 'COMPANION_CONFLICT', said)
        return true
      })
    })
  }

  it('knows that a binding to a role to come cannot be tried by everyone', async () => {
    const cluster = new WillingCluster()
    cluster.beforeWrite = (_, { kind }) => {
      if (kind === KINDS.ClusterRoleBinding) throw new DeckError('KUBE_NOT_FOUND', 'no role', { status: 404 })
    }
    const plan = await planInstall(cluster, CHOICE, signal)
    const bindings = plan.objects.filter(({ ref }) => ref.kind === KINDS.ClusterRoleBinding)
    assert.ok(bindings.length > 0 && bindings.every(({ expected }) => expected === undefined))
  })

  it('has no other sentence for an error that is no matter of fields', async () => {
    const cluster = new WillingCluster()
    cluster.put(...installedObjects())
    cluster.beforeWrite = () => {
      throw new DeckError('KUBE_FORBIDDEN', 'user "jane" may not patch namespaces', { status: 403 })
    }
    await assert.rejects(planInstall(cluster, CHOICE, signal), (error) => {
      expectError(error, 'KUBE_FORBIDDEN', /jane/)
      return true
    })
  })
})

describe('an installation', () => {
  it('registers the group last of all, after the API server has reached the pod', async () => {
    const { cluster, steps, ended } = await go(new WillingCluster())
    assert.equal(await ended, undefined)
    const writes = cluster.journal.filter((line) => !line.includes(`probe ${GROUP}/`))
    assert.deepEqual(writes.slice(-3), [
      `probe ${READYZ} 200`,
      'apply apiservices/v1alpha1.deckwatch.dev',
      `probe ${GROUP} 200`,
    ])
    assert.equal(writes[0], 'apply namespaces/deckwatch')
    const last = steps.at(-1)
    assert.deepEqual(last, {
      type: 'answers',
      resources: ['images', 'clusterimages'],
      objects: manifests(VALUES).length,
    })
    assert.deepEqual([...new Set(objectSteps(steps).map((step) => step.split(' ')[1]))], ['created'])
  })

  it('asks for a list of each resource, not only for discovery', async () => {
    const { cluster, ended } = await go(new WillingCluster())
    await ended
    assert.ok(cluster.journal.includes(`probe ${GROUP}/images?limit=1 200`))
    assert.ok(cluster.journal.includes(`probe ${GROUP}/clusterimages?limit=1 200`))
  })

  it('never registers a group whose pods did not start, and says why', async () => {
    const cluster = new WillingCluster()
    cluster.deploymentStatus = { observedGeneration: 1, replicas: 1, updatedReplicas: 1 }
    cluster.put(
      object(
        'v1',
        'Pod',
        { name: 'deckwatch-1', namespace: 'deckwatch', labels: OWN },
        {
          status: {
            phase: 'Running',
            conditions: [{ type: 'Ready', status: 'False' }],
          },
          spec: { containers: [{ ports: [{ name: 'api', containerPort: 10250 }] }] },
        },
      ),
    )
    cluster.broken.set('/api/v1/namespaces/deckwatch/pods/https:deckwatch-1:10250/proxy/readyz', {
      status: 500,
      body: '[+]api fine\n[-]image-graph first list of pods under way\nreadyz check failed',
    })
    const { steps, ended } = await go(cluster)
    expectError(
      await ended,
      'COMPANION_NOT_READY',
      /pod\/deckwatch-1: it runs and is not ready yet/,
      /\[-\]image-graph first list of pods under way/,
    )
    assert.ok(!cluster.names.includes('apiservices/v1alpha1.deckwatch.dev'))
    // What is merely slow is not said before time is up.
    assert.ok(!steps.some(({ type }) => type === 'trouble'))
  })

  it('says each trouble once while it waits, and goes on when it is over', async () => {
    const cluster = new WillingCluster()
    cluster.deploymentStatus = {}
    const pull = { waiting: { reason: 'ErrImagePull', message: 'not found' } }
    const labels = { name: 'deckwatch-1', namespace: 'deckwatch', labels: OWN }
    cluster.put(
      object('v1', 'Pod', labels, { status: { containerStatuses: [{ name: 'deckwatch', state: pull }] } }),
    )
    const { steps, clock, ended } = await go(cluster)
    while (clock.now() < Date.UTC(2026, 10, 21, 2, 14, 20)) await tick()
    const deployment = await cluster.get({
      kind: KINDS.Deployment,
      namespace: 'deckwatch',
      name: 'deckwatch',
    })
    if (deployment) cluster.put({ ...deployment, status: COMPLETE })
    assert.equal(await ended, undefined)
    const troubles = steps.flatMap((step) => (step.type === 'trouble' ? [step.trouble.why] : []))
    assert.deepEqual(troubles, ['the image  cannot be pulled: ErrImagePull: not found'])
  })

  it('waits for an API server that is away for a while', async () => {
    const cluster = new WillingCluster()
    const list = cluster.list.bind(cluster)
    let away = 0
    const { ended } = await go(cluster)
    cluster.list = async (query) => {
      if ((away += 1) < 20) throw new DeckError('KUBE_UNREACHABLE', 'nothing listens there')
      return list(query)
    }
    assert.equal(await ended, undefined)
    assert.ok(away >= 20)
  })

  it('goes without what only adds detail, and not without Deployments', async () => {
    const cluster = new WillingCluster()
    const going = await go(cluster)
    for (const plural of ['pods', 'events', 'persistentvolumeclaims']) cluster.hidden.add(plural)
    assert.equal(await going.ended, undefined)
    const blind = new WillingCluster()
    const blindly = await go(blind)
    blind.hidden.add('deployments')
    expectError(await blindly.ended, 'KUBE_FORBIDDEN', /deployments/)
  })

  it('never registers a group whose pods the API server does not reach', async () => {
    const cluster = new WillingCluster()
    cluster.broken.set(READYZ, {
      status: 503,
      body: JSON.stringify({ kind: 'Status', message: 'dial tcp 10.1.2.3:10250: i/o timeout' }),
    })
    const { ended } = await go(cluster)
    expectError(await ended, 'COMPANION_UNREACHABLE', /503 dial tcp .*i\/o timeout/, /--host-network/)
    assert.ok(!cluster.names.includes('apiservices/v1alpha1.deckwatch.dev'))
  })

  it('goes on where it may not look through the proxy, and says so', async () => {
    const cluster = new WillingCluster()
    cluster.broken.set(READYZ, { status: 403 })
    const { steps, ended } = await go(cluster)
    assert.equal(await ended, undefined)
    const reached = steps.find(({ type }) => type === 'reached')
    assert.ok(reached?.type === 'reached')
    assert.match(reached.unchecked ?? '', /services\/proxy/)
  })

  it('takes the registration back after a minute without an answer', async () => {
    const cluster = new WillingCluster()
    cluster.broken.set(`${GROUP}/images`, {
      status: 503,
      body: 'error trying to reach service: x509: unknown',
    })
    const { steps, ended, clock } = await go(cluster)
    expectError(await ended, 'COMPANION_UNREACHABLE', /after 60 s: 503 .*x509/, /removed again/)
    assert.deepEqual(objectSteps(steps).slice(-2), ['APIService created', 'APIService deleted'])
    assert.ok(!cluster.names.includes('apiservices/v1alpha1.deckwatch.dev'))
    assert.ok(clock.now() - Date.UTC(2026, 10, 21, 2, 14, 7) >= 60_000)
  })

  it('says that it answered before an upgrade, when it takes the registration back', async () => {
    const cluster = new WillingCluster()
    cluster.put(...installedObjects())
    const going = go(cluster)
    await going.then(() => cluster.broken.set(GROUP, { status: 503, body: 'gone' }))
    expectError(await (await going).ended, 'COMPANION_UNREACHABLE', /It answered before this upgrade\./)
  })

  it('tells the emergency exit where the registration cannot be taken back', async () => {
    const cluster = new WillingCluster()
    cluster.broken.set(GROUP, { status: 503, body: 'gone' })
    cluster.beforeWrite = (verb) => {
      if (verb === 'delete') throw new DeckError('KUBE_FORBIDDEN', 'you may not delete', { status: 403 })
    }
    const { ended } = await go(cluster)
    expectError(await ended, 'COMPANION_UNREACHABLE', /kubectl delete apiservice v1alpha1\.deckwatch\.dev/)
  })

  it('takes an unanswered registration back on Ctrl-C, also when its own signal has ended', async () => {
    const cluster = new WillingCluster()
    cluster.broken.set(GROUP, { status: 503, body: 'gone' })
    const ending = new AbortController()
    const interrupted = new Error('interrupted')
    const apply = cluster.apply.bind(cluster)
    cluster.apply = async (applied, options) => {
      const after = await apply(applied, options)
      if (!options.dryRun && applied.kind === 'APIService') ending.abort(interrupted)
      return after
    }
    const { steps, ended } = await go(cluster, { signal: ending.signal })
    assert.equal(await ended, interrupted)
    assert.deepEqual(objectSteps(steps).at(-1), 'APIService deleted')
    assert.equal(await cluster.get(API_SERVICE), undefined)
  })

  it('an interrupted upgrade leaves a registration that answered', async () => {
    const cluster = new WillingCluster()
    cluster.put(...installedObjects())
    const ending = new AbortController()
    const going = await planInstall(cluster, CHOICE, signal)
    const run = install(
      { cluster, clock: new ManualClock() },
      going,
      { timeoutMs: 1000, wait: false },
      ending.signal,
    )
    cluster.broken.set(GROUP, { status: 503, body: 'gone' })
    await assert.rejects(async () => {
      for await (const step of run) if (step.type === 'reached') ending.abort(new Error('interrupted'))
    })
    assert.ok(await cluster.get(API_SERVICE))
  })

  it('deletes what an earlier form had only when the new one answers', async () => {
    const cluster = new WillingCluster()
    cluster.put(...installedObjects({ ...VALUES, apiReplicas: 2 }))
    const { steps, ended } = await go(cluster)
    assert.equal(await ended, undefined)
    const deleted = objectSteps(steps).filter((step) => step.endsWith('deleted'))
    assert.ok(deleted.includes('Deployment deleted'))
    const { journal } = cluster
    const firstDelete = journal.findIndex((line) => line.startsWith('delete'))
    assert.ok(firstDelete > journal.indexOf('apply apiservices/v1alpha1.deckwatch.dev'))
  })

  it('is over when changes are recorded, where they are to be', async () => {
    const cluster = new WillingCluster()
    cluster.put(
      object(
        'v1',
        'Pod',
        { name: 'deckwatch-1', namespace: 'deckwatch', labels: OWN },
        {
          spec: { containers: [{ ports: [{ name: 'api', containerPort: 10250 }] }] },
          status: { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] },
        },
      ),
    )
    const { answers } = cluster
    const webhook = { ok: true, reason: '', since: '2026-11-21T02:00:00Z' }
    cluster.answers = (path) =>
      path.endsWith('/statusz')
        ? { body: JSON.stringify({ components: [{ name: 'audit-log', recording: { webhook } }] }) }
        : answers(path)
    const { steps, ended } = await go(cluster, { components: ['audit-log'] })
    assert.equal(await ended, undefined)
    assert.deepEqual(steps.map(({ type }) => type).slice(-3), ['waiting', 'recording', 'answers'])
    webhook.ok = false
    webhook.reason = 'refused'
    const again = await go(cluster, { components: ['audit-log'] })
    expectError(await again.ended, 'COMPANION_NOT_READY', /changes are not recorded yet: refused/)
    assert.ok(await cluster.get(API_SERVICE))
  })

  it('takes a webhook away before the pods that it sends reviews to', async () => {
    const cluster = new WillingCluster()
    cluster.put(...installedObjects({ ...VALUES, components: ['image-graph', 'audit-log'] }))
    const { ended } = await go(cluster)
    assert.equal(await ended, undefined)
    assert.equal(cluster.journal[0], 'delete validatingwebhookconfigurations/deckwatch-audit-log')
  })

  it('lets the server try the conditions of users before anything is written', async () => {
    const cluster = new WillingCluster()
    const conditions = ['right', 'wrong'].map((name) => ({ name, expression: name }))
    const auditLog = { ...VALUES.auditLog, conditions }
    const values = { ...VALUES, components: ['audit-log'], auditLog }
    await planInstall(cluster, { ...CHOICE, values }, signal)
    cluster.beforeWrite = (_verb, { kind }) => {
      if (kind !== KINDS.ValidatingWebhookConfiguration) return
      throw new DeckError('KUBE_BAD_REQUEST', 'webhooks[0].matchConditions[1].expression: Invalid value', {
        status: 422,
      })
    }
    await assert.rejects(planInstall(cluster, { ...CHOICE, values }, signal), (error) => {
      expectError(
        error,
        'USAGE',
        /auditLog\.conditions: "wrong" is refused by the API server: .*Invalid value/,
      )
      return true
    })
    assert.deepEqual(cluster.journal, [])
  })

  it('with --wait is over when every pod is there', async () => {
    const cluster = new WillingCluster()
    // One of the new pods serves, an old one is still there.
    cluster.deploymentStatus = { ...COMPLETE, replicas: 2, availableReplicas: 2 }
    const { ended, clock } = await go(cluster, { wait: true })
    while (clock.now() < Date.UTC(2026, 10, 21, 2, 14, 20)) await tick()
    const deployment = await cluster.get({
      kind: KINDS.Deployment,
      namespace: 'deckwatch',
      name: 'deckwatch',
    })
    if (deployment) cluster.put({ ...deployment, status: COMPLETE })
    assert.equal(await ended, undefined)
  })
})
