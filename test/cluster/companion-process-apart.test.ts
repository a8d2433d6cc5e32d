import assert from 'node:assert/strict'
import { setTimeout as delay } from 'node:timers/promises'
import type { V1Pod } from '@kubernetes/client-node'
import { type Companion, companionPorts, startCompanion } from '../kit/companion.ts'
import type { ControlPlane } from '../kit/kubernetes/control-plane.ts'
import { createPods } from '../kit/kubernetes/seed.ts'
import { requireKubernetes } from '../kit/kubernetes/shared.ts'
import { startControlPlane } from '../kit/kubernetes/start-control-plane.ts'

describe('the companion with the api and the rooms in processes of their own', function () {
  this.timeout(300_000)
  let cluster: ControlPlane
  let rooms: Companion
  let api: Companion

  const pod = (name: string, image: string, namespace = 'shop'): V1Pod => ({
    metadata: { name, namespace },
    spec: { nodeName: 'node-1', containers: [{ name: 'app', image }] },
  })
  const images = async (
    options: { readonly kubeconfig?: string } = {},
    ...args: string[]
  ): Promise<string> => {
    const columns = 'custom-columns=:.image.reference'
    const { stdout, stderr } = await cluster.kubectl(['get', 'images', '-o', columns, ...args], options)
    return stdout.trim() || stderr.trim()
  }

  before(async function () {
    await requireKubernetes(this)
    cluster = await startControlPlane()
    await createPods(cluster, [pod('web', 'nginx:1.25'), pod('mail', 'postfix:3', 'post')])
    const ports = await companionPorts()
    api = await startCompanion(cluster, { components: ['api'], peers: { 'image-graph': ports.peer } })
    rooms = await startCompanion(cluster, { components: ['image-graph'], ports, leafPort: api.ports.api })
  })
  after(async () => {
    await rooms?.stop()
    await api?.stop()
    await cluster?.stop()
  })

  /** Waits until the api has an answer of the rooms again. */
  const untilAnswered = async (): Promise<void> => {
    while ((await cluster.kubectl(['get', 'images', '-A'])).exitCode !== 0) await delay(50)
  }

  it('answers as one', async () => {
    await untilAnswered()
    assert.equal(await images({}, '-n', 'shop'), 'nginx:1.25')
    assert.match(await images({}, '-A'), /nginx:1\.25[^]*postfix:3|postfix:3[^]*nginx:1\.25/)
  })

  it('lets nobody see more than they may, whom the api names to the rooms', async () => {
    const jane = cluster.user('jane')
    for (const line of [
      'create clusterrole image-reader --verb=get,list,watch --resource=images.deckwatch.dev',
      'create rolebinding jane-pods -n shop --clusterrole=view --user=jane',
      'create rolebinding jane-images -n shop --clusterrole=image-reader --user=jane',
    ]) {
      await cluster.kubectl(line.split(' '))
    }
    while (/forbidden/.test(await images({ kubeconfig: jane }, '-n', 'shop'))) await delay(50)
    assert.equal(await images({ kubeconfig: jane }, '-n', 'shop'), 'nginx:1.25')
    assert.match(await images({ kubeconfig: jane }, '-n', 'post'), /forbidden/)
    assert.match(await images({ kubeconfig: jane }, '-A'), /forbidden/)
  })

  it('tells about each process what is in it', async () => {
    const names = async (companion: Companion) =>
      (await companion.status()).components.map(({ name }) => name)
    assert.deepEqual([await names(api), await names(rooms)], [['api'], ['image-graph']])
    assert.equal('volume' in (await api.status()), false)
    assert.deepEqual(
      (await rooms.status()).certificates.map(({ name }) => name),
      ['peer'],
    )
    const probes = async (companion: Companion) =>
      [...(await companion.ask('/readyz?verbose')).body.matchAll(/^\[\+\](\S+)/gm)].map(([, name]) => name)
    assert.deepEqual(await probes(api), ['api', 'certificates', 'peer-certificate', 'shutdown'])
    assert.deepEqual(await probes(rooms), ['peers', 'image-graph', 'shutdown'])
  })

  it('says that the data is away while the rooms are, and goes on with them', async () => {
    await rooms.kill()
    // Not by kubectl, which asks ten times before it says so.
    const asked = cluster.admin.text('GET', '/apis/deckwatch.dev/v1alpha1/namespaces/shop/images')
    await assert.rejects(asked, /503 .*the pod that has the data cannot be reached/)
    assert.equal((await api.ask('/readyz')).status, 200)
    // Discovery is made of constants: only what needs the data fails.
    assert.match(
      (await cluster.kubectl(['api-resources', '--api-group=deckwatch.dev'])).stdout,
      /imageevents/,
    )
    await rooms.start()
    await untilAnswered()
    assert.equal(await images({}, '-n', 'shop'), 'nginx:1.25')
  })

  it('goes on when the api was replaced', async () => {
    await api.restart()
    await untilAnswered()
    assert.equal(await images({}, '-n', 'shop'), 'nginx:1.25')
  })

  it('answers no other pod than those of the api, and ends when asked', async () => {
    const anybody = await fetch(`https://127.0.0.1:${rooms.ports.peer}/`).catch(
      (error: Error) => error.message,
    )
    assert.equal(anybody, 'fetch failed')
    assert.deepEqual([await rooms.terminate(), await api.terminate()], [0, 0])
  })
})
