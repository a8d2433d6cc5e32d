import assert from 'node:assert/strict'
import {
  followImages,
  type FollowItem,
  type FollowQuery,
} from '../../../src/cli/features/images/follow-images.ts'
import { imageEvent, imageLine, podLine } from '../../../src/cli/features/images/event-lines.ts'
import type { ListWatchEvent } from '../../../src/core/kube/list-watch.ts'
import type { PodSlice } from '../../../src/core/wire/pod.ts'

const NOW = Date.UTC(2026, 10, 21, 2, 14, 7, 678)
const clock = { now: () => NOW, sleep: async () => {} }
const query: FollowQuery = { runningOnly: false, skipInitial: false }

function pod(name: string, image: string, uid = name): PodSlice {
  const app = { type: 'container' as const, name: 'app', image, pullPolicy: '', imageID: '' }
  const base = { namespace: 'shop', resourceVersion: '1', nodeName: '', phase: '', templateHash: '' }
  return { ...base, uid, name, owner: undefined, images: [app] }
}

async function follow(
  events: ListWatchEvent<PodSlice>[],
  over: Partial<FollowQuery> = {},
): Promise<FollowItem[]> {
  const ports = {
    clock,
    async *watchPods() {
      yield* events
    },
  }
  const items: FollowItem[] = []
  for await (const item of followImages(ports, { ...query, ...over }, new AbortController().signal))
    items.push(item)
  return items
}

function images(items: readonly FollowItem[]): string[] {
  return items.flatMap((item) =>
    item.type === 'image' ? [`${item.transition.op}${item.transition.image}${item.late ? ' late' : ''}`] : [],
  )
}

const added = (object: PodSlice, initial = false) => ({ type: 'added', object, initial }) as const
const deleted = (object: PodSlice) => ({ type: 'deleted', object }) as const
const synced = (count: number) => ({ type: 'synced', count }) as const
const interrupted = { type: 'interrupted', at: NOW - 21_000, reason: 'connection refused' } as const
const resumed = { type: 'resumed', at: NOW, downMs: 21_000, how: 'relist' } as const

