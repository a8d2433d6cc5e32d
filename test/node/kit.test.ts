import assert from 'node:assert/strict'
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { V1Pod, V1PodList } from '@kubernetes/client-node'
import type { ControlPlane } from '../kit/kubernetes/control-plane.ts'
import { NODE_NETWORK } from '../kit/kubernetes/node-network.ts'
import type { Node } from '../kit/kubernetes/node.ts'
import { startOtherRun, type OtherRun } from '../kit/kubernetes/other-run.ts'
import { identifyProcess, isAlive, type ProcessIdentity } from '../kit/kubernetes/process-identity.ts'
import { createPods } from '../kit/kubernetes/seed.ts'
import { requireRoot, stopShared } from '../kit/kubernetes/shared.ts'
import { startControlPlane } from '../kit/kubernetes/start-control-plane.ts'
import { startNode } from '../kit/kubernetes/start-node.ts'

const IMAGE = 'registry.test/team/web:1'
const WAIT_LIMIT = '--timeout=180s'

describe('the node of the test kit', function () {
  this.timeout(300_000)
  let cluster: ControlPlane
  let node: Node
  let mountsBefore: string

  before(async function () {
    await requireRoot(this)
    // One node at a time lives on a host, and these tests stop theirs.
    await stopShared()
    mountsBefore = mounts()
    cluster = await startControlPlane({ controllers: 'all', scheduler: true })
    node = await startNode(cluster, { images: { [IMAGE]: {} } })
    await run(
      podOf('web', IMAGE, ['sh', '-c', 'echo hello; trap "exit 0" TERM; while :; do sleep 60 & wait; done']),
    )
  })

  after(async () => {
    await node?.stop()
    await cluster?.stop()
  })

  async function kubectl(...args: readonly string[]): Promise<string> {
    const { stdout, stderr, exitCode } = await cluster.kubectl(args)
    assert.equal(exitCode, 0, stderr)
    return stdout
  }

  /** Starts a pod, and gives it as it is once it is ready. */
  async function run(pod: V1Pod): Promise<V1Pod> {
    const name = pod.metadata?.name ?? ''
    await createPods(cluster, [pod])
    await kubectl('wait', `pod/${name}`, '--for=condition=Ready', WAIT_LIMIT)
    return JSON.parse(await kubectl('get', 'pod', name, '-o', 'json'))
  }

  it('runs a pod that the scheduler gave it, and serves its log and commands in it', async () => {
    assert.equal(await kubectl('logs', 'web'), 'hello\n')
    assert.equal(await kubectl('exec', 'web', '--', 'echo', 'here'), 'here\n')
    const [file] = readdirSync(node.podLogsFolder)
    assert.match(
      readFileSync(join(node.podLogsFolder, file ?? '', 'web', '0.log'), 'utf8'),
      / stdout F hello\n$/,
    )
  })

  it('reports the images that it was started with, by tag and digest and with their size', async () => {
    const { images } = JSON.parse(await kubectl('get', 'node', node.name, '-o', 'json')).status
    const image = images.find(({ names }: { names: string[] }) => names.includes(IMAGE))
    assert.match(image.names.join(' '), /registry\.test\/team\/web@sha256:[0-9a-f]{64}/)
    assert.ok(image.sizeBytes > 1_000_000)
  })

  it('runs one tag as two digests, once the tag was moved', async () => {
    const first = await run(podOf('first', IMAGE))
    const digest = await node.importImage(IMAGE, { files: { 'etc/version': '2' } })
    const second = await run(podOf('second', IMAGE))
    const imageID = (pod: V1Pod) => pod.status?.containerStatuses?.[0]?.imageID
    assert.equal(imageID(second), `registry.test/team/web@${digest}`)
    assert.notEqual(imageID(first), imageID(second))
    assert.equal(await kubectl('exec', 'second', '--', 'cat', '/etc/version'), '2')
  })

  it('lets pods reach the API server as a Service, also after that was killed', async () => {
    const reach = () =>
      kubectl(
        'exec',
        'web',
        '--',
        'sh',
        '-c',
        `nc -w 5 ${NODE_NETWORK.apiServiceAddress} 443 </dev/null && echo yes`,
      )
    assert.equal(await reach(), 'yes\n')
    await cluster.apiServer.restart()
    assert.equal(await reach(), 'yes\n')
  })

  it('runs Deployments, and its kubelet can be killed and started again', async () => {
    await kubectl('create', 'deployment', 'shop', `--image=${IMAGE}`, '--replicas=2')
    await kubectl('rollout', 'status', 'deployment/shop', WAIT_LIMIT)
    await node.kubelet.kill()
    node.kubelet.start()
    await kubectl('scale', 'deployment/shop', '--replicas=3')
    await kubectl('rollout', 'status', 'deployment/shop', WAIT_LIMIT)
    await kubectl('delete', 'deployment', 'shop')
    await kubectl('wait', 'pod', '--selector=app=shop', '--for=delete', WAIT_LIMIT)
  })

  it('stops without a trace: no pod or node in the API, no process, mount, cgroup or interface on the host', async () => {
    const processes = processTree(node.folder.pids)
    assert.ok(processes.length > 10, `only ${processes.length} processes`)
    await node.stop()

    const { items } = await cluster.admin.send<V1PodList>('GET', '/api/v1/pods')
    assert.deepEqual(
      items.map((pod) => pod.metadata?.name),
      [],
    )
    assert.match(await kubectl('get', 'nodes', '--no-headers', '--ignore-not-found'), /^$/)
    assert.deepEqual(processes.filter(isAlive), [])
    assert.equal(mounts(), mountsBefore)
    assert.deepEqual(cgroups(), [])
    assert.deepEqual(interfaces(), [])
    assert.equal(existsSync(node.folder.path), false)
  })

  describe('beside the node of another run', () => {
    let other: OtherRun

    after(() => other?.kill('SIGTERM'))

    it('waits until that ends, and then finds nothing of it, however it ended', async () => {
      node = await startNode(cluster)
      other = startOtherRun(['--node'])
      for await (const line of other.said) {
        assert.equal(
          line,
          `waiting for the node of process ${process.pid} to end: only one lives on a host at a time`,
        )
        break
      }
      await node.stop()
      const { pids } = await other.up
      const processes = processTree(pids)
      await other.kill('SIGKILL')
      assert.notDeepEqual(processes.filter(isAlive), [])

      node = await startNode(cluster, { images: { [IMAGE]: {} } })
      // What was killed is gone once its parent has seen it.
      for (let i = 0; i < 100 && processes.some(isAlive); i++) await delay(100)
      assert.deepEqual(processes.filter(isAlive), [])
      await run(podOf('again', IMAGE))
    })
  })
})

function podOf(name: string, image: string, command?: string[]): V1Pod {
  const container = { name: 'web', image, imagePullPolicy: 'Never', ...(command ? { command } : {}) }
  return { metadata: { name }, spec: { containers: [container] } }
}

function mounts(): string {
  return readFileSync('/proc/self/mounts', 'utf8')
}

function cgroups(): string[] {
  const root = '/sys/fs/cgroup'
  return ['', ...readdirSync(root)].map((name) => join(root, name, 'deckwatch-kit')).filter(existsSync)
}

function interfaces(): string[] {
  return readdirSync('/sys/class/net').filter((name) => /^(cni|veth|deckwatch)/.test(name))
}

/** These processes and all that descend from them. */
function processTree(roots: readonly number[]): ProcessIdentity[] {
  return roots.flatMap((pid) => {
    const identity = identifyProcess(pid)
    if (!identity) return []
    const children = readdirSync(`/proc/${pid}/task`).flatMap((thread) =>
      readFileSync(`/proc/${pid}/task/${thread}/children`, 'latin1')
        .trim()
        .split(' ')
        .filter(Boolean)
        .map(Number),
    )
    return [identity, ...processTree(children)]
  })
}
