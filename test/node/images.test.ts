import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { setTimeout as delay } from 'node:timers/promises'
import { promisify } from 'node:util'
import type { V1Job, V1Node, V1Pod, V1ReplicaSet } from '@kubernetes/client-node'
import type { Image } from '../../src/core/wire/image.ts'
import type { ControlPlane } from '../kit/kubernetes/control-plane.ts'
import type { Node } from '../kit/kubernetes/node.ts'
import { createPods } from '../kit/kubernetes/seed.ts'
import { requireRoot, stopShared } from '../kit/kubernetes/shared.ts'
import { startControlPlane } from '../kit/kubernetes/start-control-plane.ts'
import { startNode } from '../kit/kubernetes/start-node.ts'
import { FollowProcess } from '../kit/plugin/follow-process.ts'
import { foldImages, imageFacts } from '../kit/plugin/fold-images.ts'
import { cells, KubectlImages } from '../kit/plugin/kubectl-images.ts'
import { deployPay, deployShop } from '../kit/shop/deploy-shop.ts'
import { moveRedisTag, shopImageContents } from '../kit/shop/node-shop.ts'
import { inFull, SHOP_IMAGES } from '../kit/shop/shop-images.ts'
import { waitUntilUp } from '../kit/shop/wait-until-up.ts'

const NAMESPACES = { shop: 'shop', pay: 'pay' }
const SET_UP_MS = 300_000
/** The kubelet reports images every so often; what is imported later comes within half a minute. */
const REPORT_LIMIT_MS = 180_000

const run = promisify(execFile)

