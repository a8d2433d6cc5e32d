import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import type { ServedObject, WatchNotice } from '../../../server/kit/api/resource.ts'
import type { ImageGraphPlural } from '../../../server/image-graph/index.ts'
import { imageList } from '../../../src/core/model/image-objects.ts'
import { Placements } from '../../../src/core/model/image-usage.ts'
import { NodeImages } from '../../../src/core/model/node-images.ts'
import type { Image, ImageEvent } from '../../../src/core/wire/image.ts'
import type { PodSlice } from '../../../src/core/wire/pod.ts'
import { RoomWorld } from './room-world.ts'

/** Something that happens to the cluster. */
type Happening =
  | {
      readonly type: 'run'
      readonly namespace: string
      readonly pod: string
      readonly images: Record<string, string>
    }
  | { readonly type: 'end'; readonly namespace: string; readonly pod: string }
  | { readonly type: 'endNamespace'; readonly namespace: string }

/** Something that happens to the companion, or on the way to it. */
type Trouble =
  | { readonly type: 'settle' | 'restart' | 'interrupt' | 'fill' | 'free' | 'deposed' }
  | { readonly type: 'resume'; readonly how: 'watch' | 'relist' }
  | { readonly type: 'node'; readonly sizeBytes: number }

const namespace = fc.constantFrom('shop', 'pay')
const pod = fc.constantFrom('a', 'b', 'c')
const anyImage = fc.constantFrom('nginx', 'docker.io/nginx', 'redis:7', 'web:1')
const images = fc.dictionary(fc.constantFrom('app', 'log'), anyImage, { minKeys: 1, maxKeys: 2 })
const happening: fc.Arbitrary<Happening> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ type: fc.constant('run' as const), namespace, pod, images }) },
  { weight: 4, arbitrary: fc.record({ type: fc.constant('end' as const), namespace, pod }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('endNamespace' as const), namespace }) },
)
const trouble: fc.Arbitrary<Trouble> = fc.oneof(
  fc.record({
    type: fc.constantFrom('settle', 'restart', 'interrupt', 'fill', 'free', 'deposed'),
  }),
  fc.record({ type: fc.constant('resume' as const), how: fc.constantFrom('watch', 'relist') }),
  fc.record({ type: fc.constant('node' as const), sizeBytes: fc.nat({ max: 3 }) }),
)

function happen({ cluster }: RoomWorld, event: Happening): void {
  switch (event.type) {
    case 'run':
      cluster.run(event.namespace, event.pod, event.images)
      break
    case 'end':
      cluster.end(event.namespace, event.pod)
      break
    case 'endNamespace':
      cluster.endNamespace(event.namespace)
      break
    default:
      event satisfies never
  }
}

async function suffer(world: RoomWorld, event: Trouble): Promise<void> {
  switch (event.type) {
    case 'settle':
      await world.settle(2)
      break
    case 'restart':
      // Whatever was on its way is lost with the process.
      await world.stop()
      await world.start()
      break
    case 'deposed':
      world.leadership.take()
      await world.settle(1)
      world.leadership.give()
      await world.settle(1)
      break
    case 'interrupt':
      world.cluster.pods.interrupt()
      break
    case 'resume':
      world.cluster.pods.resume(event.how)
      break
    case 'fill':
      world.full = true
      break
    case 'free':
      world.full = false
      break
    case 'node':
      world.cluster.node('n1', [{ names: ['docker.io/library/nginx:latest'], sizeBytes: event.sizeBytes }])
      break
    default:
      event satisfies never
  }
}

async function recover(world: RoomWorld): Promise<void> {
  world.full = false
  world.cluster.pods.resume('relist')
  // Sizes are taken over after half a minute.
  await world.settle(45)
}

const key = (namespaceUid: string, reference: string): string => `${namespaceUid} ${reference}`

/** What is in use, by the book. */
function inUse(world: RoomWorld): { readonly local: Set<string>; readonly cluster: Set<string> } {
  const pods = [...world.cluster.pods.objects.values()]
  return {
    local: new Set(
      pods.flatMap((each) =>
        each.images.map((use) => key(world.cluster.namespace(each.namespace), use.image)),
      ),
    ),
    cluster: new Set(pods.flatMap((each) => each.images.map((use) => use.image))),
  }
}

/** Adds events up, and fails where one says what is so already. */
function sum(events: readonly ImageEvent[], keyOf: (event: ImageEvent) => string): Set<string> {
  const found = new Set<string>()
  for (const event of events) {
    const own = keyOf(event)
    if (event.op === '+') assert.ok(!found.has(own), `${own} came twice`)
    else assert.ok(found.has(own), `${own} went without having come`)
    if (event.op === '+') found.add(own)
    else found.delete(own)
  }
  return found
}

