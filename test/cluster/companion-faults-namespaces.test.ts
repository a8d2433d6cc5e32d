import assert from 'node:assert/strict'
import { setTimeout as delay } from 'node:timers/promises'
import type { V1Pod } from '@kubernetes/client-node'
import type { DeckList, Image, ImageEvent } from '../../src/core/wire/image.ts'
import { JournalFollower } from '../kit/companion-churn-follower.ts'
import { type Companion, startCompanion } from '../kit/companion.ts'
import type { ControlPlane } from '../kit/kubernetes/control-plane.ts'
import { deleteNamespace } from '../kit/kubernetes/namespaces.ts'
import { createPods, deletePods } from '../kit/kubernetes/seed.ts'
import { requireKubernetes } from '../kit/kubernetes/shared.ts'
import { startControlPlane } from '../kit/kubernetes/start-control-plane.ts'

const NAMESPACE = 'reborn'
const ROOT = `/apis/deckwatch.dev/v1alpha1/namespaces/${NAMESPACE}`

describe('a namespace that was deleted and made again by others with the same name', function () {
  this.timeout(300_000)
  let cluster: ControlPlane
  let companion: Companion
  let open: JournalFollower
  /** Of the first life: the list's number, and the names of what was there. */
  let first: { version: string; token: string; events: string[]; images: string[]; began: string }
  let news: string[]
  let kubeconfig: string

  const pod = (name: string): V1Pod => ({
    metadata: { name, namespace: NAMESPACE },
    spec: { containers: [{ name: 'app', image: `${name}:1` }] },
  })
  const grant = async (): Promise<void> => {
    const args = ['create', 'rolebinding', 'owner', '--clusterrole=view', '--user=owner']
    const { stderr, exitCode } = await cluster.kubectl([...args, `--namespace=${NAMESPACE}`])
    assert.equal(exitCode, 0, stderr)
  }
  /** As the one who owns the namespace now, and nothing else. */
  const asOwner = async (path: string): Promise<string> => {
    const { stdout, stderr } = await cluster.kubectl(['get', '--raw', `${ROOT}/${path}`], { kubeconfig })
    return stdout + stderr
  }
  const asReader = (path: string): Promise<string> => cluster.admin.text('GET', path)
  const told = (list: DeckList<ImageEvent>) => list.items.map(({ op, image }) => `${op}${image}`)
  const untilTold = async (image: string): Promise<void> => {
    while (!(await asReader(`${ROOT}/imageevents`)).includes(`"${image}"`)) await delay(50)
  }

  before(async function () {
    await requireKubernetes(this)
    cluster = await startControlPlane()
    companion = await startCompanion(cluster)
    kubeconfig = cluster.user('owner')
    await createPods(cluster, [pod('secret-a'), pod('secret-b'), pod('secret-c')])
    await grant()
    await deletePods(cluster, [pod('secret-a')])
    while (told(JSON.parse(await asReader(`${ROOT}/imageevents`)) as DeckList<ImageEvent>).length < 4)
      await delay(50)
    // Whoever looked at the first life goes on looking.
    open = await JournalFollower.start(cluster, {
      collection: `namespaces/${NAMESPACE}/imageevents`,
      user: { name: 'owner' },
    })
    const events = JSON.parse(await asReader(`${ROOT}/imageevents?limit=2`)) as DeckList<ImageEvent>
    const all = JSON.parse(await asReader(`${ROOT}/imageevents`)) as DeckList<ImageEvent>
    const images = JSON.parse(await asReader(`${ROOT}/images`)) as DeckList<Image>
    first = {
      version: events.items[0]?.metadata?.resourceVersion ?? '',
      token: events.metadata?.continue ?? '',
      events: all.items.map(({ metadata }) => metadata?.name ?? ''),
      images: images.items.map(({ metadata }) => metadata.name),
      began: all.items[0]?.time ?? '',
    }
    assert.deepEqual([first.events.length, first.images.length], [4, 2])
    await deleteNamespace(cluster.admin, NAMESPACE)
    await createPods(cluster, [pod('news')])
    await grant()
    await untilTold('news:1')
    news = ['+news:1']
  })

  after(async () => {
    await open?.stop()
    await companion?.stop()
    await cluster?.stop()
  })

  it('shows its owner nothing of the first one in lists, from whenever', async () => {
    for (const query of ['', '?limit=1', `?sinceTime=${first.began}`, '?resourceVersion=0']) {
      const list = JSON.parse(await asOwner(`imageevents${query}`)) as DeckList<ImageEvent>
      assert.deepEqual(told(list), news, query)
      assert.equal(list.metadata?.continue ?? '', '')
    }
    const images = JSON.parse(await asOwner('images')) as DeckList<Image>
    assert.deepEqual(
      images.items.map(({ image }) => image.reference),
      ['news:1'],
    )
    for (const image of ['secret-a:1', 'secret-b:1']) {
      const selector = encodeURIComponent(`image=${image}`)
      const list = JSON.parse(await asOwner(`imageevents?fieldSelector=${selector}`)) as DeckList<ImageEvent>
      assert.deepEqual(list.items, [])
    }
  })

  it('nor to who goes on with a list that another began', async () => {
    assert.doesNotMatch(await asOwner(`imageevents?limit=2&continue=${first.token}`), /secret/)
  })

  it('nor by guessing names', async () => {
    for (const path of [
      ...first.events.map((name) => `imageevents/${name}`),
      ...first.images.map((name) => `images/${name}`),
    ]) {
      const answer = await asOwner(path)
      assert.match(answer, /not ?found/i)
      assert.doesNotMatch(answer, /secret-a:1|"op"/)
    }
    const own = JSON.parse(await asOwner('imageevents')) as DeckList<ImageEvent>
    assert.match(await asOwner(`imageevents/${own.items[0]?.metadata?.name}`), /"news:1"/)
  })

  it('nor by watching from the past', async () => {
    const queries = [
      `resourceVersion=${first.version}`,
      'resourceVersion=0',
      'sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true',
      `sinceTime=${first.began}`,
      '',
    ]
    const watches = ['imageevents', 'images'].flatMap((plural) =>
      queries.map((query) => `${plural}?watch=true&timeoutSeconds=4&${query}`),
    )
    const answers = await Promise.all(watches.map(asOwner))
    for (const [index, answer] of answers.entries()) assert.doesNotMatch(answer, /secret/, watches[index])
    assert.match(answers[0] ?? '', /news:1/)
  })

  it('nor to a watch that was open all the time, which has to begin anew', async () => {
    while (!open.events.some(({ image }) => image === 'news:1')) await delay(50)
    // Told to forget what it knew of the first one, it has listed again.
    assert.equal(open.restarts.length, 1)
    assert.match(open.restarts[0] ?? '', /is not the one that it was: list again/)
    assert.deepEqual(
      open.events.map(({ op, image }) => `${op}${image}`),
      news,
    )
  })

  it('but hides nothing from who may read the whole cluster', async () => {
    const all = JSON.parse(await asReader('/apis/deckwatch.dev/v1alpha1/imageevents')) as DeckList<ImageEvent>
    const own = all.items.filter(({ pod: { namespace } }) => namespace === NAMESPACE)
    const sum = [
      '+secret-a:1',
      '+secret-b:1',
      '+secret-c:1',
      '-secret-a:1',
      '-secret-b:1',
      '-secret-c:1',
      ...news,
    ]
    assert.deepEqual(own.map(({ op, image }) => `${op}${image}`).toSorted(), sum.toSorted())
    assert.match(await asReader(`${ROOT}/imageevents/${first.events[0]}`), /secret-a:1|secret-b:1|secret-c:1/)
  })
})
