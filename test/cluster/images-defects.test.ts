import assert from 'node:assert/strict'
import type { V1Container, V1Pod } from '@kubernetes/client-node'
import type { Image } from '../../src/core/wire/image.ts'
import type { ControlPlane } from '../kit/kubernetes/control-plane.ts'
import { createNodes, createPods } from '../kit/kubernetes/seed.ts'
import { requireCluster } from '../kit/kubernetes/shared.ts'
import { KubectlImages } from '../kit/plugin/kubectl-images.ts'
import { paperDigest } from '../kit/shop/paper-kubelet.ts'

const MEBIBYTE = 1024 * 1024

/** Two namespaces made for what chenjiandongx/kubectl-images 0.6.5 gets wrong. */
const [EAST, WEST] = ['defects-east', 'defects-west']
const BOTH = ['-A', '--field-selector', 'spec.nodeName=defects-node']

/** Rows of `-c` in JSON. */
type Row = Readonly<
  Partial<Record<'namespace' | 'pod' | 'container' | 'image' | 'imagePullPolicy' | 'imageSize', string>>
>

describe('what kubectl-images gets wrong, kubectl images gets right:', () => {
  let cluster: ControlPlane
  let images: KubectlImages

  before(async function () {
    cluster = await requireCluster(this)
    images = new KubectlImages(cluster)
    await createNodes(cluster, [
      {
        name: 'defects-node',
        images: [
          // As kubelets report an image that is tagged three times.
          image('docker.io/bitn/redis', ['docker.io/bitn/redis:7'], 70),
          image(
            'reg.example.com/team/tools',
            ['tools:1', 'tools:latest', 'stable/tools:1'].map((tag) => `reg.example.com/team/${tag}`),
            55,
          ),
          image('reg.example.com/a/web', ['reg.example.com/a/web:2.1'], 21),
        ],
      },
    ])
    await createPods(cluster, [
      pod(
        EAST,
        'web-0',
        [{ name: 'app', image: 'bitn/redis:7', imagePullPolicy: 'Always' }],
        [{ name: 'prepare', image: 'tools:1' }],
      ),
      pod(EAST, 'web-1', [
        { name: 'app', image: 'reg.example.com/a/web:2.1' },
        { name: 'same', image: 'reg.example.com/team/tools:latest' },
      ]),
      pod(WEST, 'web-0', [{ name: 'app', image: 'bitn/redis:7' }]),
      pod(WEST, 'other', [{ name: 'app', image: 'reg.example.com/b/web:2.1' }]),
      pod(WEST, 'third', [{ name: 'app', image: 'web:2.1' }]),
    ])
  })

  it('two pods of one name in two namespaces are two, and no row is missing', async () => {
    const rows = await images.items<Row>(['-c', '0,1,2', ...BOTH])
    assert.deepEqual(
      rows.map(({ namespace, pod: name, container }) => `${namespace}/${name}/${container}`),
      [
        `${EAST}/web-0/(init) prepare`,
        `${EAST}/web-0/app`,
        `${EAST}/web-1/app`,
        `${EAST}/web-1/same`,
        `${WEST}/other/app`,
        `${WEST}/third/app`,
        `${WEST}/web-0/app`,
      ],
    )
  })

  it('the summary counts them as two, and what it counts is what is shown', async () => {
    const all = /^\[Summary\]: 2 namespaces, 5 pods, 7 containers and 6 different images\n/
    assert.match((await images.run(['-c', '0,1,2', ...BOTH])).stdout, all)
    const unique = /^\[Summary\]: 2 namespaces, 5 pods, 6 containers and 6 different images\n/
    assert.match((await images.run(['-u', '-c', '3', ...BOTH])).stdout, unique)
  })

  it('with -A the namespace is among the columns that are shown by default', async () => {
    const { stdout } = await images.run(['-u', ...BOTH])
    assert.match(stdout, /\| +Namespace +\| +Container +\| +Image +\|/)
  })

  describe('an image’s size is that of the image that runs,', () => {
    const size = async (reference: string) => {
      const all = await images.items<Image>(BOTH)
      return all.find(({ image: own }) => own.reference === reference)?.sizeBytes
    }

    it('though the node spells its name in full', async () => {
      assert.equal(await size('bitn/redis:7'), 70 * MEBIBYTE)
    })

    it('though the node knows it by three names', async () => {
      assert.equal(await size('reg.example.com/team/tools:latest'), 55 * MEBIBYTE)
    })

    it('and unknown rather than that of another image whose path ends alike', async () => {
      assert.equal(await size('reg.example.com/a/web:2.1'), 21 * MEBIBYTE)
      assert.equal(await size('reg.example.com/b/web:2.1'), undefined)
      assert.equal(await size('web:2.1'), undefined)
      const rows = await images.items<Row>(['-c', '3,5', ...BOTH, 'b/web'])
      assert.deepEqual(rows, [{ image: 'reg.example.com/b/web:2.1' }])
    })
  })

  it('-u -c 3 gives each image once', async () => {
    const rows = await images.items<Row>(['-u', '-c', '3', ...BOTH])
    const expected = ['bitn/redis:7', 'reg.example.com/a/web:2.1', 'reg.example.com/b/web:2.1']
    expected.push('reg.example.com/team/tools:latest', 'tools:1', 'web:2.1')
    assert.equal(rows.length, expected.length)
    assert.deepEqual(new Set(rows.map((row) => row.image)), new Set(expected))
  })

  it('cells merge only below cells that are merged: equal names in two namespaces stay apart', async () => {
    const { stdout } = await images.run(['-c', 'namespace,image', ...BOTH, 'redis'])
    assert.deepEqual(
      stdout
        .split('\n')
        .filter((line) => line.includes('redis'))
        .map((line) => line.replaceAll(/[| ]+/g, ' ').trim()),
      [`${EAST} bitn/redis:7`, `${WEST} bitn/redis:7`],
    )
  })

  it('the six columns mean what they mean there, by number and by name', async () => {
    const byNumber = await images.items<Row>(['-c', '0,1,2,3,4,5', '-n', EAST, '--match', 'pod', 'web-0'])
    assert.deepEqual(byNumber, [
      {
        namespace: EAST,
        pod: 'web-0',
        container: '(init) prepare',
        image: 'tools:1',
        imagePullPolicy: 'IfNotPresent',
      },
      {
        namespace: EAST,
        pod: 'web-0',
        container: 'app',
        image: 'bitn/redis:7',
        imagePullPolicy: 'Always',
        imageSize: '70 MiB',
      },
    ])
    const byName = ['-c', 'namespace,pod,container,image,policy,size', '-n', EAST, '--match', 'pod', 'web-0']
    assert.deepEqual(await images.items<Row>(byName), byNumber)
  })

  it('-k is obeyed', async () => {
    const env = { KUBECONFIG: cluster.folder.file('no-such-kubeconfig') }
    const { stdout, exitCode } = await images.run(['-k', cluster.adminKubeconfig, '-n', EAST, '-o', 'name'], {
      env,
    })
    assert.match(stdout, /^bitn\/redis:7$/m)
    assert.equal(exitCode, 0)
    const missing = await images.run(['-k', cluster.folder.file('no-such-kubeconfig')])
    assert.match(missing.stderr, /no-such-kubeconfig/)
    assert.equal(missing.exitCode, 3)
  })

  describe('wrong usage ends with 2, says what was wrong, and prints nothing to stdout:', () => {
    for (const [what, args, reason] of [
      ['a bad REGEX', ['we(b'], /REGEX "we\(b" is no regular expression/],
      ['an unknown flag', ['--colums', '1'], /--colums/],
      ['an unknown format', ['-o', 'xml'], /"xml" is no output format/],
      ['an unknown column', ['-c', '1,7'], /no column "7"/],
    ] as const) {
      it(what, async () => {
        const { stdout, stderr, exitCode } = await images.run(args)
        assert.match(stderr, reason)
        assert.match(stderr, /\[USAGE\]/)
        assert.deepEqual([stdout, exitCode], ['', 2])
      })
    }
  })

  it('an empty answer is valid JSON and YAML, and the sentence goes to stderr', async () => {
    const none = ['-n', EAST, 'no-image-has-this-name']
    const json = await images.run([...none, '-o', 'json'])
    assert.deepEqual(JSON.parse(json.stdout), {
      apiVersion: 'deckwatch.dev/v1alpha1',
      kind: 'ImageList',
      items: [],
    })
    const yaml = await images.run([...none, '-o', 'yaml'])
    assert.match(yaml.stdout, /^items: \[\]$/m)
    const table = await images.run(none)
    assert.equal(table.stdout, '')
    assert.equal(table.stderr, `Nothing matches among 2 pods in ${EAST} namespace.\n`)
    assert.deepEqual([json.exitCode, yaml.exitCode, table.exitCode], [0, 0, 0])
  })

  it('one tag with two contents shows as two digests', async () => {
    const namespace = 'defects-digests'
    const moved = (name: string): V1Pod => {
      const plain = pod(namespace, name, [{ name: 'app', image: 'reg.example.com/moving:1' }])
      const [status] = plain.status?.containerStatuses ?? []
      const imageID = `reg.example.com/moving@${paperDigest(name)}`
      return {
        ...plain,
        status: { ...plain.status, ...(status ? { containerStatuses: [{ ...status, imageID }] } : {}) },
      }
    }
    await createPods(cluster, [moved('early'), moved('late')])
    const [found] = await images.items<Image>(['-n', namespace])
    assert.deepEqual(found?.digests, [paperDigest('early'), paperDigest('late')].toSorted())
  })

  it('a comma in a container’s text breaks no row', async () => {
    const namespace = 'defects-commas'
    const container: V1Container = { name: 'app', image: 'reg.example.com/a,b:1', args: ['a,b', 'c\nd'] }
    await createPods(cluster, [pod(namespace, 'commas', [container])])
    assert.deepEqual(await images.items<Row>(['-c', '0,3', '-n', namespace]), [
      { namespace, image: 'reg.example.com/a,b:1' },
    ])
  })
})

function image(repository: string, tags: readonly string[], mebibytes: number) {
  return { names: [`${repository}@${paperDigest(repository)}`, ...tags], sizeBytes: mebibytes * MEBIBYTE }
}

function pod(
  namespace: string,
  name: string,
  containers: V1Container[],
  initContainers: V1Container[] = [],
): V1Pod {
  return {
    metadata: { name, namespace },
    spec: {
      nodeName: 'defects-node',
      containers: containers.map((container) => ({ imagePullPolicy: 'IfNotPresent', ...container })),
      initContainers: initContainers.map((container) => ({ imagePullPolicy: 'IfNotPresent', ...container })),
    },
    status: {
      phase: 'Running',
      containerStatuses: containers.map(({ name: container, image: reference = '' }) => ({
        name: container,
        image: reference,
        imageID: '',
        ready: true,
        restartCount: 0,
      })),
    },
  }
}
