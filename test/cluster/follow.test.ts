import assert from 'node:assert/strict'
import type { V1Pod, V1PodSpec, V1StatefulSet } from '@kubernetes/client-node'
import type { ControlPlane } from '../kit/kubernetes/control-plane.ts'
import { createPods, deletePods } from '../kit/kubernetes/seed.ts'
import { requireCluster } from '../kit/kubernetes/shared.ts'
import { FollowProcess } from '../kit/plugin/follow-process.ts'
import { applyManifests } from '../kit/shop/deploy-shop.ts'

describe('kubectl images --follow on a real API server', () => {
  let cluster: ControlPlane
  const started: FollowProcess[] = []
  let namespaces = 0
  let namespace = ''

  before(async function () {
    cluster = await requireCluster(this)
  })

  beforeEach(() => {
    namespace = `follow-${++namespaces}`
  })

  afterEach(async () => {
    for (const following of started.splice(0)) await following.kill()
  })

  async function follow(...args: string[]): Promise<FollowProcess> {
    const following = await FollowProcess.start(cluster, ['-n', namespace, ...args])
    started.push(following)
    return following
  }

  /** Runs kubectl in the test's namespace; it must succeed. */
  async function kubectl(...args: string[]): Promise<void> {
    const { exitCode, stderr } = await cluster.kubectl(['-n', namespace, ...args])
    assert.equal(exitCode, 0, stderr)
  }

  const pod = (name: string, spec: Partial<V1PodSpec> | string): V1Pod => ({
    metadata: { name, namespace, labels: { app: name } },
    spec:
      typeof spec === 'string' ? { containers: [{ name: 'app', image: spec }] } : { containers: [], ...spec },
  })

  /** Waits until a pod that was made last has been told, and with it everything before it. */
  async function flush(following: FollowProcess): Promise<void> {
    const name = `flush-${Date.now()}`
    await createPods(cluster, [pod(name, `${name}:1`)])
    await following.waitFor(() => following.lines.some((line) => line.includes(`${name}:1`)), 'the last pod')
  }

  /** What was told, in `-o json`, of images other than those of `flush`. */
  const changes = (following: FollowProcess) =>
    following.changes.filter((change) => !change.includes('flush-'))

  it('prints the seed’s line byte for byte', async () => {
    const following = await follow()
    await createPods(cluster, [pod('web', 'nginx:1.25')])
    await following.waitFor(() => following.lines.length === 1, 'line for a new image')
    await deletePods(cluster, [pod('web', 'nginx:1.25')])
    await following.waitFor(() => following.lines.length === 2, 'line for an image that went')
    const time = String.raw`\[\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ INFO \]`
    const [added, removed] = following.lines
    assert.match(
      added ?? '',
      new RegExp(String.raw`^${time} \[\+\|image\]  nginx:1\.25  \[${namespace}\|web\]$`),
    )
    assert.match(
      removed ?? '',
      new RegExp(String.raw`^${time} \[-\|image\]  nginx:1\.25  \[${namespace}\|web\]$`),
    )
  })

  it('marks on stderr where the initial set ends, and leaves it out with --no-initial', async () => {
    await createPods(cluster, [pod('a', 'one:1'), pod('b', 'one:1'), pod('c', 'two:1')])
    const all = await follow('-o', 'json')
    assert.deepEqual(changes(all).toSorted(), ['+ one:1', '+ two:1'])
    assert.equal(all.stderr, '2 images in use by 3 pods; following\n')
    const news = await follow('-o', 'json', '--no-initial')
    assert.deepEqual(news.lines, [])
    await deletePods(cluster, [pod('c', 'two:1')])
    await createPods(cluster, [pod('d', 'one:1')])
    await flush(news)
    assert.deepEqual(changes(news), ['- two:1'])
  })

  it('gives ImageEvents as JSON lines, which name the pod that made the difference', async () => {
    const following = await follow('-o', 'json')
    await createPods(cluster, [pod('web', 'nginx:1.25')])
    await following.waitFor(() => following.lines.length === 1, 'event')
    const [event] = following.events
    const { metadata } = await cluster.admin.send<V1Pod>('GET', `/api/v1/namespaces/${namespace}/pods/web`)
    assert.deepEqual(event, {
      apiVersion: 'deckwatch.dev/v1alpha1',
      kind: 'ImageEvent',
      op: '+',
      image: 'nginx:1.25',
      pod: { namespace, name: 'web', uid: metadata?.uid },
      time: event?.time,
      late: false,
    })
    assert.ok(Math.abs(Date.parse(event.time) - Date.now()) < 60_000)
  })

  describe('where the seed (cluster-image-logger) errs:', () => {
    it('[+|image] comes once for an image of five pods and two containers each', async () => {
      const following = await follow('-o', 'json')
      const twice = ['app', 'again'].map((name) => ({ name, image: 'shared:1' }))
      await createPods(
        cluster,
        Array.from({ length: 5 }, (_, index) => pod(`user-${index}`, { containers: twice })),
      )
      await flush(following)
      assert.deepEqual(changes(following), ['+ shared:1'])
    })

    for (const [order, indices] of [
      ['the newest first', [4, 3, 2, 1, 0]],
      ['the oldest first', [0, 1, 2, 3, 4]],
      ['another first', [2, 4, 0, 3, 1]],
    ] as const) {
      it(`[-|image] comes with the last of five users and with no other, when ${order} ends`, async () => {
        for (const index of [0, 1, 2, 3, 4]) await createPods(cluster, [pod(`user-${index}`, 'shared:1')])
        const following = await follow('-o', 'json')
        for (const index of indices) {
          await flush(following)
          assert.deepEqual(changes(following), ['+ shared:1'])
          await deletePods(cluster, [pod(`user-${index}`, '')])
        }
        await following.waitFor(() => following.changes.includes('- shared:1'), '[-|image]')
        assert.equal(following.events.at(-1)?.pod.name, `user-${indices[4]}`)
      })
    }

    it('init containers, sidecars, ephemeral containers and image volumes count', async () => {
      const following = await follow('-o', 'json')
      const all = pod('all', {
        initContainers: [
          { name: 'first', image: 'init:1' },
          { name: 'beside', image: 'sidecar:1', restartPolicy: 'Always' },
        ],
        containers: [{ name: 'app', image: 'app:1' }],
        volumes: [{ name: 'models', image: { reference: 'volume:1' } }],
      })
      await createPods(cluster, [all])
      await kubectl('debug', 'all', '--image=ephemeral:1', '--container=shell', '--attach=false', '--', 'sh')
      const images = ['app:1', 'ephemeral:1', 'init:1', 'sidecar:1', 'volume:1']
      await following.waitFor(() => following.lines.length === 5, 'five images')
      assert.deepEqual(
        following.changes.toSorted(),
        images.map((image) => `+ ${image}`),
      )
      await deletePods(cluster, [all])
      await following.waitFor(() => following.lines.length === 10, 'their end')
      assert.deepEqual(
        following.changes.slice(5).toSorted(),
        images.map((image) => `- ${image}`),
      )
    })

    it('an image that another container still uses stays when an ephemeral container with it comes', async () => {
      const following = await follow('-o', 'json')
      await createPods(cluster, [pod('web', 'app:1')])
      await kubectl('debug', 'web', '--image=app:1', '--container=shell', '--attach=false', '--', 'sh')
      await flush(following)
      assert.deepEqual(changes(following), ['+ app:1'])
    })

    it('the changed image of a living pod is told', async () => {
      await createPods(cluster, [pod('web', 'app:1'), pod('other', 'app:1')])
      const following = await follow('-o', 'json')
      await kubectl('set', 'image', 'pod/web', 'app=app:2')
      await following.waitFor(() => following.lines.length === 2, 'the new image')
      await kubectl('set', 'image', 'pod/other', 'app=app:2')
      await following.waitFor(() => following.lines.length === 3, 'the end of the old image')
      assert.deepEqual(following.changes, ['+ app:1', '+ app:2', '- app:1'])
      assert.equal(following.events.at(-1)?.pod.name, 'other')
    })

    it('a StatefulSet’s pod that returns under its name gives [-] and [+] again', async () => {
      const labels = { app: 'db' }
      const db: V1StatefulSet = {
        apiVersion: 'apps/v1',
        kind: 'StatefulSet',
        metadata: { name: 'db', namespace },
        spec: {
          replicas: 1,
          selector: { matchLabels: labels },
          template: { metadata: { labels }, spec: { containers: [{ name: 'app', image: 'db:1' }] } },
        },
      }
      // Pods are refused where the ServiceAccount is missing, and the first test pod waits for it.
      await createPods(cluster, [pod('first', 'first:1')])
      const following = await follow('-o', 'json', 'db')
      await applyManifests(cluster, [db])
      for (const told of [1, 3, 5]) {
        await following.waitFor(() => following.lines.length === told, `event ${told}`)
        assert.deepEqual(following.changes, ['+ db:1', '- db:1', '+ db:1', '- db:1', '+ db:1'].slice(0, told))
        if (told < 5) await kubectl('delete', 'pod', 'db-0', '--wait=false')
      }
      const uids = following.events.filter(({ op }) => op === '+').map(({ pod: { uid } }) => uid)
      assert.equal(new Set(uids).size, 3)
      assert.ok(following.events.every(({ pod: { name } }) => name === 'db-0'))
    })
  })

  it('tells of a finished pod’s images only when it is deleted, or with --running-only when it finishes', async () => {
    const [referenced, running] = [await follow('-o', 'json'), await follow('-o', 'json', '--running-only')]
    const job = pod('job', { restartPolicy: 'Never', containers: [{ name: 'app', image: 'job:1' }] })
    await createPods(cluster, [job])
    await running.waitFor(() => running.changes.includes('+ job:1'), 'its start')
    const status = `/api/v1/namespaces/${namespace}/pods/job/status`
    await cluster.admin.send('PATCH', status, { status: { phase: 'Succeeded' } })
    await running.waitFor(() => running.changes.includes('- job:1'), 'its end')
    await flush(referenced)
    assert.deepEqual(changes(referenced), ['+ job:1'])
    await deletePods(cluster, [job])
    await referenced.waitFor(() => referenced.changes.includes('- job:1'), 'its deletion')
    await flush(running)
    assert.deepEqual(changes(running), ['+ job:1', '- job:1'])
  })

  it('tells with --verbose of pods, and of further users of images', async () => {
    const following = await follow('--verbose')
    const pods = [pod('a', 'shared:1'), pod('b', 'shared:1')]
    for (const [index, one] of pods.entries()) {
      await createPods(cluster, [one])
      await following.waitFor(() => following.lines.length === 2 * (index + 1), 'a pod')
    }
    for (const [index, one] of pods.entries()) {
      await deletePods(cluster, [one])
      await following.waitFor(() => following.lines.length === 2 * (index + 3), 'the end of a pod')
    }
    assert.deepEqual(
      following.lines.map((line) => line.replace(/^\[\S+ (\S+) *\] /, '$1 ')),
      [
        `DEBUG [+|pod]  a  [${namespace}]`,
        `INFO [+|image]  shared:1  [${namespace}|a]`,
        `DEBUG [+|pod]  b  [${namespace}]`,
        `DEBUG [+=|image]  shared:1  [${namespace}|b]`,
        `DEBUG [-|pod]  a  [${namespace}]`,
        `DEBUG [-=|image]  shared:1  [${namespace}|a]`,
        `DEBUG [-|pod]  b  [${namespace}]`,
        `INFO [-|image]  shared:1  [${namespace}|b]`,
      ],
    )
  })

  it('tells with a selector of pods that come under it and leave it', async () => {
    await createPods(cluster, [pod('web', 'app:1')])
    const following = await follow('-o', 'json', '-l', 'app=db')
    await kubectl('label', 'pod', 'web', 'app=db', '--overwrite')
    await following.waitFor(() => following.lines.length === 1, 'a pod under the selector')
    await kubectl('label', 'pod', 'web', 'app=web', '--overwrite')
    await following.waitFor(() => following.lines.length === 2, 'a pod that left the selector')
    assert.deepEqual(following.changes, ['+ app:1', '- app:1'])
  })

  it('ends with 130 and without a word at Ctrl-C', async () => {
    const following = await follow('-o', 'json')
    const { stderr } = following
    assert.equal(await following.interrupt(), 130)
    assert.equal(following.stderr, stderr)
  })

  it('ends quietly when its reader has gone', async () => {
    const following = await follow('-o', 'json')
    following.closeOutput()
    await createPods(cluster, [pod('web', 'app:1')])
    assert.equal(await following.ended(), 0)
    assert.equal(following.stderr, '0 images in use by 0 pods; following\n')
  })
})
