import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { text } from 'node:stream/consumers'
import { setTimeout as delay } from 'node:timers/promises'
import type { V1Pod } from '@kubernetes/client-node'
import type { Image } from '../../src/core/wire/image.ts'
import { type Companion, startCompanion } from '../kit/companion.ts'
import { needCommand } from '../kit/debian-package.ts'
import { seedBulk } from '../kit/kubernetes/bulk.ts'
import type { ControlPlane } from '../kit/kubernetes/control-plane.ts'
import { deleteNamespace, ensureNamespace } from '../kit/kubernetes/namespaces.ts'
import { createPods, deletePods } from '../kit/kubernetes/seed.ts'
import { requireKubernetes } from '../kit/kubernetes/shared.ts'
import { startControlPlane } from '../kit/kubernetes/start-control-plane.ts'
import { KubectlImages } from '../kit/plugin/kubectl-images.ts'

describe('the image graph on a real API server', function () {
  this.timeout(360_000)
  let cluster: ControlPlane
  let companion: Companion

  const pod = (namespace: string, name: string, image: string): V1Pod => ({
    metadata: { namespace, name },
    spec: { nodeName: 'node-1', containers: [{ name: 'app', image }] },
  })
  const kubectl = async (args: readonly string[], kubeconfig?: string): Promise<string> => {
    const { stdout, stderr, exitCode } = await cluster.kubectl(args, kubeconfig ? { kubeconfig } : {})
    assert.equal(exitCode, 0, `kubectl ${args.join(' ')}: ${stderr}`)
    return stdout
  }
  const get = async (args: readonly string[]): Promise<Image[]> =>
    (JSON.parse(await kubectl(['get', ...args, '-o', 'json'])) as { items: Image[] }).items
  /** Asks until the answer is this one. */
  const until = async (expected: string, args: readonly string[], kubeconfig?: string): Promise<void> => {
    let answer = ''
    for (const limit = performance.now() + 120_000; performance.now() < limit; await delay(100)) {
      answer = await kubectl(args, kubeconfig)
      if (answer === expected) return
    }
    assert.equal(answer, expected)
  }
  const eventsOf = (namespace: string): string[] => [
    'get',
    'imageevents',
    '-n',
    namespace,
    '-o',
    'jsonpath={range .items[*]}{.op}{.image} {.pod.name}{"\\n"}{end}',
  ]

  before(async function () {
    await requireKubernetes(this)
    cluster = await startControlPlane()
    await seedBulk(cluster, { pods: 300, images: 40, namespaces: 5, nodes: 10 })
    companion = await startCompanion(cluster)
  })

  after(async () => {
    await companion?.stop()
    await cluster?.stop()
  })

  it('says of images exactly what the CLI finds in the pods itself', async () => {
    const cli = new KubectlImages(cluster)
    const spoken = ({ metadata, image, digests, sizeBytes, usage, alsoSpelled, usageTogether }: Image) => ({
      name: metadata.name,
      image,
      digests,
      sizeBytes,
      usage,
      alsoSpelled,
      usageTogether,
    })
    const byName = (images: readonly Image[]) =>
      images.map(spoken).toSorted((a, b) => (a.name < b.name ? -1 : 1))
    const found = await cli.items<Image>(['-A', '--companion=never'])
    assert.ok(found.length > 20, `${found.length} images`)
    assert.ok(found.some(({ sizeBytes }) => sizeBytes !== undefined))
    assert.deepEqual(byName(await get(['clusterimages'])), byName(found))
    const [namespace = ''] = (await get(['images', '-A'])).map(({ metadata }) => metadata.namespace ?? '')
    assert.deepEqual(
      byName(await get(['images', '-n', namespace])),
      byName(await cli.items<Image>(['-n', namespace, '--companion=never'])),
    )
  })

  it('shows the next owner of a name nothing of what the namespace before had', async () => {
    const owner = cluster.user('next-owner')
    const grant = ['create', 'rolebinding', 'next-owner', '--clusterrole=view', '--user=next-owner']
    await ensureNamespace(cluster.admin, 'reused')
    await createPods(cluster, [pod('reused', 'first', 'secret-project:1')])
    await until('+secret-project:1 first\n', eventsOf('reused'))
    await deleteNamespace(cluster.admin, 'reused')
    await ensureNamespace(cluster.admin, 'reused')
    await kubectl([...grant, '-n', 'reused'])
    await until('', eventsOf('reused'), owner)
    await createPods(cluster, [pod('reused', 'second', 'nginx:1')])
    await until('+nginx:1 second\n', eventsOf('reused'), owner)
    await until('+secret-project:1 first\n-secret-project:1 first\n+nginx:1 second\n', eventsOf('reused'))
  })

  it('is seen by kubectl get -w as it happens', async () => {
    await ensureNamespace(cluster.admin, 'watched')
    const watching = spawn(
      cluster.kubectlPath,
      ['--kubeconfig', cluster.adminKubeconfig, 'get', 'images', '-n', 'watched', '-w', '--no-headers'],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    )
    const output = text(watching.stdout)
    try {
      await delay(1500)
      const count = ['get', 'images', '-n', 'watched', '-o', 'jsonpath={.items[0].usage.pods}']
      await createPods(cluster, [pod('watched', 'a', 'nginx:2')])
      await until('1', count)
      await createPods(cluster, [pod('watched', 'b', 'nginx:2')])
      await until('2', count)
      await deletePods(cluster, [pod('watched', 'a', 'nginx:2'), pod('watched', 'b', 'nginx:2')])
      await until('', ['get', 'images', '-n', 'watched', '-o', 'name'])
      await delay(500)
    } finally {
      watching.kill()
    }
    const stdout = await output
    const pods = stdout
      .trim()
      .split('\n')
      .map((line) => line.split(/ +/)[2])
    assert.deepEqual([pods[0], pods.includes('2'), pods.at(-1)], ['1', true, '0'], stdout)
  })

  it('has metrics that promtool finds nothing wrong with', async function () {
    needCommand(this, 'promtool', ['prometheus'])
    const metrics = await (await fetch(`http://127.0.0.1:${companion.ports.metrics}/metrics`)).text()
    const own = metrics.split('\n').filter((line) => /deckwatch_image/.test(line))
    assert.ok(own.length > 20)
    const { stdout, stderr, status } = spawnSync('promtool', ['check', 'metrics'], {
      input: `${own.join('\n')}\n`,
      encoding: 'utf8',
    })
    assert.equal(status, 0, stdout + stderr)
  })
})
