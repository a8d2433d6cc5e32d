import assert from 'node:assert/strict'
import type {
  CompanionPorts,
  EventPage,
  ServedImages,
} from '../../../src/cli/features/images/companion-ports.ts'
import { imageEvent, imageLine } from '../../../src/cli/features/images/event-lines.ts'
import {
  followCompanion,
  type CompanionFollowQuery,
} from '../../../src/cli/features/images/follow-companion.ts'
import {
  followImages,
  type FollowItem,
  type PodName,
} from '../../../src/cli/features/images/follow-images.ts'
import type { JournalNotice } from '../../../src/core/kube/journal-notice.ts'
import type { Image, ImageEvent } from '../../../src/core/wire/image.ts'
import { ManualClock } from '../../kit/manual-clock.ts'
import { use, webPod } from './pods.ts'

const TIME = '2026-11-21T02:14:07.678Z'
const clock = new ManualClock(Date.parse(TIME))

function pod(name: string): PodName {
  return { namespace: 'shop', name, uid: `uid-${name}` }
}

/** An image in use that a pod brought at a minute past two. */
function image(reference: string, podName: string, minute: number, late = false): Image {
  const [name = '', tag = ''] = reference.split(':')
  const time = `2026-11-21T02:0${minute}:00.000Z`
  return {
    apiVersion: 'deckwatch.dev/v1alpha1',
    kind: 'Image',
    metadata: { name: reference, namespace: 'shop' },
    image: { reference, name: `docker.io/library/${name}`, tag, digest: '' },
    digests: [],
    usage: { namespaces: 1, workloads: 1, pods: 1, nodes: 1, by: [] },
    lastChange: { op: '+', time, namespace: 'shop', pod: podName, uid: `uid-${podName}`, late },
  }
}

function served(...items: Image[]): ServedImages {
  const summary = { images: items.length, namespaces: 1, workloads: 1, pods: 3, nodes: 1 }
  return { items, summary, resourceVersion: '100', warnings: [] }
}

function event(op: '+' | '-', reference: string, podName: string, number: number): ImageEvent {
  return {
    apiVersion: 'deckwatch.dev/v1alpha1',
    kind: 'ImageEvent',
    metadata: { name: String(number), namespace: 'shop', resourceVersion: String(number) },
    op,
    image: reference,
    pod: pod(podName),
    time: TIME,
    late: false,
  }
}

type Notice = JournalNotice<ImageEvent, ServedImages>
const watching: Notice = { type: 'watching' }
const record = (...of: Parameters<typeof event>): Notice => ({ type: 'record', record: event(...of) })

interface World {
  readonly images?: ServedImages
  readonly pages?: readonly EventPage[]
  readonly notices?: readonly Notice[]
}

/** All that is told, what is given at the end, and from where the journal was followed. */
async function follow(world: World, query: Partial<CompanionFollowQuery> = {}) {
  let from: string | undefined
  const ports: CompanionPorts & { clock: ManualClock } = {
    clock,
    listImages: async () => world.images ?? served(),
    async *listEvents() {
      yield* world.pages ?? []
    },
    async *followEvents(resourceVersion) {
      from = resourceVersion
      yield* world.notices ?? [watching]
    },
  }
  const items: FollowItem[] = []
  const stream = followCompanion(ports, { skipInitial: false, ...query }, new AbortController().signal)
  for (;;) {
    const { value, done } = await stream.next()
    if (done) return { items, lines: lines(items), told: value, from }
    items.push(value)
  }
}

function lines(items: readonly FollowItem[]): string[] {
  return items.map((item) => {
    switch (item.type) {
      case 'image':
        return `${item.transition.op} ${item.transition.image} ${item.transition.pod.name}${item.late ? ' late' : ''}`
      case 'synced':
        return `synced ${item.images} ${item.pods ?? '?'}`
      case 'warning':
        return `warning ${item.text}`
      default:
        return item.type
    }
  })
}

