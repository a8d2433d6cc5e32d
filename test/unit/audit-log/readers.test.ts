import assert from 'node:assert/strict'
import { ChangeReader } from '../../../server/audit-log/readers/change-reader.ts'
import { changeId, changeName } from '../../../server/audit-log/change-name.ts'
import { ApiError } from '../../../server/kit/api/api-error.ts'
import type { AccessReviewer } from '../../../server/kit/api/access-reviews.ts'
import type { ListQuery, WatchNotice, WatchQuery } from '../../../server/kit/api/resource.ts'
import type { Change } from '../../../src/core/wire/change.ts'
import { ManualClock } from '../../kit/manual-clock.ts'
import { BEGINS, PaperChanges } from './paper-changes.ts'

const SECRET = { group: '', resource: 'secrets', kind: 'Secret', name: 'db' } as const
const CALLER = { username: 'jane', uid: '', groups: [], extra: {} }
const SHOP = { namespace: 'shop', namespaceUid: undefined }
const never = new AbortController().signal

/** Rights by `group/resource`, `*` for all kinds in the whole cluster. */
class PaperRights implements AccessReviewer {
  rights = new Set<string>()
  uid = 'uid-of-shop'

  async allows(
    _caller: unknown,
    { group, resource, namespace }: Parameters<AccessReviewer['allows']>[1],
  ): Promise<boolean> {
    return this.rights.has(`${group}/${resource}${namespace === undefined ? ' everywhere' : ''}`)
  }

  async namespaceUid(): Promise<string> {
    return this.uid
  }
}

