import assert from 'node:assert/strict'
import { isNothing, planUninstall } from '../../../src/cli/features/deckwatch/plan-uninstall.ts'
import { KINDS, spokenName } from '../../../src/cli/features/deckwatch/kinds.ts'
import { uninstall } from '../../../src/cli/features/deckwatch/uninstall.ts'
import { DeckError } from '../../../src/core/lib/errors.ts'
import { ManualClock } from '../../kit/manual-clock.ts'
import { installedObjects, object, OWN, VALUES } from './companion-objects.ts'
import { MemoryCluster } from './memory-cluster.ts'
import { turnUntil } from './turning.ts'

const { signal } = new AbortController()
const INSIDE = { namespace: 'deckwatch', labels: OWN }
const ALL = { namespace: undefined, keepData: false }

function installed(): MemoryCluster {
  const cluster = new MemoryCluster()
  cluster.put(
    ...installedObjects({ ...VALUES, storage: { ...VALUES.storage, type: 'pvc' } }),
    object('v1', 'Secret', { name: 'deckwatch-tls', ...INSIDE }),
    object('v1', 'ConfigMap', { name: 'deckwatch-ca', ...INSIDE }),
    object('coordination.k8s.io/v1', 'Lease', { name: 'deckwatch-image-graph', ...INSIDE }),
    object('v1', 'ConfigMap', { name: 'kube-root-ca.crt', namespace: 'deckwatch' }),
  )
  return cluster
}

async function run(cluster: MemoryCluster, keepData = false): Promise<readonly string[]> {
  const plan = await planUninstall(cluster, { namespace: undefined, keepData }, signal)
  const deleted: string[] = []
  for await (const step of uninstall({ cluster, clock: new ManualClock() }, plan, 60_000, signal)) {
    if (step.type === 'deleted') deleted.push(spokenName(step.ref))
  }
  return deleted
}

async function failing(cluster: MemoryCluster): Promise<unknown> {
  const plan = await planUninstall(cluster, ALL, signal)
  const clock = new ManualClock()
  const going = (async () => {
    for await (const step of uninstall({ cluster, clock }, plan, 60_000, signal)) assert.ok(step)
  })()
  void turnUntil(going, clock)
  return going.then(
    () => undefined,
    (error: unknown) => error,
  )
}