async function eventsOf(world: RoomWorld, plural: ImageGraphPlural): Promise<ImageEvent[]> {
  return (await world.list(plural)).items as unknown as ImageEvent[]
}

/** The uids of namespaces by the pods' uids, as the paper cluster knows them. */
class Lives {
  readonly #uids = new Map<string, string>()
  note(world: RoomWorld): void {
    for (const each of world.cluster.pods.objects.values()) {
      if (!this.#uids.has(each.uid)) this.#uids.set(each.uid, world.cluster.namespace(each.namespace))
    }
  }
  of(podUid: string): string {
    return this.#uids.get(podUid) ?? ''
  }
}

/** A client's memory of a resource. */
class Informer {
  readonly objects = new Map<string, ServedObject>()
  readonly resourceVersion: string
  constructor(items: readonly ServedObject[], resourceVersion: string) {
    for (const item of items) this.objects.set(item.metadata.uid, item)
    this.resourceVersion = resourceVersion
  }
  take(notices: readonly WatchNotice[]): void {
    let number = Number(this.resourceVersion)
    for (const notice of notices) {
      if (notice.type === 'BOOKMARK') continue
      const { uid, resourceVersion } = notice.object.metadata
      assert.ok(Number(resourceVersion) > number, 'numbers rise')
      number = Number(resourceVersion)
      assert.equal(this.objects.has(uid), notice.type !== 'ADDED', `${notice.type} of ${uid}`)
      if (notice.type === 'DELETED') this.objects.delete(uid)
      else this.objects.set(uid, notice.object)
    }
  }
}

function byUid(objects: Iterable<ServedObject>): ServedObject[] {
  return [...objects].toSorted((a, b) => (a.metadata.uid < b.metadata.uid ? -1 : 1))
}

/** What a client without a companion would make of the same pods. */
function byTheBook(world: RoomWorld, scope: string | undefined): readonly Image[] {
  const placements = new Placements({})
  const inScope = (each: PodSlice): boolean => scope === undefined || each.namespace === scope
  for (const each of world.cluster.pods.objects.values()) if (inScope(each)) placements.add(each)
  return imageList(placements.all, new NodeImages([...world.cluster.nodes.objects.values()]), scope).items
}

function unserved(image: Image): unknown {
  const { lastChange, metadata, ...rest } = image
  assert.ok(lastChange)
  return { ...rest, name: metadata.name }
}

/** Brings copies of all memories up to date and compares them with what is listed now. */
async function goesOn(
  world: RoomWorld,
  informers: Partial<Record<ImageGraphPlural, readonly Informer[]>>,
): Promise<void> {
  for (const plural of ['images', 'clusterimages', 'imageevents', 'clusterimageevents'] as const) {
    const { items } = await world.list(plural)
    for (const informer of informers[plural] ?? []) {
      const copy = new Informer([...informer.objects.values()], informer.resourceVersion)
      copy.take(await world.replay(plural, informer.resourceVersion))
      assert.deepEqual(byUid(copy.objects.values()), byUid(items))
    }
  }
}

describe('the journal of images, whatever happens', () => {
  it('adds up to what is in use; lists say what a client without a companion would find; watches miss nothing', async function () {
    this.timeout(120_000)
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.oneof({ weight: 5, arbitrary: happening }, { weight: 2, arbitrary: trouble }), {
          minLength: 10,
          maxLength: 40,
          size: 'max',
        }),
        async (story) => {
          const world = new RoomWorld()
          const informers: Partial<Record<ImageGraphPlural, Informer[]>> = {}
          const remember = async (): Promise<void> => {
            if (!world.room.ready().ok) return
            for (const plural of ['images', 'clusterimages', 'imageevents', 'clusterimageevents'] as const) {
              const { items, resourceVersion } = await world.list(plural)
              ;(informers[plural] ??= []).push(new Informer(items, resourceVersion))
            }
          }
          try {
            await world.start()
            await remember()
            const lives = new Lives()
            for (const event of story) {
              if (event.type === 'run' || event.type === 'end' || event.type === 'endNamespace')
                happen(world, event)
              else {
                await suffer(world, event)
                await remember()
              }
              lives.note(world)
            }
            await recover(world)

            const local = await eventsOf(world, 'imageevents')
            const cluster = await eventsOf(world, 'clusterimageevents')
            // A pod that was gone before its namespace could be asked for leaves a record that no namespace owns;
            // none may ever be in another life of it.
            const truth = inUse(world)
            for (const [life, namespaceUid] of world.cluster.namespaces) {
              const own = await world.list('imageevents', {
                namespace: life,
                namespaceUid: namespaceUid.uid,
              })
              for (const event of own.items as unknown as ImageEvent[]) {
                assert.equal(lives.of(event.pod.uid), namespaceUid.uid)
              }
              assert.deepEqual(
                sum(own.items as unknown as ImageEvent[], ({ image }) => key(namespaceUid.uid, image)),
                new Set([...truth.local].filter((each) => each.startsWith(`${namespaceUid.uid} `))),
              )
            }
            assert.deepEqual(
              sum(cluster, ({ image }) => image),
              truth.cluster,
            )
            const numbers = new Set(local.map(({ metadata }) => metadata?.name))
            assert.ok(cluster.every(({ metadata }) => numbers.has(metadata?.name)))

            for (const [plural, scope] of [
              ['clusterimages', undefined],
              ['images', 'shop'],
              ['images', 'pay'],
            ] as const) {
              const { items } = await world.list(plural, { namespace: scope })
              assert.deepEqual(
                new Map((items as unknown as Image[]).map((each) => [each.metadata.name, unserved(each)])),
                new Map(
                  byTheBook(world, scope).map(({ metadata, ...rest }) => [
                    metadata.name,
                    { ...rest, name: metadata.name },
                  ]),
                ),
              )
            }

            await goesOn(world, informers)
            // Now from the journal alone: what was told before a restart is in nobody's memory.
            await world.stop()
            await world.start()
            await goesOn(world, informers)
          } finally {
            await world.end()
          }
        },
      ),
      { numRuns: 40 },
    )
  })

  it('tells each event that was seen, once and in order', async function () {
    this.timeout(60_000)
    await fc.assert(
      fc.asyncProperty(
        fc.array(happening, { minLength: 3, maxLength: 15, size: 'max' }),
        fc.boolean(),
        async (story, outage) => {
          const world = new RoomWorld()
          try {
            // Of a namespace that is as young as its only pod nobody can say whose it was once both have gone.
            for (const name of ['shop', 'pay']) world.cluster.namespace(name)
            await world.clock.advance(3_600_000)
            await world.start()
            if (outage) world.cluster.pods.interrupt()
            const expected: string[] = []
            let before = inUse(world)
            const note = (): void => {
              const after = inUse(world)
              const came = [...after.local]
                .filter((each) => !before.local.has(each))
                .map((each) => `+${each}`)
              const went = [...before.local]
                .filter((each) => !after.local.has(each))
                .map((each) => `-${each}`)
              expected.push([...came, ...went].toSorted().join())
              before = after
            }
            for (const event of story) {
              if (event.type === 'endNamespace') continue
              happen(world, event)
              note()
              if (!outage) await world.settle(1)
            }
            world.cluster.pods.resume('watch')
            await world.settle()
            const events = await eventsOf(world, 'imageevents')
            assert.ok(events.every(({ late }) => late === outage))
            const life = (name: string): string => world.cluster.namespaces.get(name)?.uid ?? ''
            const all = events.map(({ op, image, pod: by }) => `${op}${key(life(by.namespace), image)}`)
            // Within one change of one pod the order is its own: additions first.
            let at = 0
            for (const step of expected.filter((each) => each !== '')) {
              const count = step.split(',').length
              assert.equal(
                all
                  .slice(at, at + count)
                  .toSorted()
                  .join(),
                step,
              )
              at += count
            }
            assert.equal(at, all.length)
          } finally {
            await world.end()
          }
        },
      ),
      { numRuns: 20 },
    )
  })

  it('tells the net difference of what nobody saw, late', async function () {
    this.timeout(60_000)
    await fc.assert(
      fc.asyncProperty(
        fc.array(happening, { maxLength: 12, size: 'max' }),
        fc.array(happening, { maxLength: 12, size: 'max' }),
        fc.constantFrom('restart', 'relist'),
        async (first, second, how) => {
          const world = new RoomWorld()
          try {
            for (const event of first) happen(world, event)
            await world.start()
            const before = inUse(world)
            const { resourceVersion } = await world.list('clusterimageevents')
            if (how === 'restart') await world.stop()
            else world.cluster.pods.interrupt()
            for (const event of second) happen(world, event)
            if (how === 'restart') await world.start()
            else world.cluster.pods.resume('relist')
            await world.settle()
            const after = inUse(world)
            const notices = await world.replay('clusterimageevents', resourceVersion)
            const told = notices.flatMap((notice) =>
              notice.type === 'BOOKMARK' ? [] : [notice.object as unknown as ImageEvent],
            )
            assert.ok(told.every(({ late }) => late))
            assert.deepEqual(
              told.map(({ op, image }) => `${op}${image}`).toSorted(),
              [
                ...[...after.cluster].filter((each) => !before.cluster.has(each)).map((each) => `+${each}`),
                ...[...before.cluster].filter((each) => !after.cluster.has(each)).map((each) => `-${each}`),
              ].toSorted(),
            )
          } finally {
            await world.end()
          }
        },
      ),
      { numRuns: 40 },
    )
  })
})
