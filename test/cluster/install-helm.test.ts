import assert from 'node:assert/strict'
import { join } from 'node:path'
import { helm, requireHelm } from '../kit/helm.ts'
import type { ControlPlane } from '../kit/kubernetes/control-plane.ts'
import { requireKubernetes } from '../kit/kubernetes/shared.ts'
import { startControlPlane } from '../kit/kubernetes/start-control-plane.ts'
import { kubectlDeckwatch } from '../kit/plugin/kubectl-deckwatch.ts'

const CHART = join(import.meta.dirname, '../../server/deploy/chart')

describe('kubectl deckwatch beside a release of Helm', function () {
  this.timeout(300_000)
  let cluster: ControlPlane
  let helmPath: string

  const runHelm = async (...args: readonly string[]): Promise<void> => {
    const { exitCode, stderr } = await helm(
      helmPath,
      cluster.folder.file('helm'),
      [...args, '--namespace', 'deckwatch'],
      { kubeconfig: cluster.adminKubeconfig },
    )
    assert.equal(exitCode, 0, stderr)
  }

  before(async function () {
    await requireKubernetes(this)
    helmPath = await requireHelm(this)
    cluster = await startControlPlane({ controllers: 'all' })
    await runHelm('install', 'dw', CHART, '--create-namespace')
  })
  after(() => cluster?.stop())

  it('install refuses, names the release, and writes nothing', async () => {
    const { stdout, stderr, exitCode } = await kubectlDeckwatch(cluster, [
      'install',
      '--yes',
      '--storage',
      'emptyDir',
    ])
    assert.match(
      stderr,
      /installed by Helm: .* belongs to release dw in namespace deckwatch \[COMPANION_CONFLICT\]/,
    )
    assert.match(stderr, /helm upgrade dw CHART -n deckwatch/)
    assert.equal(stdout, '')
    assert.equal(exitCode, 1)
  })

  it('uninstall leaves it to Helm', async () => {
    const { stderr, exitCode } = await kubectlDeckwatch(cluster, ['uninstall', '--yes'])
    assert.match(stderr, /Use Helm for it: helm uninstall dw -n deckwatch/)
    assert.equal(exitCode, 1)
  })

  it('status knows whose it is', async () => {
    const { stdout, exitCode } = await kubectlDeckwatch(cluster, ['status', '-o', 'json'])
    assert.equal(exitCode, 1)
    const { helm: release } = JSON.parse(stdout) as { helm?: unknown }
    assert.deepEqual(release, { name: 'dw', namespace: 'deckwatch' })
  })

  it('uninstall takes what Helm left of it, once Helm has gone first', async () => {
    await runHelm('uninstall', 'dw', '--wait')
    // As the companion makes it for itself.
    await cluster.admin.text('POST', '/api/v1/namespaces/deckwatch/secrets', {
      metadata: { name: 'deckwatch-tls', labels: { 'app.kubernetes.io/name': 'deckwatch' } },
    })
    const { stdout, stderr, exitCode } = await kubectlDeckwatch(cluster, ['uninstall', '--yes'])
    assert.equal(exitCode, 0, stderr)
    assert.match(stdout, /^secret\/deckwatch-tls deleted$/m)
    assert.match(stdout, / ok {2}/)
    const again = await kubectlDeckwatch(cluster, ['uninstall', '--yes'])
    assert.match(again.stdout, /^Nothing of deckwatch is in /)
  })
})