describe('removing the companion', () => {
  it('takes the registration first, workloads next, data and namespace last, and leaves nothing', async () => {
    const cluster = installed()
    const deleted = await run(cluster)
    assert.equal(deleted[0], 'apiservice.apiregistration.k8s.io/v1alpha1.deckwatch.dev')
    assert.equal(deleted[1], 'deployment.apps/deckwatch')
    assert.deepEqual(deleted.slice(-2), ['persistentvolumeclaim/deckwatch-data', 'namespace/deckwatch'])
    assert.ok(deleted.includes('secret/deckwatch-tls'))
    assert.ok(deleted.includes('lease.coordination.k8s.io/deckwatch-image-graph'))
    assert.deepEqual(cluster.names, ['configmaps/deckwatch/kube-root-ca.crt'])
    assert.ok(isNothing(await planUninstall(cluster, ALL, signal)))
  })

  it('waits until the group has left discovery before it takes anything else', async () => {
    const cluster = installed()
    await run(cluster)
    assert.deepEqual(cluster.journal.slice(0, 3), [
      'delete apiservices/v1alpha1.deckwatch.dev',
      'probe /apis/deckwatch.dev/v1alpha1 404',
      'delete deployments/deckwatch/deckwatch',
    ])
  })

  it('takes the webhook before anything else', async () => {
    const cluster = new MemoryCluster()
    cluster.put(...installedObjects({ ...VALUES, components: ['audit-log'] }))
    const deleted = await run(cluster)
    assert.deepEqual(deleted.slice(0, 2), [
      'validatingwebhookconfiguration.admissionregistration.k8s.io/deckwatch-audit-log',
      'apiservice.apiregistration.k8s.io/v1alpha1.deckwatch.dev',
    ])
    assert.equal(new Set(deleted).size, deleted.length)
    assert.deepEqual(cluster.names, [])
  })

  it('keeps volume and namespace where it is told to', async () => {
    const cluster = installed()
    const plan = await planUninstall(cluster, { ...ALL, keepData: true }, signal)
    assert.deepEqual(plan.stays, [
      'persistentvolumeclaim/deckwatch-data (--keep-data)',
      'namespace deckwatch (--keep-data)',
    ])
    await run(cluster, true)
    assert.deepEqual(cluster.names, [
      'configmaps/deckwatch/kube-root-ca.crt',
      'namespaces/deckwatch',
      'persistentvolumeclaims/deckwatch/deckwatch-data',
    ])
  })

  it('keeps the key of the history with it, without which every old value would look changed', async () => {
    const cluster = installed()
    cluster.put(object('v1', 'Secret', { name: 'deckwatch-audit-log', ...INSIDE }))
    const { stays } = await planUninstall(cluster, { ...ALL, keepData: true }, signal)
    assert.ok(stays.includes('secret/deckwatch-audit-log (--keep-data)'))
    await run(cluster, true)
    assert.ok(cluster.names.includes('secrets/deckwatch/deckwatch-audit-log'))
    assert.ok((await run(cluster)).includes('secret/deckwatch-audit-log'))
  })

  it('keeps a namespace in which others work, and one that it did not make', async () => {
    const cluster = installed()
    cluster.put(
      object('apps/v1', 'StatefulSet', { name: 'db', namespace: 'deckwatch' }),
      object('v1', 'Pod', {
        name: 'db-0',
        namespace: 'deckwatch',
        ownerReferences: [{ kind: 'StatefulSet', name: 'db' }],
      }),
      object('v1', 'Secret', { name: 'regcred', namespace: 'deckwatch' }),
    )
    const { stays, ownNamespace } = await planUninstall(cluster, ALL, signal)
    assert.deepEqual(stays, ['namespace deckwatch holds statefulset.apps/db and 1 more not of deckwatch'])
    assert.equal(ownNamespace, undefined)
    const other = installed()
    other.put(object('v1', 'Namespace', { name: 'deckwatch' }))
    const plan = await planUninstall(other, ALL, signal)
    assert.deepEqual(plan.stays, ['namespace deckwatch, which deckwatch did not make'])
  })

  it('says that a folder of a node is out of its reach', async () => {
    const cluster = new MemoryCluster()
    const storage = { ...VALUES.storage, type: 'hostPath' as const, node: 'worker-1' }
    cluster.put(...installedObjects({ ...VALUES, storage }))
    const { stays } = await planUninstall(cluster, ALL, signal)
    assert.deepEqual(stays, ['folder /var/lib/deckwatch on node worker-1: remove it there'])
  })

  it('looks where the registration points, and refuses another namespace', async () => {
    const cluster = new MemoryCluster()
    cluster.put(...installedObjects({ ...VALUES, namespace: 'tools' }))
    assert.equal((await planUninstall(cluster, ALL, signal)).namespace, 'tools')
    await assert.rejects(planUninstall(cluster, { ...ALL, namespace: 'deckwatch' }, signal), {
      code: 'COMPANION_CONFLICT',
    })
  })

  it("leaves Helm's release to Helm, but not what is left of one whose namespace is gone", async () => {
    const cluster = new MemoryCluster()
    const apiService = object(
      'apiregistration.k8s.io/v1',
      'APIService',
      {
        name: 'v1alpha1.deckwatch.dev',
        labels: { 'app.kubernetes.io/managed-by': 'Helm' },
        annotations: { 'meta.helm.sh/release-name': 'dw', 'meta.helm.sh/release-namespace': 'tools' },
      },
      { spec: { service: { namespace: 'tools', name: 'deckwatch' } } },
    )
    cluster.put(apiService, object('v1', 'Namespace', { name: 'tools' }))
    await assert.rejects(planUninstall(cluster, ALL, signal), (error) => {
      assert.ok(error instanceof DeckError)
      assert.match(error.hint ?? '', /helm uninstall dw -n tools/)
      return true
    })
    cluster.drop({ kind: KINDS.Namespace, name: 'tools' })
    assert.deepEqual(await run(cluster), ['apiservice.apiregistration.k8s.io/v1alpha1.deckwatch.dev'])
  })

  it('waits for a namespace that is being deleted already, and says what holds it', async () => {
    const cluster = new MemoryCluster()
    const conditions = [
      { type: 'NamespaceFinalizersRemaining', status: 'True', message: 'Some content has finalizers: x' },
      { type: 'NamespaceContentRemaining', status: 'False', message: 'All content removed' },
    ]
    cluster.put(
      object(
        'v1',
        'Namespace',
        { name: 'deckwatch', deletionTimestamp: '2026-11-21T00:00:00Z' },
        {
          status: { conditions },
        },
      ),
    )
    const plan = await planUninstall(cluster, ALL, signal)
    assert.equal(plan.terminating, true)
    assert.equal(isNothing(plan), false)
    const error = await failing(cluster)
    assert.ok(error instanceof DeckError)
    assert.equal(error.code, 'COMPANION_STAYS')
    assert.equal(error.message, 'namespace deckwatch is not gone: Some content has finalizers: x')
  })

  it('waits for an API server that is away for a while, and no longer than it may', async () => {
    const cluster = installed()
    cluster.put(object('v1', 'Namespace', { name: 'deckwatch', deletionTimestamp: '2026-11-21T00:00:00Z' }))
    const get = cluster.get.bind(cluster)
    let away = -10
    cluster.get = async (ref) => {
      if (ref.kind === KINDS.Namespace && (away += 1) > 0) {
        if (away > 20) cluster.drop(ref)
        else throw new DeckError('KUBE_UNAVAILABLE', 'starting', { status: 503 })
      }
      return get(ref)
    }
    assert.equal(await failing(cluster), undefined)
    const gone = installed()
    const plan = await planUninstall(gone, ALL, signal)
    const clock = new ManualClock()
    gone.probe = async () => {
      throw new DeckError('KUBE_UNREACHABLE', 'nothing listens there')
    }
    const going = (async () => {
      for await (const step of uninstall({ cluster: gone, clock }, plan, 60_000, signal)) assert.ok(step)
    })()
    void turnUntil(going, clock)
    await assert.rejects(going, { code: 'KUBE_UNREACHABLE' })
    assert.ok(clock.now() - Date.UTC(2026, 10, 21, 2, 14, 7) >= 60_000)
  })

  it('names pods that do not end, and objects that only pretend to be gone', async () => {
    const stubborn = installed()
    stubborn.put(object('v1', 'Pod', { name: 'deckwatch-1', ...INSIDE }))
    assert.match(String(await failing(stubborn)), /pods have not ended: deckwatch-1/)
    const sticky = installed()
    sticky.sticky.add('persistentvolumeclaims')
    assert.match(
      String(await failing(sticky)),
      /persistentvolumeclaim\/deckwatch-data is marked for deletion and not gone/,
    )
  })
})
