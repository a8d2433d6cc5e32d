import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { gunzipSync } from 'node:zlib'
import type { V1Deployment, V1PersistentVolumeClaim, V1Pod } from '@kubernetes/client-node'
import { DEFAULT_VALUES, type KubeObject, manifests } from '../../server/deploy/index.ts'
import type { DeckList, Image, ImageEvent } from '../../src/core/wire/image.ts'
import { expectRising, foldEvents } from '../kit/companion-churn-check.ts'
import { type Companion, startCompanion } from '../kit/companion.ts'
import { PaperCompanion } from '../kit/companion/paper-companion.ts'
import type { ControlPlane } from '../kit/kubernetes/control-plane.ts'
import { createPods } from '../kit/kubernetes/seed.ts'
import { requireKubernetes } from '../kit/kubernetes/shared.ts'
import { startControlPlane } from '../kit/kubernetes/start-control-plane.ts'
import { kubectlDeckwatch } from '../kit/plugin/kubectl-deckwatch.ts'
import { kubectlWithPlugins } from '../kit/plugin/plugin-environment.ts'

const FIXTURE = join(import.meta.dirname, '../fixtures/schema-1')
/** Later than that of the command line. */
const LATER = '99.1.0'
const ROOT = '/apis/deckwatch.dev/v1alpha1'

function fixture(name: string): unknown {
  return JSON.parse(readFileSync(join(FIXTURE, name), 'utf8'))
}