describe('kubectl images on a real node', function () {
  this.timeout(300_000)
  let cluster: ControlPlane
  let node: Node
  let images: KubectlImages
  let movedTo = ''
  const started: FollowProcess[] = []

  before(async function () {
    await requireRoot(this)
    this.timeout(SET_UP_MS)
    // One node at a time lives on a host.
    await stopShared()
    cluster = await startControlPlane({ controllers: 'all', scheduler: true })
    node = await startNode(cluster, { images: shopImageContents() })
    images = new KubectlImages(cluster)
    await deployShop(cluster, NAMESPACES)
    await waitUntilUp(cluster, [NAMESPACES.shop])
    movedTo = await moveRedisTag(node)
    await deployPay(cluster, NAMESPACES)
    await waitUntilUp(cluster, Object.values(NAMESPACES))
  })

  afterEach(async () => {
    for (const following of started.splice(0)) await following.kill()
  })

  after(async () => {
    await node?.stop()
    await cluster?.stop()
  })

  async function get<Item>(...args: readonly string[]): Promise<Item[]> {
    const { stdout } = await cluster.kubectl(['get', ...args, '-o', 'json'])
    return (JSON.parse(stdout) as { items: Item[] }).items
  }

  async function kubectl(...args: string[]): Promise<void> {
    const { exitCode, stderr } = await cluster.kubectl(args)
    assert.equal(exitCode, 0, stderr)
  }

  async function follow(...args: string[]): Promise<FollowProcess> {
    const following = await FollowProcess.start(cluster, args)
    started.push(following)
    return following
  }

  const pod = (namespace: string, name: string, image: string): V1Pod => ({
    metadata: { name, namespace },
    spec: {
      containers: [{ name: 'app', image, imagePullPolicy: 'Never' }],
      terminationGracePeriodSeconds: 2,
    },
  })

  /** What containerd has, by name: digest of the manifest and size as `ctr` words it. */
  async function contentOfStore(): Promise<Map<string, { digest: string; size: string }>> {
    const [program = '', ...args] = node.command(['ctr', '--namespace', 'k8s.io', 'images', 'list'])
    const { stdout } = await run(program, args)
    const rows = stdout
      .trimEnd()
      .split('\n')
      .slice(1)
      .map((line) => line.split(/ {1,}/))
    return new Map(
      rows.map(([name = '', , digest = '', value = '', unit = '']) => [
        name,
        { digest, size: `${value} ${unit}` },
      ]),
    )
  }

  it('shows the digests that containerd really runs', async () => {
    const store = await contentOfStore()
    for (const image of await images.items<Image>(['-A'])) {
      const { reference } = image.image
      const digest = store.get(inFull(reference))?.digest
      assert.ok(digest, `containerd does not know ${reference}`)
      assert.ok(image.digests.includes(digest), `${reference}: ${image.digests.join()} without ${digest}`)
      if (reference !== SHOP_IMAGES.redis) assert.equal(image.digests.length, 1, reference)
    }
  })

  it('shows that one tag runs as two digests, since it was moved between two starts', async () => {
    const { stdout, stderr } = await images.run(['-A', 'redis'])
    assert.equal(cells(stdout)[1]?.[2], '2 digests (!)')
    assert.match(stderr, /\(!\) redis:7-alpine runs as 2 digests: kubectl images -A \S+ --by pod\n/)
    const rows = await images.items<{ namespace: string; digests: string[] }>(['-A', 'redis', '--by', 'pod'])
    const digests = (where: string) =>
      new Set(rows.filter(({ namespace }) => namespace === where).flatMap((row) => row.digests))
    assert.deepEqual(digests('pay'), new Set([movedTo]))
    assert.equal(digests('shop').size, 1)
    assert.equal(digests('shop').has(movedTo), false)
  })

  it('shows the sizes that the node reports, which are those of containerd', async function () {
    this.timeout(REPORT_LIMIT_MS + 30_000)
    const reported = async () => {
      const [found] = await get<V1Node>('nodes')
      return found?.status?.images ?? []
    }
    const limit = AbortSignal.timeout(REPORT_LIMIT_MS)
    while (!(await reported()).some(({ names }) => names?.some((name) => name.endsWith(movedTo)))) {
      await delay(500, undefined, { signal: limit })
    }
    const [found] = [await reported()]
    const store = await contentOfStore()
    for (const { image, sizeBytes, digests } of await images.items<Image>(['-A'])) {
      const sizes = digests.map(
        (digest) => found.find(({ names }) => names?.some((name) => name.endsWith(digest)))?.sizeBytes ?? 0,
      )
      assert.equal(sizeBytes, Math.max(...sizes), image.reference)
      const [value = '', unit] = (store.get(inFull(image.reference))?.size ?? '').split(' ')
      assert.equal(unit, 'MiB')
      assert.ok(
        Math.abs(Number(value) - (sizeBytes ?? 0) / 1024 ** 2) <= 0.06,
        `${image.reference}: ${value} MiB and ${sizeBytes} bytes`,
      )
    }
  })

  it('equals what is added up independently from kubectl get', async () => {
    const facts = {
      pods: await get<V1Pod>('pods', '-A'),
      nodes: await get<V1Node>('nodes'),
      between: await get<V1ReplicaSet | V1Job>('replicasets,jobs', '-A'),
    }
    assert.deepEqual(imageFacts(await images.items<Image>(['-A'])), foldImages(facts))
  })

  it('shows the screen of a namespace and that of the node', async () => {
    const { stdout, stderr } = await images.run(['-n', 'shop'])
    assert.deepEqual(
      cells(stdout).map(([image, tag, digest, ...counts]) => [
        image,
        tag,
        digest?.length,
        ...counts.slice(0, 3),
      ]),
      [
        ['IMAGE', 'TAG', 6, 'PODS', 'WORKLOADS', 'NODES'],
        ['docker.io/library/alpine (init)', '3.20', 12, '3', '1', '1'],
        ['docker.io/library/busybox', '1.36', 12, '4', '2', '1'],
        ['docker.io/library/nginx', '1.27-alpine', 12, '5', '2', '1'],
        ['docker.io/library/redis', '7-alpine', 12, '2', '1', '1'],
        ['quay.io/prometheus/node-exporter', 'v1.8.2', 12, '1', '1', '1'],
        ['registry.k8s.io/e2e-test-images/busybox', '1.36.1-1', 12, '1', '1', '1'],
      ],
    )
    assert.equal(stderr, '6 images, 10 pods, 6 workloads.\n')
    const byNode = cells((await images.run(['-A', '--by', 'node'])).stdout)
    assert.deepEqual(byNode[1]?.slice(0, 4), [node.name, '6', '13', '8'])
  })

  it('shows an image that cannot be had without a digest and with an unknown size', async () => {
    await createPods(cluster, [pod('no-image', 'stuck', 'registry.example.com/never/was:1')])
    await kubectl(
      'wait',
      '-n',
      'no-image',
      'pod/stuck',
      '--for=jsonpath={.status.containerStatuses[0].state.waiting.reason}=ErrImageNeverPull',
      '--timeout=180s',
    )
    const { stdout, stderr, exitCode } = await images.run(['-n', 'no-image'])
    assert.deepEqual(cells(stdout)[1], ['registry.example.com/never/was', '1', '-', '1', '1', '1', '?'])
    assert.match(stderr, /^\? = not reported by the node/m)
    assert.equal(exitCode, 0)
  })

  it('shows an image that was only imported, and so has no manifest digest, by its id', async () => {
    await node.importImage('registry.example.com/imported/by-hand:1', {
      files: { 'etc/imported': 'by hand' },
      pulled: false,
    })
    await createPods(cluster, [pod('imported', 'plain', 'registry.example.com/imported/by-hand:1')])
    await kubectl('wait', '-n', 'imported', 'pod/plain', '--for=condition=Ready', '--timeout=180s')
    const [plain] = await get<V1Pod>('pods', '-n', 'imported')
    const imageID = plain?.status?.containerStatuses?.[0]?.imageID ?? ''
    assert.match(imageID, /^sha256:[0-9a-f]{64}$/)
    const [found] = await images.items<Image>(['-n', 'imported'])
    assert.deepEqual(found?.digests, [imageID])
  })

  it('shows the digest of an ephemeral container once it runs', async () => {
    await kubectl(
      'debug',
      '-n',
      'pay',
      'toolbox',
      `--image=${SHOP_IMAGES.busybox}`,
      '--container=shell',
      '--attach=false',
      '--',
      'sleep',
      '3600',
    )
    await kubectl(
      'wait',
      '-n',
      'pay',
      'pod/toolbox',
      '--for=jsonpath={.status.ephemeralContainerStatuses[0].state.running.startedAt}',
      '--timeout=180s',
    )
    const rows = await images.items<{ type: string; digests: string[] }>([
      '-n',
      'pay',
      '--by',
      'container',
      '--match',
      'pod',
      'toolbox',
    ])
    const digest = (await contentOfStore()).get(inFull(SHOP_IMAGES.busybox))?.digest
    assert.deepEqual(rows.find(({ type }) => type === 'ephemeral')?.digests, [digest])
  })

  it('--follow sees a real rollout: the new image comes with its first pod, the old one goes with its last', async () => {
    const following = await follow('-n', 'shop', '-o', 'json')
    const { lines } = following
    const before = lines.length
    await kubectl('set', 'image', '-n', 'shop', 'deployment/web', `app=${SHOP_IMAGES.nginxNext}`)
    await following.waitFor(
      () => following.changes.includes(`- ${SHOP_IMAGES.nginx}`),
      'the end of the old image',
    )
    assert.deepEqual(following.changes.slice(before), [
      `+ ${SHOP_IMAGES.nginxNext}`,
      `- ${SHOP_IMAGES.nginx}`,
    ])
    await kubectl('rollout', 'status', '-n', 'shop', 'deployment/web', '--timeout=180s')
    const rows = await images.items<Image>(['-n', 'shop', 'nginx'])
    assert.deepEqual(
      rows.map(({ image }) => image.reference),
      [SHOP_IMAGES.nginxInFull, SHOP_IMAGES.nginxNext],
    )
  })

  it('--follow sees a pod that the kubelet ends and the StatefulSet makes anew', async () => {
    await kubectl('scale', '-n', 'shop', 'statefulset/sessions', '--replicas=1')
    await kubectl('wait', '-n', 'shop', 'pod/sessions-1', '--for=delete', '--timeout=180s')
    const following = await follow('-n', 'shop', '-o', 'json', 'redis')
    await kubectl('delete', '-n', 'shop', 'pod/sessions-0')
    await following.waitFor(() => following.lines.length === 3, 'the new pod')
    assert.deepEqual(following.changes, [
      `+ ${SHOP_IMAGES.redis}`,
      `- ${SHOP_IMAGES.redis}`,
      `+ ${SHOP_IMAGES.redis}`,
    ])
    const [first, , last] = following.events
    assert.deepEqual([first?.pod.name, last?.pod.name], ['sessions-0', 'sessions-0'])
    assert.notEqual(first?.pod.uid, last?.pod.uid)
  })
})
