import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import type { ListWatchEvent } from '../../../src/core/kube/list-watch-event.ts'
import { WatchedObjects } from '../../../src/core/kube/list-watch-objects.ts'

interface Thing {
  readonly uid: string
  readonly resourceVersion: string
  readonly name: string
}

const thing = (name: string, resourceVersion: string, uid = `uid-of-${name}`): Thing => ({
  uid,
  resourceVersion,
  name,
})

const text = (event: ListWatchEvent<Thing> | undefined): string | undefined => {
  switch (event?.type) {
    case 'added':
      return `${event.initial ? 'initial' : 'added'} ${event.object.uid}@${event.object.resourceVersion}`
    case 'modified':
      return `modified ${event.object.uid}@${event.previous.resourceVersion}→${event.object.resourceVersion}`
    case 'deleted':
      return `deleted ${event.object.uid}@${event.object.resourceVersion}`
    default:
      return event?.type
  }
}

describe('the objects of a watch', () => {
  function listed(...things: Thing[]): WatchedObjects<Thing> {
    const objects = new WatchedObjects<Thing>()
    for (const one of things) objects.initial(one)
    objects.listed('100')
    return objects
  }

  it('tells each change once, in the words of what was known before', () => {
    const objects = listed(thing('a', '5'))
    assert.equal(text(objects.apply('MODIFIED', thing('a', '101'))), 'modified uid-of-a@5→101')
    assert.equal(text(objects.apply('ADDED', thing('b', '102'))), 'added uid-of-b@102')
    assert.equal(text(objects.apply('DELETED', thing('a', '103'))), 'deleted uid-of-a@103')
    assert.deepEqual([objects.count, objects.resourceVersion], [1, '103'])
  })

  it('tells nothing when the server repeats itself', () => {
    const objects = listed(thing('a', '5'))
    for (const [type, object] of [
      ['ADDED', thing('a', '5')],
      ['MODIFIED', thing('a', '100')],
    ] as const) {
      assert.equal(objects.apply(type, object), undefined)
    }
    objects.apply('DELETED', thing('a', '101'))
    assert.equal(objects.apply('ADDED', thing('a', '99')), undefined)
    assert.equal(objects.apply('DELETED', thing('a', '101')), undefined)
    assert.equal(objects.apply('DELETED', thing('never-there', '102')), undefined)
  })

  it('orders versions as numbers, however long', () => {
    const objects = listed()
    objects.listed('999')
    assert.equal(text(objects.apply('ADDED', thing('a', '1000'))), 'added uid-of-a@1000')
    assert.equal(objects.apply('MODIFIED', thing('a', '999')), undefined)
  })

  it('takes versions that are no numbers for new unless they are the same', () => {
    const objects = listed()
    objects.listed('opaque-b')
    assert.equal(objects.apply('ADDED', thing('a', 'opaque-b')), undefined)
    assert.equal(text(objects.apply('ADDED', thing('a', 'opaque-a'))), 'added uid-of-a@opaque-a')
  })

  it('moves on with bookmarks and notices a server that has gone back', () => {
    const objects = listed()
    assert.equal(objects.bookmark('100'), true)
    assert.equal(objects.bookmark('250'), true)
    assert.equal(objects.resourceVersion, '250')
    assert.equal(objects.bookmark('90'), false)
  })

  it('tells the ends first when a list shows that a name was used again', () => {
    const objects = listed(thing('web-0', '5', 'old'), thing('kept', '6'), thing('changed', '7'))
    const relist = objects.relist(false)
    relist.add([thing('web-0', '120', 'new'), thing('kept', '6')])
    relist.add([thing('changed', '130')])
    assert.deepEqual(relist.finish('200').map(text), [
      'deleted old@5',
      'added new@120',
      'modified uid-of-changed@7→130',
    ])
    assert.deepEqual([objects.count, objects.resourceVersion], [3, '200'])
  })

  it('changes nothing by a list that never came to its end', () => {
    const objects = listed(thing('a', '5'))
    objects.relist(false).add([thing('b', '7')])
    assert.deepEqual([objects.count, objects.resourceVersion], [1, '100'])
  })

  it('arrives at the list, whatever was known before', () => {
    const things = fc.uniqueArray(
      fc.record({ uid: fc.constantFrom(...'abcdefgh'), version: fc.integer({ min: 1, max: 5 }) }),
      {
        selector: ({ uid }) => uid,
      },
    )
    fc.assert(
      fc.property(things, things, (before, after) => {
        const make = ({ uid, version }: { uid: string; version: number }): Thing =>
          thing(uid, String(version), uid)
        const objects = listed(...before.map(make))
        const known = new Map(before.map((one) => [one.uid, String(one.version)]))
        const relist = objects.relist(false)
        // A page that comes twice makes no difference.
        for (const one of [...after, ...after]) relist.add([make(one)])
        for (const event of relist.finish('200')) {
          switch (event.type) {
            case 'added':
              assert.equal(known.has(event.object.uid), false)
              known.set(event.object.uid, event.object.resourceVersion)
              break
            case 'modified':
              assert.equal(known.get(event.object.uid), event.previous.resourceVersion)
              known.set(event.object.uid, event.object.resourceVersion)
              break
            case 'deleted':
              assert.ok(known.delete(event.object.uid))
              break
            default:
              assert.fail(`a relist told ${event.type}`)
          }
        }
        assert.deepEqual(known, new Map(after.map((one) => [one.uid, String(one.version)])))
      }),
    )
  })
})
