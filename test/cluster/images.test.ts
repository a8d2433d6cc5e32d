import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import type { V1Job, V1Node, V1Pod, V1ReplicaSet } from '@kubernetes/client-node'
import type { Image } from '../../src/core/wire/image.ts'
import type { ControlPlane } from '../kit/kubernetes/control-plane.ts'
import { createPods } from '../kit/kubernetes/seed.ts'
import { requireCluster } from '../kit/kubernetes/shared.ts'
import { foldImages, imageFacts, type ClusterFacts } from '../kit/plugin/fold-images.ts'
import { cells, KubectlImages } from '../kit/plugin/kubectl-images.ts'
import { kubectlWithPlugins, pluginEnvironment, pluginFolder } from '../kit/plugin/plugin-environment.ts'
import { paperDigest } from '../kit/shop/paper-kubelet.ts'
import { sharedShop } from '../kit/shop/shared-shop.ts'

const SET_UP_MS = 300_000

describe('kubectl images on a real API server', () => {
  let cluster: ControlPlane

  let images: KubectlImages

  async function get<Item>(args: readonly string[]): Promise<Item[]> {
    const { stdout } = await cluster.kubectl(['get', ...args, '-o', 'json'])
    return (JSON.parse(stdout) as { items: Item[] }).items
  }

  async function clusterFacts(podSelection: readonly string[]): Promise<ClusterFacts> {
    return {
      pods: await get<V1Pod>(['pods', ...podSelection]),
      nodes: await get<V1Node>(['nodes']),
      between: await get<V1ReplicaSet | V1Job>(['replicasets,jobs', '-A']),
    }
  }

  before(async function () {
    cluster = await requireCluster(this)
    this.timeout(SET_UP_MS)
    images = new KubectlImages(cluster)
    await sharedShop(cluster)
  })

  it('shows which images a namespace runs, with digests, counts and sizes', async () => {
    const { stdout, stderr, exitCode } = await images.run(['-n', 'shop'])
    assert.deepEqual(cells(stdout), [
      ['IMAGE', 'TAG', 'DIGEST', 'PODS', 'WORKLOADS', 'NODES', 'SIZE'],
      ['docker.io/library/alpine (init)', '3.20', '75be9c490b21', '3', '1', '2', '8.0 MiB'],
      ['docker.io/library/busybox', '1.36', 'd55432289a2f', '4', '2', '2', '4.0 MiB'],
      ['docker.io/library/nginx', '1.27-alpine', '04e8cc8c0b99', '5', '2', '2', '46 MiB'],
      ['docker.io/library/redis', '7-alpine', '448cda7a0502', '2', '1', '2', '41 MiB'],
      ['quay.io/prometheus/node-exporter', 'v1.8.2', '6752a15b1d58', '2', '1', '2', '24 MiB'],
      ['registry.k8s.io/e2e-test-images/busybox', '1.36.1-1', '9f705ecc239f', '1', '1', '1', '4.0 MiB'],
    ])
    assert.equal(stderr, '6 images, 11 pods, 6 workloads.\n')
    assert.equal(exitCode, 0)
  })

  it('says over all namespaces that one tag runs as two digests, and where to look', async () => {
    const { stdout, stderr } = await images.run(['-A', 'redis:7-alpine'])
    assert.match(stdout, /^docker\.io\/library\/redis +7-alpine +2 digests \(!\) +4 +2 +2 +2 +42 MiB$/m)
    const hint =
      /^1 image, 4 pods, 2 workloads\.\s\(!\) redis:7-alpine runs as 2 digests: kubectl images (.*)\n$/
    const [, command = ''] = hint.exec(stderr) ?? []
    assert.match(command, / --by pod$/, stderr)
    const byPod = await images.run(command.split(' '))
    const digests = new Map(cells(byPod.stdout).map((row) => [row[1], row[4]]))
    assert.equal(digests.get('sessions-0'), '448cda7a0502')
    assert.equal(digests.get('sessions-1'), '448cda7a0502')
    assert.deepEqual(
      [...digests].filter(([pod]) => pod?.startsWith('ledger-')).map(([, digest]) => digest),
      ['78c4e62b4d3f', '78c4e62b4d3f'],
    )
  })

  it('is the same as a plugin, as a program of its own and in its long form', async () => {
    const [plugin, long, program] = await Promise.all([
      images.run(['-n', 'shop', '-o', 'json']),
      kubectlWithPlugins(cluster, ['deckwatch', 'images', '-n', 'shop', '-o', 'json']),
      alone(['-n', 'shop', '-o', 'json']),
    ])
    assert.notEqual(plugin.stdout, '')
    assert.equal(long.stdout, plugin.stdout)
    assert.equal(program, plugin.stdout)
  })

  async function alone(args: readonly string[]): Promise<string> {
    const env = {
      ...pluginEnvironment(cluster.folder.file('plugin-cache')),
      KUBECONFIG: cluster.adminKubeconfig,
    }
    const child = spawn(join(pluginFolder(), 'kubectl-images'), args, {
      env,
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const [answer] = await Promise.all([text(child.stdout), once(child, 'close')])
    return answer
  }

  describe('-o json equals what is added up independently from kubectl get,', () => {
    for (const scope of [
      ['-n', 'shop'],
      ['-n', 'pay'],
      ['-A'],
      ['-A', '-l', 'app=web'],
      ['-A', '--field-selector', 'spec.nodeName=node-a'],
    ]) {
      it(scope.join(' '), async () => {
        const facts = await clusterFacts(scope)
        assert.ok(facts.pods.length > 0)
        const expected = foldImages(facts)
        assert.deepEqual(imageFacts(await images.items<Image>(scope)), expected)
      })
    }

    it('with JSON asked of the server as with protobuf', async () => {
      const { stdout } = await images.run(['-A', '-o', 'json'])
      assert.equal((await images.run(['-A', '-o', 'json', '--no-protobuf'])).stdout, stdout)
    })
  })

  describe('selects as kubectl does:', () => {
    it('by label', async () => {
      assert.deepEqual(await images.names(['-n', 'shop', '-l', 'app in (cart, sessions)']), [
        'docker.io/library/nginx:1.27-alpine',
        'redis:7-alpine',
      ])
    })

    it('by field', async () => {
      const here = await images.names(['-A', '--by', 'pod', '--field-selector', 'spec.nodeName=node-b'])
      const pods = await get<V1Pod>(['pods', '-A', '--field-selector', 'spec.nodeName=node-b'])
      assert.deepEqual(here.toSorted(), pods.map(({ metadata }) => `pod/${metadata?.name}`).toSorted())
    })

    it('by REGEX on pod or image, unanchored, and by --match on one of them', async () => {
      assert.deepEqual(await images.names(['-n', 'shop', 'sessions']), ['redis:7-alpine'])
      assert.deepEqual(await images.names(['-n', 'shop', 'redi.*alpine']), ['redis:7-alpine'])
      assert.deepEqual(await images.names(['-n', 'shop', 'toolbox|redis', '--match', 'image']), [
        'redis:7-alpine',
      ])
      assert.deepEqual(await images.names(['-n', 'shop', 'toolbox|redis', '--match', 'pod']), [
        'busybox:1.36',
      ])
    })

    it('refusing a bad selector with the words of the API server', async () => {
      for (const [flag, selector, reason] of [
        ['-l', 'app in', /found '' expected: '\('/],
        ['--field-selector', 'spec.color=red', /field label not supported: spec\.color/],
      ] as const) {
        const { stdout, stderr, exitCode } = await images.run([flag, selector])
        assert.match(stderr, reason)
        assert.match(stderr, /Check --selector \(-l\) and --field-selector\./)
        assert.deepEqual([stdout, exitCode], ['', 2])
      }
    })

    it('and answers for a namespace that does not exist with kubectl’s own sentence', async () => {
      const [ours, kubectls] = [
        await images.run(['-n', 'nowhere']),
        await cluster.kubectl(['get', 'pods', '-n', 'nowhere']),
      ]
      assert.deepEqual(ours, kubectls)
    })
  })

  describe('names the workload', () => {
    const workloads = async (args: readonly string[]) => {
      const rows = await images.items<{ workload: string }>([...args, '--by', 'workload'])
      return [...new Set(rows.map(({ workload }) => workload))]
    }

    it('of real Deployments, StatefulSets, DaemonSets and CronJobs, and bare pods as themselves', async () => {
      assert.deepEqual(await workloads(['-n', 'shop']), [
        'cj/report',
        'deploy/cart',
        'deploy/web',
        'ds/node-exporter',
        'pod/toolbox',
        'sts/sessions',
      ])
    })

    it('of a Job made from a CronJob by hand, which only -o wide can know', async () => {
      const namespace = 'images-owners'
      await cluster.kubectl(['create', 'namespace', namespace])
      const report = JSON.parse(
        (await cluster.kubectl(['get', 'cronjob', 'report', '-n', 'shop', '-o', 'json'])).stdout,
      )
      const { name } = report.metadata as { name: string }
      const copy = { ...report, metadata: { name, namespace } }
      await cluster.kubectl(['apply', '-f', '-'], { input: JSON.stringify(copy) })
      await cluster.kubectl(['create', 'job', 'by-hand', '--from=cronjob/report', '-n', namespace])
      await podsIn(namespace, 1)
      assert.deepEqual(await workloads(['-n', namespace]), ['job/by-hand'])
      const { stdout } = await images.run(['-n', namespace, '--by', 'workload', '-o', 'wide', '--no-headers'])
      assert.match(stdout, /^cj\/report /)
    })

    it('of a Job that only looks scheduled by its date, as the Job', async () => {
      const namespace = 'images-dated'
      await cluster.kubectl(['create', 'namespace', namespace])
      await cluster.kubectl(['create', 'job', 'import-20261121', '--image=busybox:1.36', '-n', namespace])
      await podsIn(namespace, 1)
      assert.deepEqual(await workloads(['-n', namespace]), ['job/import-20261121'])
    })

    it('of a custom controller by its kind and group', async () => {
      const owner = {
        apiVersion: 'argoproj.io/v1alpha1',
        kind: 'Rollout',
        name: 'front',
        uid: 'b5f6',
        controller: true,
      }
      const metadata = { name: 'front-1', namespace: 'images-custom', ownerReferences: [owner] }
      await createPods(cluster, [
        { metadata, spec: { nodeName: 'node-a', containers: [{ name: 'app', image: 'web:1' }] } },
      ])
      assert.deepEqual(await workloads(['-n', 'images-custom']), ['rollout.argoproj.io/front'])
    })

    async function podsIn(namespace: string, count: number): Promise<void> {
      const limit = AbortSignal.timeout(90_000)
      while ((await get(['pods', '-n', namespace])).length < count) limit.throwIfAborted()
    }
  })

  it('shows what none of its kind has: sidecars, ephemeral containers and image volumes', async () => {
    const namespace = 'images-kinds'
    await createPods(cluster, [
      {
        metadata: { name: 'all', namespace },
        spec: {
          nodeName: 'node-a',
          initContainers: [
            { name: 'first', image: 'first:1' },
            { name: 'beside', image: 'beside:1', restartPolicy: 'Always' },
          ],
          containers: [{ name: 'app', image: 'app:1' }],
          volumes: [{ name: 'models', image: { reference: 'models:1', pullPolicy: 'IfNotPresent' } }],
        },
      },
    ])
    const debug = ['debug', 'all', '-n', namespace, '--image=debug:1', '--container=shell', '--attach=false']
    assert.equal((await cluster.kubectl([...debug, '--', 'sh'])).exitCode, 0)
    const table = cells((await images.run(['-n', namespace, '--by', 'container'])).stdout)
    assert.deepEqual(
      table.map(([, container, image]) => [container, image]),
      [
        ['CONTAINER', 'IMAGE'],
        ['(init) first', 'first:1'],
        ['(sidecar) beside', 'beside:1'],
        ['app', 'app:1'],
        ['(ephemeral) shell', 'debug:1'],
        ['(volume) models', 'models:1'],
      ],
    )
    const scope = ['-n', namespace]
    assert.deepEqual(imageFacts(await images.items<Image>(scope)), foldImages(await clusterFacts(scope)))
  })

  it('shows a pod that no node has taken yet', async () => {
    const namespace = 'images-pending'
    const pod = (name: string): V1Pod => ({
      metadata: { name, namespace },
      spec: { containers: [{ name: 'app', image: `${name}:1` }] },
    })
    await createPods(cluster, [pod('unscheduled')])
    const { stdout, stderr, exitCode } = await images.run(['-n', namespace])
    assert.deepEqual(cells(stdout)[1], ['docker.io/library/unscheduled', '1', '-', '1', '1', '0', '?'])
    assert.match(stderr, /^1 image, 1 pod, 1 workload\.\n\? = not reported by the node/)
    assert.equal(exitCode, 0)
  })

  describe('completes through kubectl’s own mechanism', () => {
    const complete = async (...words: string[]) =>
      (await kubectlWithPlugins(cluster, ['__complete', ...words])).stdout.trimEnd().split('\n')

    it('the values of a flag', async () => {
      assert.deepEqual(await complete('images', '--by', ''), [
        'image',
        'container',
        'pod',
        'workload',
        'node',
        'registry',
        'namespace',
        ':4',
      ])
      assert.deepEqual(await complete('images', '--match=p'), ['--match=pod', ':4'])
    })

    it('namespaces and contexts of the cluster that is meant', async () => {
      assert.deepEqual(await complete('images', '-n', 'sh'), ['shop', ':4'])
      assert.deepEqual(await complete('images', '--context', ''), ['kit', ':4'])
    })

    it('flags with what they are for, also in the long form', async () => {
      const flags = await complete('images', '--no-')
      assert.deepEqual(
        flags.map((line) => line.split('\t')[0]),
        ['--no-headers', '--no-initial', ':4'],
      )
      assert.deepEqual(await complete('deckwatch', 'images', '--no-'), flags)
      assert.ok((await complete('deckwatch', '')).some((line) => line.startsWith('images\t')))
    })
  })

  it('reports sizes by every name a node has for an image, and says what the limit of 50 images hides', async () => {
    const namespace = 'images-capped'
    const filler = Array.from({ length: 49 }, (_, index) => ({
      names: [`filler.example.com/f:${index}`],
      sizeBytes: 9e9,
    }))
    const web = {
      names: [`web.example.com/web@${paperDigest('web')}`, 'web.example.com/web:1'],
      sizeBytes: 5 * 1024 ** 3,
    }
    const node: V1Node = { metadata: { name: 'capped' } }
    await cluster.admin.send('POST', '/api/v1/nodes', node)
    await cluster.admin.send('PATCH', '/api/v1/nodes/capped/status', { status: { images: [web, ...filler] } })
    const pod = (name: string, image: string): V1Pod => ({
      metadata: { name, namespace },
      spec: { nodeName: 'capped', containers: [{ name: 'app', image }] },
    })
    await createPods(cluster, [
      pod('large', 'web.example.com/web:1'),
      pod('small', 'tiny.example.com/tiny:1'),
    ])
    const { stdout, stderr } = await images.run(['-n', namespace])
    assert.match(stdout, /^web\.example\.com\/web .* 5\.0 GiB$/m)
    assert.match(stdout, /^tiny\.example\.com\/tiny .* \?$/m)
    assert.equal(
      stderr,
      '2 images, 2 pods, 2 workloads.\n? = not among the 50 images that the node reports\n',
    )
  })
})