describe('following images by the companion', () => {
  const images = served(image('b:1', 'web-b', 2), image('a:1', 'web-a', 3), image('c:1', 'web-c', 1, true))

  it('begins with what is in use, when it came and with which pod, in that order', async () => {
    const { items, from } = await follow({ images })
    assert.deepEqual(lines(items), ['+ c:1 web-c late', '+ b:1 web-b', '+ a:1 web-a', 'synced 3 3'])
    const [, second] = items
    assert.ok(second?.type === 'image')
    assert.equal(imageLine(second), '[2026-11-21T02:02:00Z INFO ] [+|image]  b:1  [shop|web-b]\n')
    assert.equal(from, '100')
  })

  it('leaves that out where asked', async () => {
    const { lines: told } = await follow({ images }, { skipInitial: true })
    assert.deepEqual(told, ['synced 3 3'])
  })

  it('tells each event, in JSON as the companion recorded it', async () => {
    const { items } = await follow({
      notices: [watching, record('+', 'a:1', 'x', 101), record('-', 'a:1', 'y', 102)],
    })
    const events = items.flatMap((item) => (item.type === 'image' ? [imageEvent(item, 'ImageEvent')] : []))
    assert.deepEqual(events, [event('+', 'a:1', 'x', 101), event('-', 'a:1', 'y', 102)])
  })

  it('keeps to the images that match, and then does not know how many pods that are', async () => {
    const match = { pattern: /\/[bd]:/, on: 'image' } as const
    const notices = [watching, record('+', 'd:1', 'b-pod', 101), record('+', 'e:1', 'b-pod', 102)]
    const { lines: told } = await follow({ images, notices }, { match })
    assert.deepEqual(told, ['+ b:1 web-b', 'synced 1 ?', '+ d:1 b-pod'])
  })

  it('tells after a lost place what the new list has more and less, late', async () => {
    const list = served(image('b:1', 'other', 5), image('d:1', 'web-d', 6))
    const notices: Notice[] = [
      watching,
      record('-', 'c:1', 'web-c', 101),
      { type: 'interrupted', at: 1, reason: '410' },
      { type: 'resumed', at: 2, downMs: 1, how: 'relist' },
      { type: 'relisted', list },
      record('-', 'd:1', 'web-d', 201),
    ]
    const { lines: told } = await follow({ images, notices }, { skipInitial: true })
    assert.deepEqual(told, [
      'synced 3 3',
      '- c:1 web-c',
      'interrupted',
      'resumed',
      '+ d:1 web-d late',
      '- a:1 web-a late',
      '- d:1 web-d',
    ])
  })

  it('gives what it had told where the companion is given up', async () => {
    const notices: Notice[] = [
      watching,
      record('-', 'c:1', 'web-c', 101),
      record('+', 'd:1', 'web-d', 102),
      { type: 'lost', at: 1, reason: 'gone' },
    ]
    const { told: known } = await follow({ images, notices }, { skipInitial: true })
    const left = new Map(['a', 'b', 'd'].map((name) => [`${name}:1`, pod(`web-${name}`)]))
    assert.deepEqual(known, { told: left, at: 1, reason: 'gone' })
  })

  it('gives nothing where it is only ended', async () => {
    assert.equal((await follow({ images })).told, undefined)
  })

  it('begins with the recorded past where asked, and goes on where that ends', async () => {
    const pages: EventPage[] = [
      { events: [event('+', 'x:1', 'p', 40)], resourceVersion: '90', warnings: ['history begins at …'] },
      { events: [event('-', 'x:1', 'p', 41)], resourceVersion: '90', warnings: ['history begins at …'] },
    ]
    const notices = [watching, record('+', 'y:1', 'q', 95)]
    const { lines: told, from } = await follow({ images, pages, notices }, { since: 1 })
    assert.deepEqual(told, ['warning history begins at …', '+ x:1 p', '- x:1 p', 'synced 3 3', '+ y:1 q'])
    assert.equal(from, '90')
  })

  it('tells nothing before the watch is accepted, so that another way can take over', async () => {
    assert.deepEqual((await follow({ images, notices: [] })).items, [])
  })

  it('does not make up what brought an image', async () => {
    const { lastChange: _, ...unexplained } = image('a:1', 'p', 1)
    await assert.rejects(follow({ images: served(unexplained) }), { code: 'KUBE_PROTOCOL' })
  })

  it('is taken over by watching pods with the difference to what was told, late', async () => {
    const added = (name: string, reference: string) =>
      ({ type: 'added', object: webPod(name, [use('app', reference)]), initial: true }) as const
    const ports = {
      clock,
      async *watchPods() {
        yield added('one', 'a:1')
        yield added('two', 'd:1')
        yield added('three', 'd:1')
        yield { type: 'synced', count: 3 } as const
        yield { ...added('four', 'e:1'), initial: false }
      },
    }
    const told = new Map([
      ['a:1', pod('web-a')],
      ['b:1', pod('web-b')],
    ])
    const items: FollowItem[] = []
    const query = { runningOnly: false, skipInitial: false, told }
    for await (const item of followImages(ports, query, new AbortController().signal)) items.push(item)
    assert.deepEqual(lines(items.filter(({ type }) => type !== 'pod')), [
      '+ d:1 two late',
      '- b:1 web-b late',
      'synced 2 3',
      '+ e:1 four',
    ])
  })
})
