import assert from 'node:assert/strict'
import { copyFileSync, readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { MIGRATIONS } from '../../../server/image-graph/journal-migrations.ts'
import type { ServedObject } from '../../../server/kit/api/resource.ts'
import type { ContainerType } from '../../../src/core/wire/pod.ts'
import type { ImageEvent } from '../../../src/core/wire/image.ts'
import { RoomWorld } from '../../unit/image-graph/room-world.ts'
import { told } from '../../unit/image-graph/told.ts'
import { use, webPod } from '../../unit/images/pods.ts'

const PLURALS = ['images', 'clusterimages', 'imageevents', 'clusterimageevents'] as const
type Said = Record<(typeof PLURALS)[number], readonly ServedObject[]>

/** Which images the pods had that were there when the fixture's companion ended; see record-store.ts. */
const PODS: Readonly<Record<string, readonly (readonly [ContainerType, string, string])[]>> = {
  'shop/web-1': [
    ['init', 'init', 'busybox:1.36'],
    ['container', 'app', 'nginx:1.25'],
  ],
  'pay/web-1': [
    ['init', 'init', 'busybox:1.36'],
    ['container', 'app', 'docker.io/nginx:1.25'],
  ],
  'shop/web-2': [
    ['init', 'init', 'busybox:1.36'],
    ['container', 'app', 'nginx:1.27'],
  ],
}

for (let schema = 1; schema <= MIGRATIONS.length; schema += 1) {
  describe(`a store of schema ${schema} that a real run left`, () => {
    const fixture = join(import.meta.dirname, `schema-${schema}`)
    const said = (): Said => JSON.parse(readFileSync(join(fixture, 'said.json'), 'utf8')) as Said
    let world: RoomWorld

    beforeEach(async () => {
      world = new RoomWorld()
      copyFileSync(join(fixture, 'image-graph.sqlite'), join(world.folder, 'image-graph.sqlite'))
      // Later than the fixture, by less than history is kept.
      const last = Math.max(
        ...(said().imageevents as unknown as ImageEvent[]).map(({ time }) => Date.parse(time)),
      )
      world.skew = last + 3_600_000 - world.clock.now()
      for (const [key, images] of Object.entries(PODS)) {
        const [namespace = '', name = ''] = key.split('/')
        const uid = (said().imageevents as unknown as ImageEvent[]).find(
          ({ pod }) => pod.namespace === namespace && pod.name === name,
        )?.pod.uid
        assert.ok(uid)
        world.cluster.namespace(namespace)
        const uses = images.map(([type, container, image]) => use(container, image, { type }))
        world.cluster.pods.put(webPod(name, uses, { uid, namespace, nodeName: 'node-1', owner: undefined }))
      }
      await world.start()
    })

    afterEach(() => world.end())

    it('goes on saying what it said', async () => {
      for (const plural of PLURALS) assert.deepEqual((await world.list(plural)).items, said()[plural], plural)
      assert.deepEqual(
        readdirSync(world.folder).filter((name) => name.includes('damaged')),
        [],
      )
    })

    it('lets watches go on from where they were', async () => {
      const events = said().clusterimageevents
      const [first] = events
      world.cluster.end('pay', 'web-1')
      await world.settle()
      const replayed = await world.replay('clusterimageevents', first?.metadata.resourceVersion)
      assert.deepEqual(
        replayed
          .slice(0, events.length - 1)
          .flatMap((notice) => (notice.type === 'BOOKMARK' ? [] : notice.object)),
        events.slice(1),
      )
      assert.deepEqual(told(replayed.slice(events.length - 1)), ['ADDED -docker.io/nginx:1.25 pay/web-1'])
    })
  })
}
