import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ApiStatusError } from '../kit/kubernetes/api-client.ts'
import { kubernetesBinaries, whyNoKubernetes } from '../kit/kubernetes/build.ts'
import type { ControlPlane } from '../kit/kubernetes/control-plane.ts'
import { deleteNamespace } from '../kit/kubernetes/namespaces.ts'
import { startOtherRun } from '../kit/kubernetes/other-run.ts'
import { identifyProcess } from '../kit/kubernetes/process-identity.ts'
import { sweepLeftovers } from '../kit/kubernetes/run-folder.ts'
import { createNodes, createPods, deletePods } from '../kit/kubernetes/seed.ts'
import { bulkPods } from '../kit/kubernetes/bulk.ts'
import { requireCluster, requireKubernetes } from '../kit/kubernetes/shared.ts'
import { startControlPlane } from '../kit/kubernetes/start-control-plane.ts'

const PODS = '/api/v1/namespaces/bulk-00/pods'

describe('the control plane of the test kit', function () {
  this.timeout(300_000)
  let cluster: ControlPlane

  before(async function () {
    await requireKubernetes(this)
    // Not the shared one: these tests kill it.
    cluster = await startControlPlane()
  })

  after(() => cluster?.stop())

  it('answers kubectl with the version that it was built from', async () => {
    const answer = await cluster.kubectl(['version', '-o', 'json'])
    const { clientVersion, serverVersion } = JSON.parse(answer.stdout)
    assert.equal(answer.exitCode, 0)
    assert.equal(serverVersion.gitVersion, clientVersion.gitVersion)
    assert.match(serverVersion.gitVersion, /^v1\.\d+\.\d+$/)
  })

  it('refuses a user without rights, and a certificate that has expired', async () => {
    const stranger = await cluster.kubectl(['get', 'pods'], { kubeconfig: cluster.user('jane', ['dev']) })
    assert.match(stranger.stderr, /Forbidden.*"jane" cannot list resource "pods"/)
    assert.equal(stranger.exitCode, 1)
    const late = await cluster.kubectl(['get', 'pods'], {
      kubeconfig: cluster.user('jane', [], Date.now() - 1000),
    })
    assert.match(late.stderr, /Unauthorized/)
  })

  it('knows the groups of a user and the account of a token', async () => {
    const whoami = async (kubeconfig: string) =>
      JSON.parse((await cluster.kubectl(['auth', 'whoami', '-o', 'json'], { kubeconfig })).stdout).status
        .userInfo
    const jane = await whoami(cluster.user('jäne/x', ['dev', 'ops+call']))
    assert.equal(jane.username, 'jäne/x')
    assert.deepEqual(jane.groups, ['dev', 'ops+call', 'system:authenticated'])
    const bot = await whoami(cluster.tokenKubeconfig(await cluster.token('default', 'bot')))
    assert.equal(bot.username, 'system:serviceaccount:default:bot')
  })

  it('deletes pods at once, and a namespace with what is in it', async () => {
    const pods = [...bulkPods({ pods: 20, images: 5, namespaces: 1, nodes: 1 })]
    await createPods(cluster, pods)
    await deletePods(cluster, pods.slice(0, 5))
    await deletePods(cluster, pods.slice(0, 5))
    assert.equal((await cluster.admin.send<{ items: unknown[] }>('GET', PODS)).items.length, 15)
    await deleteNamespace(cluster.admin, 'bulk-00')
    assert.match((await cluster.kubectl(['get', 'namespace', 'bulk-00'])).stderr, /NotFound/)
  })

  it('keeps seeded pods as they were given, over a kill and a new start', async () => {
    await createNodes(cluster, [{ name: 'bulk-node-000', images: [{ names: ['a:1'], sizeBytes: 7 }] }])
    await createPods(cluster, bulkPods({ pods: 20, images: 5, namespaces: 1, nodes: 1 }))
    const { pid } = cluster.apiServer
    await cluster.apiServer.kill()
    assert.equal((await cluster.kubectl(['get', 'nodes'])).exitCode, 1)
    await cluster.apiServer.start()
    assert.notEqual(cluster.apiServer.pid, pid)

    const node = JSON.parse((await cluster.kubectl(['get', 'node', 'bulk-node-000', '-o', 'json'])).stdout)
    assert.deepEqual(node.status.images, [{ names: ['a:1'], sizeBytes: 7 }])
    const { items } = JSON.parse(
      (await cluster.kubectl(['get', 'pods', '-n', 'bulk-00', '-o', 'json', '--show-managed-fields'])).stdout,
    )
    assert.equal(items.length, 20)
    for (const { metadata, spec, status } of items) {
      assert.equal(metadata.ownerReferences[0].kind, 'ReplicaSet')
      assert.equal(status.phase, 'Running')
      assert.equal(status.containerStatuses.length, spec.containers.length)
      assert.match(status.containerStatuses[0].imageID, /@sha256:[0-9a-f]{64}$/)
      assert.deepEqual(
        metadata.managedFields.map((entry: { manager: string }) => entry.manager),
        ['kube-controller-manager', 'kubelet'],
      )
    }
  })

  it('answers 410 to every resourceVersion and continue token from before expireResourceVersions', async () => {
    const page = await cluster.admin.send<{ metadata: { resourceVersion: string; continue: string } }>(
      'GET',
      `${PODS}?limit=2`,
    )
    const { resourceVersion } = page.metadata
    const nextPage = `${PODS}?limit=2&continue=${encodeURIComponent(page.metadata.continue)}`
    const watch = `${PODS}?watch=1&timeoutSeconds=1&resourceVersion=${resourceVersion}`
    await cluster.admin.text('GET', nextPage)
    assert.equal(await cluster.admin.text('GET', watch), '')

    await cluster.expireResourceVersions()

    await assert.rejects(
      cluster.admin.text('GET', nextPage),
      (error) => error instanceof ApiStatusError && error.status === 410,
    )
    const event = JSON.parse(await cluster.admin.text('GET', watch))
    assert.equal(event.type, 'ERROR')
    assert.equal(event.object.code, 410)
    assert.equal(event.object.reason, 'Expired')
  })

  it('answers nothing while it is paused, and what it was asked once it is resumed', async () => {
    cluster.apiServer.pause()
    const impatient = AbortSignal.timeout(300)
    await assert.rejects(cluster.admin.text('GET', '/version', undefined, impatient), /aborted/)
    const asked = cluster.admin.send<{ gitVersion: string }>('GET', '/version')
    cluster.apiServer.resume()
    assert.match((await asked).gitVersion, /^v1\./)
  })
})

