import assert from 'node:assert/strict'
import type { ImageGraphPlural } from '../../../server/image-graph/index.ts'
import { RoomWorld } from './room-world.ts'

describe('the screens of kubectl get', () => {
  let world: RoomWorld

  beforeEach(() => {
    world = new RoomWorld()
  })

  afterEach(() => world.end())

  /** As kubectl prints a table: columns as wide as their widest cell, three blanks between them. */
  async function screen(
    plural: ImageGraphPlural,
    { wide = false, namespaces = false } = {},
  ): Promise<string[]> {
    const resource = world.room.resources.find((each) => each.plural === plural)
    const columns = (resource?.columns ?? []).filter(({ priority }) => wide || priority === 0)
    const { items } = await world.list(plural)
    const rows = [
      [...(namespaces ? ['NAMESPACE'] : []), ...columns.map(({ name }) => name.toUpperCase())],
      ...items.map((item) => [
        ...(namespaces ? [item.metadata.namespace ?? ''] : []),
        ...columns.map(({ cell }) => String(cell(item, world.clock.now()))),
      ]),
    ]
    const widths = rows[0]?.map((_, i) => Math.max(...rows.map((row) => row[i]?.length ?? 0))) ?? []
    return rows.map((row) =>
      row
        .map((text, i) => text.padEnd(widths[i] ?? 0))
        .join('   ')
        .trimEnd(),
    )
  }

  it('fit 100 columns, with the longer things left to -o wide', async () => {
    world.cluster.node('n1', [{ names: ['docker.io/library/nginx:1.25'], sizeBytes: 67 * 2 ** 20 }])
    world.cluster.run('shop', 'web-7d9c5b-x2x4q', { app: 'nginx:1.25', log: 'acme/log:2' })
    world.cluster.run('shop', 'web-7d9c5b-9k2lm', { app: 'nginx:1.25' })
    await world.start()
    await world.settle(290)
    assert.deepEqual(await screen('images', { namespaces: true }), [
      'NAMESPACE   NAME                    IMAGE        PODS   WORKLOADS   NODES   SIZE     AGE',
      'shop        acme-log-2-ecfad6ddad   acme/log:2   1      1           1       ?        4m53s',
      'shop        nginx-1-25-251ad31786   nginx:1.25   2      1           1       67 MiB   4m53s',
    ])
    assert.deepEqual(await screen('clusterimageevents'), [
      'NAME               OP   IMAGE        POD                     AGE',
      '1795227247000001   +    nginx:1.25   shop/web-7d9c5b-x2x4q   4m53s',
      '1795227247000002   +    acme/log:2   shop/web-7d9c5b-x2x4q   4m53s',
    ])
    assert.deepEqual((await screen('imageevents', { wide: true })).slice(0, 2), [
      'NAME               OP   IMAGE        POD                AGE     LATE   TIME',
      '1795227247000001   +    nginx:1.25   web-7d9c5b-x2x4q   4m53s   late   2026-11-21T02:14:07.000Z',
    ])
    assert.match(
      (await screen('clusterimages', { wide: true }))[2] ?? '',
      / - {8}docker\.io\/library\/nginx {3}1\.25 {3}\+ shop\/web-7d9c5b-x2x4q 4m53s \(seen late\)$/,
    )
  })
})
