import assert from 'node:assert/strict'
import { tellSourceOperations } from '../../src/cli/commands/blame/source-operations.ts'
import { ownerHistory } from '../../src/cli/features/blame/owner-history.ts'
import type { Session } from '../../src/cli/shell/session.ts'
import { connect } from '../../src/core/kube/connect.ts'
import { loadConnection } from '../../src/core/kube/kubeconfig.ts'
import { systemClock } from '../../src/core/lib/time.ts'
import type { KubernetesObject } from '../../src/core/wire/admission-review.ts'
import type { Change } from '../../src/core/wire/change.ts'
import { ARGO_CD_APPLICATIONS, syncedApplication } from '../kit/argo-cd.ts'
import type { ControlPlane } from '../kit/kubernetes/control-plane.ts'
import { kubectlOutput } from '../kit/kubernetes/kubectl.ts'
import { deleteNamespace, ensureNamespace } from '../kit/kubernetes/namespaces.ts'
import { requireCluster } from '../kit/kubernetes/shared.ts'

const NAMESPACE = 'blame-sources'
const CONFIG_MAPS = { group: '', version: 'v1', resource: 'configmaps', kind: 'ConfigMap' }

describe('Changes of GitOps tools on a real API server', () => {
  let cluster: ControlPlane
  let changes: readonly Change[]

  before(async function () {
    this.timeout(300_000)
    cluster = await requireCluster(this)
    await ensureNamespace(cluster.admin, NAMESPACE)
    await run(['create', '-f', '-'], ARGO_CD_APPLICATIONS)
    await run(['wait', '--for=condition=Established', 'crd/applications.argoproj.io', '--timeout=120s'])
    const synced = {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: {
        name: 'app',
        annotations: { 'argocd.argoproj.io/tracking-id': `${NAMESPACE}_shop:/ConfigMap:${NAMESPACE}/app` },
      },
      data: { mode: 'fast' },
    }
    await run(['apply', '--server-side', '--field-manager=argocd-controller', '-f', '-'], synced)
    const shown = await run(['get', 'configmap', 'app', '-o', 'json', '--show-managed-fields'])
    const object = JSON.parse(shown) as KubernetesObject
    changes = ownerHistory(object, CONFIG_MAPS, new Set())
    const startedAt = object.metadata?.creationTimestamp ?? ''
    const sync = { startedAt, revision: '9f3c2e1', username: 'dev-2@example.org' }
    await run(['create', '-f', '-'], syncedApplication(NAMESPACE, sync))
  })

  after(async function () {
    if (!cluster) return
    await run(['delete', 'crd', 'applications.argoproj.io', '--ignore-not-found'])
    await deleteNamespace(cluster.admin, NAMESPACE)
  })

  function run(args: readonly string[], input?: object): Promise<string> {
    const given = input === undefined ? {} : { input: JSON.stringify(input) }
    return kubectlOutput(cluster, ['-n', NAMESPACE, ...args], given)
  }

  async function told(kubeconfig: string, asked = changes): Promise<string[]> {
    const connection = await loadConnection({ kubeconfig })
    const transport = connect(connection, { userAgent: 'test' })
    const session = { clock: systemClock } as Session
    const { signal } = new AbortController()
    try {
      const found = await tellSourceOperations(asked, { transport, connection, session, signal })
      return found.map(({ via }) => `${via.source}@${via.revision} by ${via.initiatedBy}`)
    } finally {
      transport.close()
    }
  }

  it('are told with revision and initiator to those who may read the Application', async () => {
    assert.deepEqual(await told(cluster.adminKubeconfig), [
      `Application ${NAMESPACE}/shop@9f3c2e1 by dev-2@example.org`,
    ])
  })

  it('are told as they are to all others, and where the Application or its type is not there', async () => {
    assert.deepEqual(await told(cluster.user('blame-sources-stranger')), [
      `Application ${NAMESPACE}/shop@ by `,
    ])
    const elsewhere = ['Application blame-sources/gone', 'Kustomization blame-sources/apps'].map((source) =>
      changes.map((change) => ({ ...change, via: { ...change.via, source } })),
    )
    assert.deepEqual(await told(cluster.adminKubeconfig, elsewhere.flat()), [
      'Application blame-sources/gone@ by ',
      'Kustomization blame-sources/apps@ by ',
    ])
  })
})