describe('following images', () => {
  it('writes the line of cluster-image-logger, byte for byte', async () => {
    const [item] = await follow([added(pod('pi-t5zl5', 'perl'), true)])
    assert.equal(item?.type, 'pod')
    const line = (await follow([added(pod('pi-t5zl5', 'perl'), true)])).find((each) => each.type === 'image')
    assert.ok(line)
    assert.equal(imageLine(line), '[2026-11-21T02:14:07Z INFO ] [+|image]  perl  [shop|pi-t5zl5]\n')
  })

  it('writes its DEBUG lines for pods and for further users', async () => {
    const items = await follow([added(pod('a', 'perl')), added(pod('b', 'perl')), deleted(pod('a', 'perl'))])
    assert.deepEqual(
      items.map((item) =>
        item.type === 'image' ? imageLine(item) : item.type === 'pod' ? podLine(item) : '',
      ),
      [
        '[2026-11-21T02:14:07Z DEBUG] [+|pod]  a  [shop]\n',
        '[2026-11-21T02:14:07Z INFO ] [+|image]  perl  [shop|a]\n',
        '[2026-11-21T02:14:07Z DEBUG] [+|pod]  b  [shop]\n',
        '[2026-11-21T02:14:07Z DEBUG] [+=|image]  perl  [shop|b]\n',
        '[2026-11-21T02:14:07Z DEBUG] [-|pod]  a  [shop]\n',
        '[2026-11-21T02:14:07Z DEBUG] [-=|image]  perl  [shop|a]\n',
      ],
    )
  })

  it('gives ImageEvents as JSON, only for what came and went', async () => {
    const items = await follow([added(pod('a', 'perl')), added(pod('b', 'perl'))])
    const events = items.flatMap((item) => (item.type === 'image' ? [imageEvent(item, 'ImageEvent')] : []))
    assert.deepEqual(events, [
      {
        apiVersion: 'deckwatch.dev/v1alpha1',
        kind: 'ImageEvent',
        op: '+',
        image: 'perl',
        pod: { namespace: 'shop', name: 'a', uid: 'a' },
        time: '2026-11-21T02:14:07.678Z',
        late: false,
      },
      undefined,
    ])
  })

  it('leaves the initial set out where asked, and still knows it', async () => {
    const items = await follow(
      [added(pod('a', 'perl'), true), synced(1), added(pod('b', 'perl')), added(pod('c', 'nginx'))],
      { skipInitial: true },
    )
    assert.deepEqual(images(items), ['+=perl', '+nginx'])
    assert.deepEqual(items[0], { type: 'synced', images: 1, pods: 1 })
  })

  const outage = [
    deleted(pod('web-0', 'db', 'old')),
    deleted(pod('gone', 'perl')),
    added(pod('web-0', 'db', 'new')),
    added(pod('fresh', 'nginx')),
  ]
  const before = [added(pod('web-0', 'db', 'old'), true), added(pod('gone', 'perl'), true), synced(2)]

  it('tells the net effect of what a new list brings after an outage, late', async () => {
    const items = await follow([...before, interrupted, ...outage, resumed])
    assert.deepEqual(images(items), ['+db', '+perl', '-=db late', '-perl late', '+=db late', '+nginx late'])
    assert.deepEqual(
      items.filter(({ type }) => type === 'interrupted' || type === 'resumed'),
      [interrupted, resumed],
    )
  })

  it('tells each event that a watch brings after an outage, late and only then', async () => {
    const items = await follow([...before, interrupted, ...outage, { ...resumed, how: 'watch' }])
    assert.deepEqual(images(items), ['+db', '+perl', '-db late', '-perl late', '+db late', '+nginx late'])
    assert.ok(
      items.findIndex(({ type }) => type === 'resumed') <
        items.findIndex((item) => item.type === 'image' && item.late),
    )
  })

  it('takes a first list that needed two attempts for the initial set, and nothing in it for late', async () => {
    const items = await follow([
      interrupted,
      added(pod('a', 'perl'), true),
      { ...resumed, how: 'relist' },
      synced(1),
    ])
    assert.deepEqual(images(items), ['+perl'])
    assert.deepEqual(items.at(-1), { type: 'synced', images: 1, pods: 1 })
  })

  it('speaks normally again after an outage', async () => {
    for (const how of ['watch', 'relist'] as const) {
      const items = await follow([synced(0), interrupted, { ...resumed, how }, added(pod('a', 'perl'))])
      assert.deepEqual(images(items), ['+perl'])
    }
  })

  it('tells of pods only while they count, so that the pod lines add up too', async () => {
    const finished = { ...pod('job', 'perl'), phase: 'Succeeded' }
    const items = await follow(
      [
        added(pod('job', 'perl')),
        { type: 'modified', object: finished, previous: pod('job', 'perl') },
        deleted(finished),
        added({ ...pod('late', 'nginx'), phase: 'Failed' }),
      ],
      { runningOnly: true },
    )
    assert.deepEqual(
      items.flatMap((item) => (item.type === 'pod' ? [`${item.op}${item.pod.name}`] : [])),
      ['+job', '-job'],
    )
  })

  it('counts only what matches', async () => {
    const match = { pattern: /nginx/, on: 'image' } as const
    const items = await follow(
      [added(pod('a', 'perl')), added(pod('b', 'nginx')), deleted(pod('b', 'nginx'))],
      { match },
    )
    assert.deepEqual(images(items), ['+nginx', '-nginx'])
    assert.equal(items.filter(({ type }) => type === 'pod').length, 2)
  })

  it('never lets escape sequences of an image string out', async () => {
    const [, item] = await follow([added(pod('a', 'x\u001b[31m\u202e'))])
    assert.ok(item?.type === 'image')
    assert.doesNotMatch(imageLine(item), /[\u001b\u202e]/)
  })
})
