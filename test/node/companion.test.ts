import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import type { V1Deployment, V1Namespace } from '@kubernetes/client-node'
import type { Image } from '../../src/core/wire/image.ts'
import { deleteNamespace } from '../kit/kubernetes/namespaces.ts'
import { FollowProcess } from '../kit/plugin/follow-process.ts'
import { CompanionWorld, eventually, ImageRecord } from './companion-world.ts'

const NAMESPACE = 'companion-test'
const RECORDED = 'companion-record'
const WEB = 'docker.io/library/web:1'

describe('the companion on a real node', function () {
  this.timeout(300_000)
  let world: CompanionWorld
  let record: ImageRecord

  before(async function () {
    world = await CompanionWorld.require(this)
    await world.node.importImage(WEB)
    record = await ImageRecord.open(world.cluster, RECORDED)
    await world.kubectl('create', 'namespace', NAMESPACE)
    await world.kubectl('create', 'deployment', 'web', '-n', NAMESPACE, `--image=${WEB}`, '--replicas=2')
    await world.kubectl('rollout', 'status', 'deployment/web', '-n', NAMESPACE, '--timeout=180s')
    await world.remember()
  })

  after(async () => {
    if (world === undefined) return
    await world.close()
    await Promise.all([NAMESPACE, RECORDED].map((name) => deleteNamespace(world.cluster.admin, name)))
  })

  /** What the companion tells of images must be what their pods tell. */
  async function expectTruth(): Promise<void> {
    const items = async (companion: string, ...args: readonly string[]): Promise<readonly unknown[]> => {
      const flags = ['--companion', companion, '-o', 'json', ...args]
      const list = JSON.parse(await world.kubectl('images', ...flags)) as { items: Image[] }
      // When it last came or went only the companion knows, which also numbers its objects.
      return list.items.map(({ metadata: { name }, image, digests, sizeBytes, usage }) => {
        return { name, image, digests, sizeBytes, usage }
      })
    }
    // What kubelets report of images moves, and the companion tells it within a second.
    await eventually(async () => {
      for (const where of [['-A'], ['-n', NAMESPACE]]) {
        assert.deepEqual(await items('require', ...where), await items('never', ...where))
        const screen = (companion: string) => world.kubectl('images', ...where, '--companion', companion)
        assert.equal(await screen('require'), await screen('never'))
      }
    })
  }

  it('is there with one command, on a cluster without StorageClasses', async function () {
    // There is none, which is remembered for a minute, but not past the installation.
    assert.equal(JSON.parse(await world.kubectl('images', '-A', '-o', 'json')).metadata, undefined)
    const { stdout, stderr, exitCode } = await world.run('deckwatch', 'install', '--yes', '--timeout=180s')
    assert.equal(exitCode, 0, stdout + stderr)
    assert.match(stdout, /^Storage +folder \/var\/lib\/deckwatch on node kit-node$/m)
    assert.match(stdout, /^Warning +the cluster has no default StorageClass: /m)
    assert.match(stdout, /^ ok {2}the API server reaches the pod \(\d+ ms\)$/m)
    const [, seconds] =
      / objects applied in (\d+) s; images\.deckwatch\.dev and 3 more answer$/m.exec(stdout) ?? []
    assert.ok(seconds, stdout)
    if (this.test) this.test.title += ` (in ${seconds} s)`

    const { spec } = await world.cluster.admin.send<V1Deployment>(
      'GET',
      '/apis/apps/v1/namespaces/deckwatch/deployments/deckwatch',
    )
    const [prepare, ...others] = spec?.template.spec?.initContainers ?? []
    assert.deepEqual(others, [])
    assert.deepEqual(prepare?.securityContext?.capabilities, { add: ['CHOWN'], drop: ['ALL'] })
    const { metadata } = await world.cluster.admin.send<V1Namespace>('GET', '/api/v1/namespaces/deckwatch')
    assert.equal(metadata?.labels?.['pod-security.kubernetes.io/enforce'], 'privileged')
  })

  it('lets plain kubectl tell which images run, and what comes', async () => {
    const table = await world.kubectl('get', 'images', '-n', NAMESPACE)
    assert.match(
      table,
      /^NAME +IMAGE +PODS +WORKLOADS +NODES +SIZE +AGE\n\S+ +docker\.io\/library\/web:1 +2 +1 +1 /,
    )

    const { cluster } = world
    const child = spawn(cluster.kubectlPath, ['get', 'images', '-A', '--watch'], {
      env: { ...process.env, KUBECONFIG: cluster.adminKubeconfig },
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    try {
      const lines = createInterface(child.stdout)[Symbol.asyncIterator]()
      const nextOf = async (text: string): Promise<string> => {
        for (;;) {
          const { done, value } = await lines.next()
          assert.ok(!done, `kubectl ended before it told of ${text}`)
          if (value.includes(text)) return value
        }
      }
      await nextOf(WEB)
      await record.come('watched')
      assert.match(await nextOf('record.test/watched:1'), new RegExp(`^${RECORDED} .* 1 +1 +0 `))
    } finally {
      child.kill()
      await once(child, 'close')
    }
  })

  it('is asked by kubectl images from then on, and answers as the pods do', async () => {
    assert.ok(JSON.parse(await world.kubectl('images', '-A', '-o', 'json')).metadata.resourceVersion)
    await expectTruth()
  })

  it('says by its status that all is well', async () => {
    const told = await world.kubectl('deckwatch', 'status')
    assert.match(told, /^companion +1\/1 in deckwatch +\S+ \(CLI \S+\) +Kubernetes 1\./)
    for (const label of ['api', 'image-graph', 'store', 'certificates', 'you']) {
      assert.match(told, new RegExp(`^${label} `, 'm'))
    }
    assert.doesNotMatch(told, /^!/m)
    assert.doesNotMatch(told, /.{101}/)
  })

  it('is changed by nothing when it is installed again', async () => {
    const before = await world.pods()
    const told = await world.kubectl('deckwatch', 'install', '--yes')
    const outcomes = [...told.matchAll(/^\S+\/\S+ (\w+)$/gm)].map(([, outcome]) => outcome)
    assert.deepEqual(new Set(outcomes), new Set(['unchanged']))
    assert.deepEqual(await world.pods(), before)
  })

  it('lets kubectl images --follow go on while its pod is replaced, with nothing lost or doubled', async () => {
    const follower = await FollowProcess.start(world.cluster, [
      '-n',
      RECORDED,
      '-o',
      'json',
      '--companion',
      'require',
    ])
    const agrees = async (): Promise<void> => {
      await follower.waitFor(() => follower.events.length >= record.length, 'as many changes as there were')
      record.expect(follower.events)
    }
    try {
      await record.come('before')
      await agrees()
      const [pod = ''] = await world.pods()
      const deleted = world.kubectl('delete', 'pod', pod, '-n', 'deckwatch')
      await record.come('while-it-ends')
      await deleted
      await record.come('while-there-is-none')
      await record.go('before')
      await world.rolledOut()
      await record.go('while-it-ends')
      await agrees()

      await world.kubectl('rollout', 'restart', 'deployment/deckwatch', '-n', 'deckwatch')
      await record.come('while-it-is-replaced')
      await world.rolledOut()
      await record.go('while-there-is-none')
      await agrees()
      assert.match(follower.stderr, /; resumed, nothing missed\n/)
    } finally {
      await follower.kill()
    }
    await expectTruth()
  })

  it('looks back over both: what came and went, and with which pod', async () => {
    const history = await world.kubectl('images', 'history', 'record.test/while-it-ends:1', '-n', RECORDED)
    assert.match(history, /^AGE +OP +POD\n\S+ +- +while-it-ends\n\S+ +\+ +while-it-ends\n$/)
  })

  it('keeps its history through an upgrade in place', async () => {
    const history = async (): Promise<unknown> =>
      JSON.parse(
        await world.kubectl('images', 'history', 'record.test/before:1', '-n', RECORDED, '-o', 'json'),
      )
    const before = await history()
    const next = world.reference.replace(/:[^:]*$/, ':next')
    world.nameImage(world.reference, next)
    const told = await world.kubectl('deckwatch', 'install', '--yes', '--wait', '--image', next)
    assert.match(told, /^Upgrade +\S+:next into namespace deckwatch /)
    assert.match(told, /^deployment\.apps\/deckwatch configured$/m)
    assert.match(await world.kubectl('get', 'images', '-n', 'deckwatch'), /:next +1 +1 +1 /)
    assert.deepEqual(await history(), before)
    await expectTruth()
  })

  it('goes without a trace', async () => {
    const told = await world.kubectl('deckwatch', 'uninstall', '--yes', '--timeout=180s')
    assert.match(
      told,
      /^Removes .*\n[^]*^Stays +folder \/var\/lib\/deckwatch on node kit-node: remove it there$/m,
    )
    await world.kubectl('delete', 'pods', '--all', '-n', RECORDED, '--force')
    await world.expectNoTrace()
    assert.match(await world.kubectl('deckwatch', 'uninstall', '--yes'), /^Nothing of deckwatch is in kit /)
  })
})
