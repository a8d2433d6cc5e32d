import assert from 'node:assert/strict'
import { setTimeout as delay } from 'node:timers/promises'
import type {
  KubernetesObject,
  V1ClusterRole,
  V1ClusterRoleBinding,
  V1Pod,
  V1PolicyRule,
  V1RoleBinding,
} from '@kubernetes/client-node'
import type { Image } from '../../src/core/wire/image.ts'
import { type Companion, startCompanion } from '../kit/companion.ts'
import type { ControlPlane } from '../kit/kubernetes/control-plane.ts'
import type { KubectlResult } from '../kit/kubernetes/kubectl.ts'
import { seedBulk } from '../kit/kubernetes/bulk.ts'
import { createPods, deletePods } from '../kit/kubernetes/seed.ts'
import { requireKubernetes } from '../kit/kubernetes/shared.ts'
import { startControlPlane } from '../kit/kubernetes/start-control-plane.ts'
import { cells, KubectlImages } from '../kit/plugin/kubectl-images.ts'
import { applyManifests } from '../kit/shop/deploy-shop.ts'

const SET_UP_MS = 300_000
const READ_PODS: V1PolicyRule = { apiGroups: [''], resources: ['pods'], verbs: ['list', 'watch'] }
const DIGEST = `sha256:${'5e'.repeat(32)}`
const OTHER_DIGEST = `sha256:${'7f'.repeat(32)}`

/** A running pod whose containers run as these digests. */
function pod(
  name: string,
  images: Readonly<Record<string, string>>,
  more: Partial<V1Pod['spec']> = {},
): V1Pod {
  const containers = Object.keys(images).map((image, i) => ({ name: `c${i}`, image }))
  return {
    metadata: { name, namespace: 'shop' },
    spec: { nodeName: 'bulk-node-000', containers, ...more },
    status: {
      phase: 'Running',
      containerStatuses: Object.entries(images).map(([image, digest], i) => ({
        name: `c${i}`,
        image,
        imageID: digest && `docker.io/library/any@${digest}`,
        ready: true,
        restartCount: 0,
      })),
    },
  }
}

/** Pods that are hard to count, in the namespace shop. */
const PODS: readonly V1Pod[] = [
  pod('spelled-short', { 'redis:7': DIGEST }),
  pod('spelled-long', { 'docker.io/library/redis:7': DIGEST, 'docker.io/redis:7': '' }),
  pod('moved', { 'redis:7': OTHER_DIGEST }),
  pod('pinned', { [`quay.io/acme/web@${DIGEST}`]: DIGEST, [`quay.io/acme/web@${OTHER_DIGEST}`]: '' }),
  pod('odd', { 'Not:A:Reference': '' }),
  pod(
    'with-init',
    { 'app:1': '' },
    {
      initContainers: [
        { name: 'init', image: 'migrate:1' },
        { name: 'proxy', image: 'proxy:1', restartPolicy: 'Always' },
      ],
    },
  ),
]

