import { setImmediate as turn } from 'node:timers/promises'
import { createPeerReader } from '../../../server/kit/peer/peer-reader.ts'
import { MemoryResource } from '../../kit/aggregated/memory-resource.ts'
import { RoomWorld } from '../../unit/image-graph/room-world.ts'
import { startPeerWorld } from '../../unit/kit/peer-world.ts'
import { checkResourceReader, type ReaderWorld } from './check-resource-reader.ts'

/** A world over widgets, whoever reads them. */
function widgetWorld(
  widgets: MemoryResource,
  rest: Pick<ReaderWorld, 'reader' | 'stop' | 'seeOnly'>,
): ReaderWorld {
  const namespaceUid = (namespace: string): string => `uid-of-${namespace}`
  const name = (number: number): string => `widget-${number}`
  return {
    ...rest,
    namespaceUid,
    add: async (namespace, number) => {
      widgets.put({ name: name(number), namespace, namespaceUid: namespaceUid(namespace) })
    },
    undo: async (namespace, number) => widgets.remove(name(number), namespace),
    settle: () => turn(),
  }
}

checkResourceReader('in memory', async () => {
  const widgets = new MemoryResource()
  return widgetWorld(widgets, { reader: widgets, stop: async () => undefined })
})

checkResourceReader('of a peer', async () => {
  const world = await startPeerWorld()
  return widgetWorld(world.widgets, {
    reader: createPeerReader(world.client, 'widgets'),
    // Where the data is, what the caller may see is found out again.
    seeOnly: (namespaceUid) => {
      world.authorizer.scope = ({ namespace }) => ({ namespace, namespaceUid })
    },
    stop: () => world.stop(),
  })
})

for (const plural of ['images', 'imageevents'] as const) {
  checkResourceReader(`of the image graph’s ${plural}`, async () => {
    const world = new RoomWorld()
    await world.start()
    return {
      reader: world.reader(plural),
      namespaceUid: (namespace) => world.cluster.namespace(namespace),
      add: async (namespace, number) => {
        world.cluster.run(namespace, `pod-${number}`, { app: `image-${number}:1` })
        await world.settle()
      },
      undo: async (namespace, number) => {
        world.cluster.end(namespace, `pod-${number}`)
        await world.settle()
      },
      settle: () => world.settle(1),
      stop: () => world.end(),
    }
  })
}