describe('an upgrade from schema 1', function () {
  this.timeout(300_000)
  before(async function () {
    await requireKubernetes(this)
  })

  describe('of the store', () => {
    const { resourceVersion, events, images } = fixture('expected.json') as {
      readonly resourceVersion: string
      readonly events: readonly ImageEvent[]
      readonly images: readonly Image[]
    }
    let cluster: ControlPlane
    let companion: Companion
    let now: readonly ImageEvent[]

    const list = <Item>(plural: string) => cluster.admin.send<DeckList<Item>>('GET', `${ROOT}/${plural}`)
    const pod = (namespace: string, name: string, image: string): V1Pod => ({
      metadata: { name, namespace },
      spec: { nodeName: 'node-1', containers: [{ name: 'app', image }] },
    })

    before(async () => {
      cluster = await startControlPlane()
      const data = cluster.folder.file('schema-1')
      mkdirSync(data)
      writeFileSync(join(data, 'image-graph.sqlite'), gunzipSync(readFileSync(join(FIXTURE, 'store.gz'))))
      await createPods(cluster, [pod('fresh', 'web', 'nginx:1.25'), pod('fresh', 'cache', 'redis:8')])
      // What is kept is told apart from what is too old to be kept.
      const env = { DECKWATCH_VERSION: LATER }
      companion = await startCompanion(cluster, { data, env, flags: ['--history-days=3650'] })
      now = (await list<ImageEvent>('imageevents')).items
    })

    after(async () => {
      await companion?.stop()
      await cluster?.stop()
    })

    it('keeps the history, which anyone can read as before', async () => {
      assert.equal(
        companion.logs().some(({ level }) => level === 'error'),
        false,
      )
      assert.deepEqual(now.slice(0, events.length), events)
      for (const event of events) {
        const path = `namespaces/${event.pod.namespace}/imageevents/${event.metadata?.name}`
        assert.deepEqual(await cluster.admin.send('GET', `${ROOT}/${path}`), event)
      }
      const history = await kubectlWithPlugins(cluster, ['images', 'history', 'postgres:17', '-A'])
      assert.equal(history.exitCode, 0, history.stderr)
      assert.match(history.stdout, /shop\/db|shop +db/, history.stderr)
    })

    it('goes on with its numbers: what is different now is told late, and watches go on from before', async () => {
      expectRising(now)
      const news = now.slice(events.length)
      assert.ok(news.every(({ late }) => late))
      assert.deepEqual(
        news.map(({ op, image, pod: { namespace } }) => `${op} ${image} ${namespace}`).toSorted(),
        [
          '+ nginx:1.25 fresh',
          '+ redis:8 fresh',
          ...images.map(({ image, metadata }) => `- ${image.reference} ${metadata.namespace}`),
        ].toSorted(),
      )
      const watch = `imageevents?watch=true&timeoutSeconds=4&resourceVersion=${resourceVersion}`
      const { stdout } = await cluster.kubectl(['get', '--raw', `${ROOT}/${watch}`])
      const told = stdout
        .trim()
        .split('\n')
        .map((line) => (JSON.parse(line) as { object: ImageEvent }).object)
      assert.deepEqual(told, news)
    })

    it('serves a command line of an earlier version', async () => {
      assert.equal((await companion.status()).version, LATER)
      for (const [args, answer] of [
        [['-A', '--companion=require'], /redis/],
        [['-A', '--companion=require', '--since', '3650d'], /postgres:17/],
        [['history', 'redis:8', '-A'], /fresh\/cache|fresh +cache/],
      ] as const) {
        const ours = await kubectlWithPlugins(cluster, ['images', ...args])
        assert.equal(ours.exitCode, 0, ours.stderr)
        assert.match(ours.stdout, answer)
      }
    })

    it('knows since when each image is in use', async () => {
      const ofCluster = (await list<ImageEvent>('clusterimageevents')).items
      assert.deepEqual([...foldEvents(ofCluster)].toSorted(), ['nginx:1.25', 'redis:8'])
      const { items } = await list<Image>('clusterimages')
      const nginx = items.find(({ image }) => image.reference === 'nginx:1.25')
      // It was in use then, and has been ever since: nothing of it is told of the cluster.
      assert.equal(nginx?.lastChange?.time, events.find(({ image }) => image === 'nginx:1.25')?.time)
      await createPods(cluster, [pod('fresh', 'more', 'nats:2')])
      while (!(await list<ImageEvent>('imageevents')).items.some(({ image }) => image === 'nats:2'))
        await delay(50)
      expectRising((await list<ImageEvent>('imageevents')).items)
    })
  })

  describe('of what is installed', () => {
    const { together, apart } = fixture('manifests.json') as Record<
      'together' | 'apart',
      readonly KubeObject[]
    >
    const CLAIM = '/api/v1/namespaces/deckwatch/persistentvolumeclaims/deckwatch-data'
    const DEPLOYMENT = '/apis/apps/v1/namespaces/deckwatch/deployments/deckwatch'

    let cluster: ControlPlane

    before(async () => {
      // As for pods on paper, whose addresses the API server has to dial itself.
      const apiServerFlags = ['--enable-aggregator-routing=true']
      cluster = await startControlPlane({ controllers: 'all', apiServerFlags })
    })

    after(() => cluster?.stop())

    const apply = async (items: readonly KubeObject[]): Promise<string> => {
      const args = ['apply', '--server-side', '--field-manager=deckwatch-install', '-f', '-']
      const input = JSON.stringify({ apiVersion: 'v1', kind: 'List', items })
      const { stdout, stderr, exitCode } = await cluster.kubectl(args, { input })
      assert.equal(exitCode, 0, stderr)
      return stdout
    }
    const identities = async (): Promise<readonly unknown[]> => {
      const claim = await cluster.admin.send<V1PersistentVolumeClaim>('GET', CLAIM)
      const deployment = await cluster.admin.send<V1Deployment>('GET', DEPLOYMENT)
      return [claim.metadata?.uid, deployment.metadata?.uid, claim.metadata?.deletionTimestamp]
    }
    const removed = async (): Promise<void> => {
      const { exitCode, stderr } = await kubectlDeckwatch(cluster, ['uninstall', '--yes'])
      assert.equal(exitCode, 0, stderr)
    }

    it("today's manifests are taken over the old ones, in place and with the volume", async () => {
      await apply(apart)
      const found = await identities()
      const objects = manifests({ ...DEFAULT_VALUES, apiReplicas: 2 }).map(({ object }) => object)
      await apply(objects)
      assert.deepEqual(await identities(), found)
      // They stand as they would without a past.
      assert.doesNotMatch(await apply(objects), / configured$/m)
      await removed()
    })

    it("today's install upgrades it, in place and with the volume", async () => {
      await apply(together)
      const found = await identities()
      const paper = await PaperCompanion.start(cluster)
      try {
        const args = ['install', '--yes', '--wait', '--set', `ports.api=${paper.port}`]
        const { stdout, stderr, exitCode } = await kubectlDeckwatch(cluster, args)
        assert.equal(exitCode, 0, stderr)
        assert.match(stdout, /^Upgrade /)
        assert.match(stdout, /images\.deckwatch\.dev answers/)
        assert.deepEqual(await identities(), found)
        await removed()
      } finally {
        await paper.stop()
      }
    })
  })
})