describe('kubectl images answered by the real companion', () => {
  let cluster: ControlPlane
  let companion: Companion
  let images: KubectlImages

  before(async function () {
    await requireKubernetes(this)
    this.timeout(SET_UP_MS)
    // Of its own: an APIService is for a whole cluster.
    cluster = await startControlPlane()
    companion = await startCompanion(cluster)
    images = new KubectlImages(cluster)
    await seedBulk(cluster, { pods: 120, images: 30, namespaces: 4, nodes: 5 })
    await createPods(cluster, PODS)
    await applyManifests(cluster, [
      ...bindings('jane', 'shop', 'view'),
      ...podsReader('pods-only', 'shop'),
      ...viewerOfAll('viewer'),
    ])
    await settled()
  })

  after(async function () {
    this.timeout(SET_UP_MS)
    await companion?.stop()
    await cluster?.stop()
  })

  /** Waits until the companion knows what the API server knows. */
  async function settled(): Promise<void> {
    for (;;) {
      const [asked, direct] = await both(['-A', '-o', 'csv'])
      if (asked.stdout === direct.stdout) return
      await delay(100)
    }
  }

  /** The answer of the companion alone, and that of the API server. */
  function both(args: readonly string[], kubeconfig?: string): Promise<[KubectlResult, KubectlResult]> {
    const options = kubeconfig === undefined ? {} : { kubeconfig }
    return Promise.all([
      images.run([...args, '--companion=require'], options),
      images.run([...args, '--companion=never'], options),
    ])
  }

  const VIEWS: readonly (readonly string[])[] = [
    ['-A'],
    ['-n', 'shop'],
    ['-n', 'bulk-01'],
    ['-n', 'no-such-namespace'],
    ['-A', '--no-headers'],
    ['-A', '--sort-by', 'size', '--reverse'],
    ['-A', '--sort-by', 'usedBy'],
    ['-A', '-o', 'csv'],
    ['-n', 'shop', '-o', 'csv'],
    ['-A', '-o', 'name'],
    ['-n', 'shop', '-o', 'name'],
    [
      '-A',
      '-o',
      'jsonpath={range .items[*]}{.image}{.digests}{.usage}{.alsoSpelled}{.usageTogether}{.sizeBytes}{"\\n"}{end}',
    ],
    ['-n', 'shop', '-o', 'custom-columns=NAME:.metadata.name,REF:.image.reference,PODS:.usage.pods'],
    ['-A', '--match', 'image', '-o', 'name', 'service|redis'],
    ['-A', '--match', 'image', '--no-headers', 'acme'],
  ]
  for (const args of VIEWS) {
    it(`prints byte for byte what pods tell: ${args.join(' ')}`, async () => {
      const [asked, direct] = await both(args)
      assert.equal(asked.exitCode, 0, asked.stderr)
      assert.equal(asked.stdout, direct.stdout)
      const plain = (text: string): string => text.replace(/^\? = .*\n/m, '? = …\n')
      assert.equal(plain(asked.stderr), plain(direct.stderr))
    })
  }

  it('prints objects that have all that those made here have, and what brought each image', async () => {
    const [asked, direct] = await Promise.all(
      ['require', 'never'].map((way) => images.items<Image>(['-n', 'shop', `--companion=${way}`])),
    )
    const bare = asked?.map(({ lastChange, metadata: { name, namespace }, ...image }) => {
      assert.equal(lastChange?.op, '+')
      assert.equal(lastChange.namespace, 'shop')
      return { ...image, metadata: { name, namespace } }
    })
    assert.deepEqual(
      bare,
      direct?.map(({ metadata, ...image }) => ({ ...image, metadata })),
    )
    assert.equal(asked?.find(({ image }) => image.reference === 'migrate:1')?.lastChange?.pod, 'with-init')
  })

  describe('as', () => {
    it('someone who may view one namespace: it answers there, and names the right for the rest', async () => {
      const kubeconfig = cluster.user('jane')
      const [asked, direct] = await both(['-n', 'shop'], kubeconfig)
      assert.equal(asked.exitCode, 0, asked.stderr)
      // Sizes come from nodes, which the companion may read.
      const withoutSizes = (text: string): string[][] => cells(text).map((row) => row.slice(0, -1))
      assert.deepEqual(withoutSizes(asked.stdout), withoutSizes(direct.stdout))
      const all = await images.run(['-A', '--companion=require'], { kubeconfig })
      assert.equal(all.exitCode, 3)
      assert.match(
        all.stderr,
        /^error: user "jane" may not list clusterimages\.deckwatch\.dev in all namespaces \[KUBE_FORBIDDEN\]\n/,
      )
      assert.match(all.stderr, /-n NAMESPACE/)
      const other = await images.run(['history', 'redis', '-n', 'bulk-01'], { kubeconfig })
      assert.equal(other.exitCode, 3)
      assert.match(other.stderr, /may not list imageevents\.deckwatch\.dev in namespace bulk-01/)
    })

    it('someone who may view all: the whole cluster', async () => {
      const kubeconfig = cluster.user('viewer')
      const asked = await images.run(['-A', '--companion=require', '-o', 'name'], { kubeconfig })
      assert.equal(asked.exitCode, 0, asked.stderr)
      assert.equal(asked.stdout, (await images.run(['-A', '--companion=never', '-o', 'name'])).stdout)
    })

    it('someone with the right to pods alone: pods answer, and stderr names the right', async () => {
      // It is known to be there: a plain run asks for no longer than 300 ms.
      await images.run(['-A', '--companion=require', '-o', 'name'])
      const kubeconfig = cluster.user('pods-only')
      const { stdout, stderr, exitCode } = await images.run(['-n', 'shop'], { kubeconfig })
      assert.equal(exitCode, 0)
      assert.match(
        stderr,
        /^user "pods-only" may not list images\.deckwatch\.dev in namespace shop; asking the API server for pods instead\n/,
      )
      const direct = await images.run(['-n', 'shop', '--companion=never'], { kubeconfig })
      assert.equal(stdout, direct.stdout)
    })
  })

  describe('about the past', () => {
    const visitor = pod('visitor', { 'registry.example.com/visitor:1.0': '' })
    before(async function () {
      this.timeout(SET_UP_MS)
      await createPods(cluster, [visitor])
      await untilChanges(1)
      await deletePods(cluster, [visitor])
      await untilChanges(2)
    })

    async function history(...args: string[]): Promise<KubectlResult> {
      const result = await images.run(['history', ...args])
      assert.equal(result.exitCode, 0, result.stderr)
      return result
    }

    async function untilChanges(count: number): Promise<void> {
      for (;;) {
        const { stdout } = await history('registry.example.com/visitor', '-n', 'shop', '-o', 'name')
        if (stdout.split('\n').length > count) return
        await delay(50)
      }
    }

    it('tells when an image came and went and with which pod', async () => {
      const { stdout, stderr } = await history('registry.example.com/visitor:1.0', '-n', 'shop')
      assert.deepEqual(
        cells(stdout).map(([, ...row]) => row),
        [
          ['OP', 'POD'],
          ['-', 'visitor'],
          ['+', 'visitor'],
        ],
      )
      assert.match(
        stderr,
        /^2 changes of registry\.example\.com\/visitor:1\.0, newest first; not in use here now\.\n/,
      )
      assert.match(stderr, /\nthe history of images begins at \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ\n$/)
    })

    it('finds every spelling of an image by any of them', async () => {
      for (const spelling of ['redis:7', 'docker.io/library/redis:7', 'index.docker.io/redis:7', 'redis']) {
        const { stdout } = await history(spelling, '-n', 'shop', '-o', 'csv')
        const references = stdout
          .split('\n')
          .slice(1, -1)
          .map((row) => row.split(',')[2])
        assert.deepEqual(
          [...new Set(references)].toSorted((a = '', b = '') => (a < b ? -1 : 1)),
          ['docker.io/library/redis:7', 'docker.io/redis:7', 'redis:7'],
          spelling,
        )
      }
    })

    it('prints the stream of the past with --since, each change once and in order', async () => {
      const { stdout, stderr, exitCode } = await images.run(['-n', 'shop', '--since', '1h', '-o', 'json'])
      assert.equal(exitCode, 0, stderr)
      type Event = { op: string; image: string; metadata: { name: string } }
      const events = stdout
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as Event)
      const visits = events.filter(({ image }) => image.includes('visitor')).map(({ op }) => op)
      assert.deepEqual(visits, ['+', '-'])
      const numbers = events.map(({ metadata }) => Number(metadata.name))
      assert.deepEqual(
        numbers,
        numbers.toSorted((a, b) => a - b),
      )
      assert.equal(new Set(numbers).size, numbers.length)
      assert.match(stderr, /^Warning: the history of images begins at .*\n\d+ changes since /)
    })

    it('gives one event by the name that history prints', async () => {
      const { stdout } = await history(
        'registry.example.com/visitor:1.0',
        '-n',
        'shop',
        '-o',
        'name',
        '--limit',
        '1',
      )
      const { stdout: op } = await cluster.kubectl([
        'get',
        '-n',
        'shop',
        stdout.trim(),
        '-o',
        'jsonpath={.op}',
      ])
      assert.equal(op, '-')
    })
  })
})

