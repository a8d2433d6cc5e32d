import assert from 'node:assert/strict'
import type { ListPage, WatchNotice } from '../../../server/kit/api/resource.ts'
import type { Image, ImageEvent } from '../../../src/core/wire/image.ts'
import { RoomWorld } from './room-world.ts'

const events = ({ items }: Pick<ListPage, 'items'>): string[] =>
  (items as unknown as ImageEvent[]).map(
    ({ op, image, pod, late }) => `${op}${image} ${pod.namespace}/${pod.name}${late ? ' late' : ''}`,
  )
const images = ({ items }: Pick<ListPage, 'items'>): string[] =>
  (items as unknown as Image[]).map(
    ({ image, usage, metadata }) => `${metadata.namespace ?? '*'} ${image.reference} ${usage.pods}`,
  )
const told = (notices: readonly WatchNotice[]): string[] =>
  notices.map((notice) =>
    notice.type === 'BOOKMARK'
      ? `bookmark${notice.initialEnd ? ' of the initial end' : ''}`
      : `${notice.type} ${(notice.object as unknown as Image).image.reference}`,
  )

describe('the image graph', () => {
  let world: RoomWorld

  beforeEach(() => {
    world = new RoomWorld()
  })

  afterEach(() => world.end())

  it('tells what is in use at its first start as events that were seen late', async () => {
    world.cluster.run('shop', 'web-1', { app: 'nginx', log: 'fluentd' })
    world.cluster.run('pay', 'web-1', { app: 'nginx' })
    await world.start()
    assert.deepEqual(events(await world.list('imageevents')), [
      '+nginx shop/web-1 late',
      '+fluentd shop/web-1 late',
      '+nginx pay/web-1 late',
    ])
    assert.deepEqual(events(await world.list('clusterimageevents')), [
      '+nginx shop/web-1 late',
      '+fluentd shop/web-1 late',
    ])
    assert.deepEqual(images(await world.list('images')), ['pay nginx 1', 'shop fluentd 1', 'shop nginx 1'])
    assert.deepEqual(images(await world.list('clusterimages')), ['* fluentd 1', '* nginx 2'])
  })
})