describe('the end of a control plane', function () {
  this.timeout(300_000)
  before(async function () {
    await requireKubernetes(this)
  })

  it('comes with the run that started it, when that is terminated', async () => {
    const run = startOtherRun()
    const { folders, pids } = await run.up
    await run.kill('SIGTERM')
    assert.deepEqual(pids.filter(lives), [])
    assert.deepEqual(folders.filter(existsSync), [])
  })

  it('comes with the next run, when its own was killed', async () => {
    const run = startOtherRun()
    const { folders, pids } = await run.up
    await run.kill('SIGKILL')
    assert.deepEqual(pids.filter(lives), pids)
    await sweepLeftovers()
    assert.deepEqual(pids.filter(lives), [])
    assert.deepEqual(folders.filter(existsSync), [])
  })

  it('does not come with another run while its own lives', async () => {
    const run = startOtherRun()
    const { pids } = await run.up
    await sweepLeftovers()
    assert.deepEqual(pids.filter(lives), pids)
    await run.kill('SIGTERM')
  })
})

describe('the shared control plane', () => {
  it('is one for all suites of a process', async function () {
    assert.equal(await requireCluster(this), await requireCluster(this))
  })
})

describe('the programs of Kubernetes', () => {
  const saved = { ...process.env }
  let folder: string

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'deckwatch-kit-test-'))
    delete process.env['KUBEBUILDER_ASSETS']
    // A cache in which nothing was built yet.
    process.env['XDG_CACHE_HOME'] = folder
  })

  afterEach(async () => {
    process.env = { ...saved }
    await rm(folder, { recursive: true })
  })

  const program = (name: string, script: string) =>
    writeFile(join(folder, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 })

  it('are missing in one clear line where there is no Go', async () => {
    process.env['PATH'] = folder
    const reason =
      'building Kubernetes for the tests needs Go 1.25 or newer (https://go.dev/dl), and Go is not on PATH'
    assert.equal(await whyNoKubernetes(), reason)
    await assert.rejects(
      kubernetesBinaries(undefined, () => {}),
      { message: reason },
    )
  })

  it('are missing in one clear line where Go is too old', async () => {
    await program('go', 'echo go version go1.19.8 linux/amd64')
    process.env['PATH'] = `${folder}:${saved['PATH']}`
    assert.equal(
      await whyNoKubernetes(),
      'building Kubernetes for the tests needs Go 1.25 or newer (https://go.dev/dl), and go version go1.19.8 linux/amd64 is on PATH',
    )
  })

  it('can be built where Go is new enough', async () => {
    await program('go', 'echo go version go1.25.0 linux/amd64')
    process.env['PATH'] = `${folder}:${saved['PATH']}`
    assert.equal(await whyNoKubernetes(), undefined)
  })

  it('must all be in KUBEBUILDER_ASSETS', async () => {
    process.env['KUBEBUILDER_ASSETS'] = folder
    await program('etcd', 'exit 1')
    assert.equal(
      await whyNoKubernetes(),
      `KUBEBUILDER_ASSETS names ${folder}, which has no kube-apiserver, no kubectl`,
    )
  })

  it('are taken from KUBEBUILDER_ASSETS', async function () {
    process.env = { ...saved }
    await requireKubernetes(this)
    const binaries = await kubernetesBinaries()
    for (const part of ['etcd', 'kube-apiserver'] as const) {
      await program(part, `exec ${binaries.command(part)?.join(' ')} "$@"`)
    }
    await program('kubectl', `exec ${binaries.kubectl} "$@"`)
    process.env['KUBEBUILDER_ASSETS'] = folder
    const cluster = await startControlPlane()
    try {
      assert.equal(cluster.kubectlPath, join(folder, 'kubectl'))
      assert.match((await cluster.kubectl(['get', 'namespaces'])).stdout, /kube-system/)
      await assert.rejects(
        startControlPlane({ controllers: 'all' }),
        /KUBEBUILDER_ASSETS has no kube-controller-manager/,
      )
    } finally {
      await cluster.stop()
    }
  })
})

function lives(pid: number): boolean {
  return identifyProcess(pid) !== undefined
}