const RBAC = 'rbac.authorization.k8s.io'

function bindings(user: string, namespace: string, role: string): KubernetesObject[] {
  const binding: V1RoleBinding = {
    apiVersion: `${RBAC}/v1`,
    kind: 'RoleBinding',
    metadata: { name: `${user}-${role}`, namespace },
    roleRef: { apiGroup: RBAC, kind: 'ClusterRole', name: role },
    subjects: [{ apiGroup: RBAC, kind: 'User', name: user }],
  }
  return [binding]
}

function podsReader(user: string, namespace: string): KubernetesObject[] {
  const role: V1ClusterRole = {
    apiVersion: `${RBAC}/v1`,
    kind: 'ClusterRole',
    metadata: { name: 'pods-reader' },
    rules: [READ_PODS],
  }
  return [role, ...bindings(user, namespace, 'pods-reader')]
}

function viewerOfAll(user: string): KubernetesObject[] {
  const binding: V1ClusterRoleBinding = {
    apiVersion: `${RBAC}/v1`,
    kind: 'ClusterRoleBinding',
    metadata: { name: 'viewer-of-all' },
    roleRef: { apiGroup: RBAC, kind: 'ClusterRole', name: 'view' },
    subjects: [{ apiGroup: RBAC, kind: 'User', name: user }],
  }
  return [binding]
}
