import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import type { DeckList, Image, ImageEvent } from '../../src/core/wire/image.ts'
import { foldEvents, expectRising } from '../kit/companion-churn-check.ts'
import { grantCompanion, registerCompanion } from '../kit/companion-cluster.ts'
import {
  type Companion,
  COMPANION_NAMESPACE,
  type CompanionOptions,
  startCompanion,
} from '../kit/companion.ts'
import { bulkPods } from '../kit/kubernetes/bulk.ts'
import type { ControlPlane } from '../kit/kubernetes/control-plane.ts'
import { createPods, deletePods } from '../kit/kubernetes/seed.ts'
import { requireKubernetes } from '../kit/kubernetes/shared.ts'
import { startControlPlane } from '../kit/kubernetes/start-control-plane.ts'
import { referencesOf } from '../kit/plugin/fold-images.ts'
import { startValveRelay, type ValveRelay } from '../kit/valve-relay.ts'

const ROOT = '/apis/deckwatch.dev/v1alpha1'
// Two pages of a list.
const PODS = [...bulkPods({ pods: 800, images: 300, namespaces: 4, nodes: 10 })].map(
  ({ metadata, spec }) => ({
    ...(metadata ? { metadata } : {}),
    ...(spec ? { spec } : {}),
  }),
)

describe('when the API server is killed while the companion lists', function () {
  this.timeout(360_000)
  let cluster: ControlPlane
  let relay: ValveRelay
  let companion: Companion | undefined
  /** What a whole start takes. */
  let bytes: number

  const items = async <Item>(plural: string): Promise<readonly Item[]> =>
    (await cluster.admin.send<DeckList<Item>>('GET', `${ROOT}/${plural}`)).items
  const expectTruth = async (pods: typeof PODS): Promise<void> => {
    const truth = referencesOf(pods)
    for (const until = Date.now() + 120_000; ; await delay(100)) {
      const found = await items<Image>('clusterimages').catch(() => [])
      const references = found.map(({ image }) => image.reference).toSorted()
      if (references.join() === truth.join()) break
      if (Date.now() > until) assert.deepEqual(references, truth)
    }
    const events = await items<ImageEvent>('clusterimageevents')
    expectRising(events)
    assert.deepEqual([...foldEvents(events)].toSorted(), truth)
  }
  const start = async (options: CompanionOptions = {}): Promise<Companion> => {
    const account = await grantCompanion(cluster.admin, {
      namespace: COMPANION_NAMESPACE,
      apart: false,
      isApi: true,
      rooms: [],
    })
    const direct = cluster.tokenKubeconfig(await cluster.token(COMPANION_NAMESPACE, account))
    const path = cluster.folder.file('relayed.kubeconfig')
    const text = readFileSync(direct, 'utf8').replace(cluster.url, `https://127.0.0.1:${relay.port}`)
    writeFileSync(path, text, { mode: 0o600 })
    return startCompanion(cluster, { ...options, flags: [`--kubeconfig=${path}`] })
  }

  before(async function () {
    await requireKubernetes(this)
    cluster = await startControlPlane()
    relay = await startValveRelay(Number(new URL(cluster.url).port))
    await createPods(cluster, PODS)
    companion = await start()
    bytes = relay.received
    await expectTruth(PODS)
    await companion.stop()
  })

  afterEach(async () => {
    if (!cluster.apiServer.running) await cluster.apiServer.start()
    await companion?.stop()
  })

  after(async () => {
    relay?.stop()
    await cluster?.stop()
  })

  for (const share of [0.3, 0.8]) {
    it(`at its start, ${share * 100} % in, each image is told once, and late`, async () => {
      const killed = relay.after(bytes * share).then(() => cluster.apiServer.kill())
      companion = await start({ impatient: true, register: false })
      await killed
      await delay(500)
      await cluster.apiServer.start()
      await companion.untilReady()
      await registerCompanion(cluster.admin, COMPANION_NAMESPACE, companion.ports.api)
      await expectTruth(PODS)
      const events = await items<ImageEvent>('clusterimageevents')
      assert.ok(events.every(({ op, late }) => op === '+' && late))
    })
  }

  it('again, since its place in the watch is lost, the difference is told once, and late', async () => {
    companion = await start()
    await expectTruth(PODS)
    const before = (await items<ImageEvent>('clusterimageevents')).length
    const gone = PODS.filter((_, index) => index % 100 < 40)
    const left = PODS.filter((pod) => !gone.includes(pod))
    process.kill(companion.pid ?? 0, 'SIGSTOP')
    // What is sent to a stopped process would still be read, so that its connection has to go first.
    await cluster.apiServer.restart()
    await deletePods(cluster, gone)
    await cluster.expireResourceVersions()
    const killed = relay.after(bytes * 0.3).then(() => cluster.apiServer.kill())
    process.kill(companion.pid ?? 0, 'SIGCONT')
    await killed
    await delay(500)
    await cluster.apiServer.start()
    await expectTruth(left)
    const news = (await items<ImageEvent>('clusterimageevents')).slice(before)
    assert.ok(news.length > 0 && news.every(({ op, late }) => op === '-' && late))
  })
})