describe('readers of changes', () => {
  let source: PaperChanges
  let rights: PaperRights
  let clock: ManualClock
  let reader: ChangeReader
  let ofCluster: ChangeReader

  beforeEach(() => {
    source = new PaperChanges()
    rights = new PaperRights()
    rights.rights.add('*/* everywhere')
    clock = new ManualClock(BEGINS + 100_000)
    const deps = { source, reviewer: rights, clock }
    reader = new ChangeReader({ ...deps, cluster: false })
    ofCluster = new ChangeReader({ ...deps, cluster: true })
  })

  const list = async (query: Partial<ListQuery> = {}, from = reader) => {
    const all = { ...SHOP, fields: [], limit: 0, continue: '', sinceTime: undefined, ...query }
    const page = await from.list(all, CALLER, never)
    return { ...page, changes: page.items as unknown as readonly Change[] }
  }
  const names = async (query: Partial<ListQuery> = {}, from = reader): Promise<string[]> =>
    (await list(query, from)).items.map(({ metadata }) => metadata.name)
  const state = (value: string) => [{ field: 'state', operator: '=', value } as const]

  function watch(query: Partial<WatchQuery> = {}, signal = never): AsyncIterator<WatchNotice> {
    const all = { ...SHOP, fields: [], resourceVersion: undefined, sinceTime: undefined, ...query }
    return reader.watch(all, CALLER, signal)[Symbol.asyncIterator]()
  }
  const next = async (notices: AsyncIterator<WatchNotice>): Promise<string> => {
    const { value, done } = await notices.next()
    if (done) return 'end'
    const notice = value
    return notice.type === 'BOOKMARK'
      ? `BOOKMARK ${notice.resourceVersion}`
      : `${notice.type} ${notice.object.metadata.name}`
  }

  it('list what landed, the newest first', async () => {
    source.add()
    for (const each of ['pending', 'not-landed', 'superseded'] as const) source.add({ state: each })
    source.add({ state: 'admitted' })
    assert.deepEqual(await names(), ['7-1005', '7-1001'])
  })

  it('count all that is kept of one object, whichever of its changes are asked for', async () => {
    source.add()
    source.add({ state: 'not-landed' })
    const terms = [
      ['object.group', 'apps'],
      ['object.resource', 'deployments'],
      ['object.name', 'web'],
      ['user.username', 'nobody'],
    ].map(([field = '', value = '']) => ({ field, operator: '=', value }) as const)
    const { items, extra } = await list({ fields: terms, sinceTime: BEGINS + 90_000, perObject: 1 })
    assert.deepEqual([items.length, extra?.['kept']], [0, 1])
  })

  it('list what did not land only where its state is named', async () => {
    const refused = source.add({ state: 'not-landed' })
    assert.deepEqual(await names(), [])
    const { changes } = await list({ fields: state('not-landed') })
    assert.deepEqual(
      changes.map(({ metadata }) => metadata?.name),
      [changeName(refused.id)],
    )
  })

  it('serve whole objects, whose name is the id of the audit annotation', async () => {
    source.add()
    const [change] = (await list()).changes
    assert.equal(change?.kind, 'Change')
    assert.deepEqual(change?.metadata, {
      name: '7-1001',
      namespace: 'shop',
      uid: change?.metadata?.uid,
      resourceVersion: '1001',
      creationTimestamp: '2026-11-21T02:00:01Z',
    })
    assert.equal(change?.time, '2026-11-21T02:00:01.001Z')
    const [wide] = (await list({ namespace: undefined }, ofCluster)).changes
    assert.deepEqual([wide?.kind, wide?.metadata?.namespace], ['ClusterChange', undefined])
  })

  it('go on where the page before ended', async () => {
    for (let index = 0; index < 5; index += 1) source.add()
    const first = await list({ limit: 2 })
    const second = await list({ limit: 2, continue: first.continue })
    const third = await list({ limit: 2, continue: second.continue })
    assert.deepEqual(
      [first, second, third].map(({ items }) => items.map(({ metadata }) => metadata.name)),
      [['7-1005', '7-1004'], ['7-1003', '7-1002'], ['7-1001']],
    )
    assert.equal(third.continue, '')
    await assert.rejects(list({ continue: 'bm9uc2Vuc2U' }), { reason: 'BadRequest' })
  })

  it('tell since when is recorded, and the gaps', async () => {
    source.gapsKept = [
      { from: BEGINS + 1000, to: BEGINS + 9000, reason: 'companion restarted' },
      { from: BEGINS + 60_000, to: undefined, reason: 'webhook was removed' },
    ]
    const { extra } = await list()
    assert.deepEqual(extra, {
      recordingSince: '2026-11-21T02:00:00Z',
      gaps: [
        { from: '2026-11-21T02:01:00Z', reason: 'webhook was removed' },
        { from: '2026-11-21T02:00:01Z', to: '2026-11-21T02:00:09Z', reason: 'companion restarted' },
      ],
    })
    assert.deepEqual((await list({ sinceTime: BEGINS - 1 })).warnings, [
      'changes are not recorded since 2026-11-21T02:01:00Z: webhook was removed',
      'changes were not recorded from 2026-11-21T02:00:01Z to 2026-11-21T02:00:09Z: companion restarted',
      'changes are recorded since 2026-11-21T02:00:00Z',
    ])
    source.ready = { ok: false, reason: 'no space is left' }
    assert.deepEqual((await list()).warnings?.slice(0, 1), [
      'changes are not recorded at present: no space is left',
    ])
  })

  it('warn of ended gaps within what a page is of, in one sentence', async () => {
    const gap = (from: number, to: number) => ({
      from: BEGINS + from * 1000,
      to: BEGINS + to * 1000,
      reason: 'companion restarted',
    })
    source.gapsKept = [gap(10, 16), gap(30, 36), gap(50, 58)]
    assert.deepEqual((await list()).warnings, [
      'changes were not recorded 3 times from 2026-11-21T02:00:10Z to 2026-11-21T02:00:58Z, 20 s in all',
    ])
    for (const time of [20, 40, 70]) source.add({ time: BEGINS + time * 1000 })
    const pages = [await list({ limit: 1 })]
    for (let page = pages[0]; page?.continue; page = pages.at(-1))
      pages.push(await list({ limit: 1, continue: page.continue }))
    assert.deepEqual(
      pages.map(({ warnings }) => warnings?.map((text) => text.slice(0, 52))),
      [
        [],
        ['changes were not recorded from 2026-11-21T02:00:50Z '],
        ['changes were not recorded from 2026-11-21T02:00:30Z '],
      ],
    )
    assert.match((await list({ sinceTime: BEGINS + 33_000 })).warnings?.[0] ?? '', / 2 times from /)
  })

  it('tell what is not recorded from what has no changes', async () => {
    const of = (resource: string, group?: string) =>
      list({
        fields: [
          { field: 'object.resource', operator: '=', value: resource },
          ...(group === undefined ? [] : [{ field: 'object.group', operator: '=', value: group } as const]),
        ],
      })
    for (const known of [await of('deployments'), await of('deployments', 'apps'), await of('secrets', '')])
      assert.deepEqual([known.extra?.['unrecorded'], known.warnings], [undefined, []])
    for (const [found, name] of [
      [await of('replicasets', 'apps'), 'replicasets.apps'],
      [await of('deployments', 'example.org'), 'deployments.example.org'],
      [await of('events', ''), 'events'],
    ] as const) {
      assert.equal(found.extra?.['unrecorded'], true)
      assert.match(found.warnings?.[0] ?? '', new RegExp(`^not recorded: ${name}: .*auditLog\\.resources`))
    }
  })

  describe('for who may not see everything', () => {
    beforeEach(() => {
      rights.rights.clear()
      rights.rights.add('apps/deployments').add('/configmaps')
      source.add()
      source.add({ object: SECRET })
    })

    it('show kinds that they may get, and of others not even names', async () => {
      assert.deepEqual(await names(), ['7-1001'])
      const get = (name: string) => reader.get({ ...SHOP, name }, CALLER)
      assert.equal(await get('7-1002'), undefined)
      assert.equal((await get('7-1001'))?.metadata.name, '7-1001')
      assert.equal(await get('7-9999'), undefined)
      assert.equal(await get('secrets'), undefined)
    })

    it('show Secrets to who may get them', async () => {
      rights.rights.add('/secrets')
      assert.deepEqual(await names(), ['7-1002', '7-1001'])
    })

    it('show nothing that a deleted namespace of that name left, whatever the scope says', async () => {
      source.add({ object: { namespaceUid: 'uid-of-the-shop-before' } })
      assert.deepEqual(await names(), ['7-1001'])
      rights.rights.add('*/* everywhere')
      assert.deepEqual(await names(), ['7-1003', '7-1002', '7-1001'])
    })

    it('tell nobody who touched the fields of what they may not see', async () => {
      const id = { writer: 7, seq: 1002 }
      source.touches = [
        {
          path: 'data.a',
          id,
          operation: 'UPDATE',
          time: BEGINS,
          username: 'jane',
          manager: 'x',
          state: 'confirmed',
        },
      ]
      const named = (resource: string, name: string) => [
        { field: 'object.resource', operator: '=', value: resource } as const,
        { field: 'object.name', operator: '=', value: name } as const,
      ]
      const { extra } = await list({ fields: named('secrets', 'db') })
      assert.deepEqual([extra?.['touched'], extra?.['kept']], [undefined, undefined])
      rights.rights.add('/secrets')
      const seen = await list({ fields: named('secrets', 'db') })
      assert.deepEqual(seen.extra?.['kept'], 1)
      assert.deepEqual((seen.extra as { touched?: { change: string }[] }).touched?.[0]?.change, '7-1002')
    })

    it('end a watch whose caller may see less than when it began', async () => {
      const notices = watch({ resourceVersion: '1002' })
      const first = notices.next()
      await clock.untilSleep(() => true)
      rights.rights.delete('/configmaps')
      await clock.advance(10_001)
      await assert.rejects(first, (error: unknown) => error instanceof ApiError && error.reason === 'Expired')
    })

    it('leave out of a watch what may not be seen', async () => {
      const notices = watch({ resourceVersion: '1002' })
      const first = next(notices)
      source.add({ object: SECRET })
      source.add()
      assert.equal(await first, 'ADDED 7-1004')
    })
  })

  it('watch from the beginning, the oldest first, and then what follows', async () => {
    source.add()
    source.add({ state: 'pending' })
    const notices = watch()
    assert.equal(await next(notices), 'ADDED 7-1001')
    assert.equal(await next(notices), 'BOOKMARK 1002')
    const following = next(notices)
    const admitted = source.add({ state: 'admitted', object: SECRET })
    assert.equal(await following, 'ADDED 7-1003')
    source.decide(admitted, { state: 'confirmed' })
    assert.equal(await next(notices), 'MODIFIED 7-1003')
  })

  it('tell a change when it lands, and never before', async () => {
    const pending = source.add({ state: 'pending' })
    const notices = watch({ resourceVersion: '1001' })
    const first = next(notices)
    source.decide(pending, { state: 'confirmed' })
    assert.match(await first, /7-1001$/)
  })

  it('resume exactly, or say that they cannot', async () => {
    source.add()
    source.add()
    assert.equal(await next(watch({ resourceVersion: '1001' })), 'ADDED 7-1002')
    source.trimmed = 1001
    await assert.rejects(next(watch({ resourceVersion: '1000' })), { reason: 'Expired' })
    await assert.rejects(next(watch({ resourceVersion: '1003' })), { reason: 'Expired' })
  })

  it('send a bookmark when nothing happens', async () => {
    const notices = watch({ resourceVersion: '1000' })
    const first = next(notices)
    for (let step = 0; step < 3; step += 1) {
      await clock.untilSleep(() => true)
      await clock.advance(10_000)
    }
    assert.equal(await first, 'BOOKMARK 1000')
  })

  it('end quietly with the signal', async () => {
    const controller = new AbortController()
    const notices = watch({ resourceVersion: '1000' }, controller.signal)
    const first = next(notices)
    controller.abort()
    assert.equal(await first, 'end')
  })

  it('say that they cannot answer before the recorder is up', async () => {
    source.started = false
    await assert.rejects(list(), { reason: 'ServiceUnavailable' })
  })

  it('name changes in one way only', () => {
    assert.deepEqual(changeId('7-1001'), { writer: 7, seq: 1001 })
    for (const name of ['', '7', '07-1', '7-01', '7-0', '-1-2', '7-1-2', 'a-b', `7-${'9'.repeat(20)}`])
      assert.equal(changeId(name), undefined, name)
  })
})
