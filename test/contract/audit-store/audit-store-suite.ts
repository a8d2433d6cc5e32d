import assert from 'node:assert/strict'
import type {
  AuditStore,
  ChangeRecord,
  ChangeQuery,
  NumberedChange,
  PageCursor,
} from '../../../server/audit-log/store/audit-store.ts'
import { everything, madeVia } from '../../kit/sample-change.ts'
import { batch, change, deployment, knownAs, limits, NOON, person, secret } from './sample-changes.ts'

/** One store, which a test may close and open again. */
export interface StoreFixture {
  readonly store: AuditStore
  /** The same data by a new process: closes the store and opens another. */
  reopen(): Promise<AuditStore>
  /** All bytes in which data is kept. */
  bytes(): Promise<Buffer>
  remove(): Promise<void>
}

/** What every store of changes must do, whatever it is kept in. */
export function auditStoreSuite(open: () => Promise<StoreFixture>): void {
  let fixture: StoreFixture
  let store: AuditStore

  beforeEach(async () => {
    fixture = await open()
    store = fixture.store
    await store.claim()
  })
  afterEach(() => fixture.remove())

  const seqs = (changes: readonly NumberedChange[]): number[] => changes.map(({ id }) => id.seq)
  const list = async (query: Partial<ChangeQuery> = {}): Promise<number[]> =>
    seqs((await store.page(everything(query), 1000, undefined)).items)
  const select = (...fields: ChangeQuery['fields'][number][]): Promise<number[]> => list({ fields })
  const equals = (field: string, value: string) => ({ field, operator: '=' as const, value })
  const differs = (field: string, value: string) => ({ field, operator: '!=' as const, value })

  describe('records', () => {
    it('are given back as they came, with a number', async () => {
      const records = [
        change(1),
        change(2, {
          operation: 'CREATE',
          state: 'ambiguous',
          reason: 'two wrote the same',
          object: deployment('ünï', {
            subresource: 'scale',
            resourceVersion: { before: '', after: '9007199254740993' },
          }),
          user: { username: 'system:serviceaccount:a:b', uid: 'u', groups: [], extra: { k: ['v', 'w'] } },
          actor: 'service-account',
          candidates: [person('alice'), person('bob', [])],
          via: {
            manager: 'argocd-controller',
            tool: 'argo-cd',
            source: 'Application argocd/shop',
            revision: '9f3c2e1',
            initiatedBy: 'carol',
            manual: false,
          },
          changes: [
            { path: '', op: 'add', to: { a: null, b: [1, 'x'.repeat(5000)], ['__proto__x']: {} } },
            {
              path: 'spec.containers[name=app].ports[containerPort=80,protocol=TCP]',
              op: 'remove',
              from: null,
            },
            { path: 'metadata.annotations["a.b/c]["]', op: 'add', to: 'v' },
            {
              path: 'data["app.conf"]',
              op: 'replace',
              lines: [{ line: 3, from: ['one', 'two'], to: ['three'] }],
            },
            { path: 'spec.containers[name=b]', op: 'replace', index: { from: 1, to: 0 } },
          ],
          cause: { type: 'owner', change: '7-1', object: 'Deployment web', username: 'alice' },
        }),
        change(3, { user: undefined as never, state: 'unattributed', actor: 'unknown', changes: [] }),
        change(4, { truncated: true, changes: [] }),
      ].map((record) => {
        const { user, ...rest } = record
        return user === undefined ? rest : record
      })
      const { number } = await store.commit(batch({ added: records }))
      for (const record of records) {
        const found = await store.get(record.id)
        assert.ok(found)
        const { number: given, ...kept } = found
        assert.deepEqual(kept, record)
        assert.ok(given <= number)
      }
    })

    it('of many kinds and sizes stay what they are once dictionaries are in use', async () => {
      const records = Array.from({ length: 400 }, (_, i) => {
        const value = `value ${i} ${'long '.repeat(i % 90)}`
        const whole = {
          apiVersion: 'apps/v1',
          metadata: { name: `n${i}` },
          spec: { template: value, replicas: i },
        }
        return change(i + 1, {
          object: deployment(`n${i % 50}`),
          changes:
            i % 3 === 0
              ? [{ path: '', op: 'add', to: whole }]
              : [
                  { path: `spec.containers[name=c${i}].image`, op: 'replace', from: value, to: `${value}.` },
                  {
                    path: `spec.template.spec.containers[name=c${i}].env[name=E].value`,
                    op: 'add',
                    to: value,
                  },
                ],
        })
      })
      for (let from = 0; from < records.length; from += 50)
        await store.commit(
          batch({
            added: records.slice(from, from + 50),
            known: records
              .slice(from, from + 50)
              .map(({ object, changes }) => knownAs(object, { body: changes })),
          }),
        )
      store = await fixture.reopen()
      await store.claim()
      await store.commit(batch({ added: [change(401, { changes: records[7]?.changes ?? [] })] }))
      const { items } = await store.page(everything(), 1000, undefined)
      assert.deepEqual(items.map(withoutNumber).toReversed(), [
        ...records,
        change(401, { changes: records[7]?.changes ?? [] }),
      ])
      assert.deepEqual((await store.knownObject('uid-of-n49'))?.body, records[399]?.changes)
    })

    it('that come twice change nothing', async () => {
      await store.commit(batch({ added: [change(1), change(2)] }))
      const before = await store.get({ writer: 7, seq: 1 })
      const { number } = await store.state()
      const again = await store.commit(
        batch({ added: [change(1, { reason: 'another' }), change(2), change(2)] }),
      )
      assert.equal(again.number, number)
      assert.deepEqual(await store.get({ writer: 7, seq: 1 }), before)
      assert.equal(await store.count(everything()), 2)
    })

    it('of two writers with one seq are two', async () => {
      await store.commit(
        batch({ added: [change(1), change(1, { id: { writer: 2147483647, seq: 1 }, reason: 'other' })] }),
      )
      assert.equal((await store.get({ writer: 7, seq: 1 }))?.reason, '')
      assert.equal((await store.get({ writer: 2147483647, seq: 1 }))?.reason, 'other')
      assert.equal(await store.get({ writer: 8, seq: 1 }), undefined)
    })
  })

  describe('numbers', () => {
    it('begin at the seconds of the clock, rise by each record and decision, and are told in their order', async () => {
      const first = await store.state()
      assert.equal(first.number, Math.floor(first.begins / 1000) * 1_000_000)
      assert.equal(first.trimmed, first.number)
      await store.commit(batch({ added: [change(1, { state: 'pending' }), change(2)] }))
      await store.commit(
        batch({
          added: [change(3)],
          decided: [
            { id: { writer: 7, seq: 1 }, state: 'confirmed', reason: '', resourceVersionAfter: '44' },
          ],
        }),
      )
      const told = await store.after(first.number, 100)
      assert.deepEqual(seqs(told), [2, 3, 1])
      const numbers = told.map(({ number }) => number)
      assert.deepEqual(
        numbers,
        numbers.toSorted((a, b) => a - b),
      )
      assert.equal(new Set(numbers).size, 3)
      assert.equal(numbers.at(-1), (await store.state()).number)
      assert.deepEqual(seqs(await store.after(first.number, 1)), [2])
      assert.deepEqual(seqs(await store.after(numbers[1] ?? 0, 100)), [1])
      assert.deepEqual(await store.after(numbers[2] ?? 0, 100), [])
    })

    it('go on after a restart', async () => {
      const { number } = await store.commit(batch({ added: [change(1)] }))
      store = await fixture.reopen()
      assert.equal((await store.state()).number, number)
      await store.claim()
      assert.equal((await store.commit(batch({ added: [change(2)] }))).number, number + 1)
    })
  })

  describe('decisions', () => {
    it('change what is known of a record, and say whether it was visible before', async () => {
      await store.commit(
        batch({
          added: [change(1, { state: 'pending' }), change(2, { state: 'admitted', object: secret('s') })],
        }),
      )
      assert.deepEqual(await list(), [2])
      assert.deepEqual(seqs(await store.open()), [1, 2])
      await store.commit(
        batch({
          decided: [
            {
              id: { writer: 7, seq: 1 },
              state: 'ambiguous',
              reason: 'two wrote the same',
              resourceVersionAfter: '12',
              candidates: [person('bob')],
              cause: { type: 'autoscaler', change: '', object: 'HorizontalPodAutoscaler web', username: '' },
            },
            { id: { writer: 7, seq: 2 }, state: 'confirmed', reason: '', resourceVersionAfter: '13' },
          ],
        }),
      )
      const [second, first] = (await store.page(everything(), 10, undefined)).items
      assert.equal(first?.state, 'ambiguous')
      assert.equal(first?.reason, 'two wrote the same')
      assert.deepEqual(first?.object.resourceVersion, { before: '1', after: '12' })
      assert.deepEqual(first?.candidates, [person('bob')])
      assert.equal(first?.cause?.type, 'autoscaler')
      assert.equal(first?.revised, undefined)
      assert.equal(second?.revised, true)
      assert.deepEqual(second?.object.resourceVersion, { before: '1', after: '13' })
      assert.deepEqual(await store.open(), [])
    })

    it('of one that did not land take it out of what landed', async () => {
      await store.commit(
        batch({ added: [change(1, { state: 'admitted' }), change(2, { state: 'pending' })] }),
      )
      await store.commit(
        batch({
          decided: [
            { id: { writer: 7, seq: 1 }, state: 'not-landed', reason: 'refused after admission' },
            { id: { writer: 7, seq: 2 }, state: 'superseded', reason: '' },
          ],
        }),
      )
      assert.deepEqual(await list(), [])
      assert.deepEqual(await list({ states: ['not-landed'] }), [1])
      assert.deepEqual(await select(equals('state', 'superseded')), [2])
      assert.deepEqual(await select(differs('state', 'superseded')), [1])
    })

    it('that say nothing new, or are of what is not there, give no number', async () => {
      const { number } = await store.commit(batch({ added: [change(1)] }))
      const decided = [
        { id: { writer: 7, seq: 1 }, state: 'confirmed', reason: '', resourceVersionAfter: '2' },
        { id: { writer: 7, seq: 99 }, state: 'confirmed', reason: '' },
        { id: { writer: 8, seq: 1 }, state: 'confirmed', reason: '' },
      ] as const
      assert.equal((await store.commit(batch({ decided }))).number, number)
    })

    it('may come with a record that is kept again: what a restart reads again may be decided at once', async () => {
      const waiting = [change(1, { state: 'pending' }), change(2, { state: 'admitted' })]
      const over = [change(3), change(4, { state: 'not-landed', reason: 'refused' })]
      await store.commit(batch({ added: [...waiting, ...over] }))
      const { number } = await store.state()
      const again = [1, 2, 3, 4].map((seq) => change(seq, { state: 'confirmed', reason: 'read again' }))
      await store.commit(batch({ added: again }))
      const states = async () =>
        (await Promise.all([1, 2, 3, 4].map((seq) => store.get({ writer: 7, seq })))).map(
          (found) => `${found?.state} ${found?.reason}`,
        )
      const decided = ['confirmed read again', 'confirmed read again', 'confirmed ', 'not-landed refused']
      assert.deepEqual(await states(), decided)
      assert.equal((await store.state()).number, number + 2)
      await store.commit(batch({ added: [1, 2].map((seq) => change(seq, { state: 'pending' })) }))
      assert.deepEqual(await states(), decided)
    })

    it('may come in one batch with the record', async () => {
      await store.commit(
        batch({
          added: [change(1, { state: 'pending' })],
          decided: [{ id: { writer: 7, seq: 1 }, state: 'confirmed', reason: '' }],
        }),
      )
      assert.equal((await store.get({ writer: 7, seq: 1 }))?.state, 'confirmed')
      assert.deepEqual(await list(), [1])
      await store.commit(
        batch({
          added: [change(2, { state: 'admitted' })],
          decided: [{ id: { writer: 7, seq: 2 }, state: 'confirmed', reason: '' }],
        }),
      )
      assert.equal((await store.get({ writer: 7, seq: 2 }))?.revised, undefined, 'nobody saw it before')
    })
  })

  describe('pages', () => {
    it('hold everything once, the newest first, whatever is added meanwhile', async () => {
      const added = Array.from({ length: 100 }, (_, i) => change(i + 1, { time: NOON + Math.floor(i / 7) }))
      await store.commit(batch({ added }))
      const seen: number[] = []
      let after: PageCursor | undefined
      let more = 1000
      do {
        const page = await store.page(everything(), 9, after)
        seen.push(...seqs(page.items))
        after = page.next
        await store.commit(batch({ added: [change(++more), change(++more)] }))
      } while (after)
      assert.deepEqual(seen, added.map(({ id }) => id.seq).toReversed())
    })

    it('end without a cursor where nothing follows', async () => {
      await store.commit(batch({ added: [change(1), change(2)] }))
      assert.equal((await store.page(everything(), 2, undefined)).next, undefined)
      assert.deepEqual((await store.page(everything(), 1, undefined)).next, {
        writer: 7,
        seq: 2,
        time: NOON + 2000,
      })
      assert.deepEqual(await store.page(everything({ namespace: 'none' }), 2, undefined), {
        items: [],
        next: undefined,
      })
    })

    it('are fewer than asked for where they are large, and miss none', async () => {
      const to = 'x'.repeat(1024 * 1024)
      const large = (seq: number): ChangeRecord =>
        change(seq, { changes: [{ path: 'data.a', op: 'add', to }] })
      await store.commit(batch({ added: Array.from({ length: 12 }, (_, i) => large(i + 1)) }))
      const pages: number[][] = []
      let after: PageCursor | undefined
      do {
        const page = await store.page(everything(), 500, after)
        pages.push(seqs(page.items))
        after = page.next
      } while (after)
      assert.deepEqual(pages, [
        [12, 11, 10, 9, 8, 7, 6],
        [5, 4, 3, 2, 1],
      ])
      const told = await store.after((await store.claim()).trimmed, 500)
      assert.deepEqual(seqs(told), [1, 2, 3, 4, 5, 6, 7])
    })

    it('find the few that fit among many that do not', async () => {
      const added = Array.from({ length: 6000 }, (_, i) => {
        const few = i % 1500 === 7
        return change(i + 1, { object: deployment(`d${i % 40}`), via: madeVia({ manual: few }) })
      })
      for (let from = 0; from < added.length; from += 1000)
        await store.commit(batch({ added: added.slice(from, from + 1000) }))
      const fields = [equals('via.manual', 'true')]
      assert.deepEqual(await list({ fields }), [4508, 3008, 1508, 8])
      assert.deepEqual(await list({ namespace: 'shop', fields, perObject: 1 }), [4508, 3008])
      const first = await store.page(everything({ namespace: 'shop', fields }), 3, undefined)
      assert.deepEqual(seqs(first.items), [4508, 3008, 1508])
      assert.deepEqual(
        seqs((await store.page(everything({ namespace: 'shop', fields }), 3, first.next)).items),
        [8],
      )
      assert.deepEqual(await list({ fields: [equals('operation', 'CONNECT')] }), [])
    })

    it('go on behind a change that was deleted meanwhile, or of a writer that is not known', async () => {
      await store.commit(batch({ added: [change(1), change(2), change(3)] }))
      const behind = (writer: number, seq: number) =>
        store.page(everything(), 9, { writer, seq, time: NOON + seq * 1000 })
      assert.deepEqual(seqs((await behind(7, 3)).items), [2, 1])
      assert.deepEqual(seqs((await behind(99, 3)).items), [2, 1])
    })
  })

  describe('selection', () => {
    beforeEach(async () => {
      const node = { username: 'system:node:n1', groups: ['system:nodes'], extra: {} }
      await store.commit(
        batch({
          added: [
            change(1),
            change(2, { user: person('bob'), object: deployment('db', { subresource: 'scale' }) }),
            change(3, { object: secret('key'), state: 'admitted', operation: 'CREATE' }),
            change(4, {
              object: deployment('web', { namespace: 'lab', namespaceUid: 'lab-uid', uid: 'lab-web' }),
              user: node,
              actor: 'node',
              operation: 'DELETE',
              via: madeVia({ manager: 'helm', tool: 'helm', manual: false }),
            }),
            change(5, {
              object: deployment('n1', {
                group: '',
                resource: 'nodes',
                kind: 'Node',
                namespace: '',
                namespaceUid: '',
              }),
            }),
            change(6, { state: 'pending', user: person('bob') }),
            change(7, {
              object: deployment('web', { group: 'other.dev', resource: 'deployments', kind: 'Thing' }),
            }),
          ],
        }),
      )
    })

    const cases: readonly (readonly [
      field: string,
      value: string,
      equal: readonly number[],
      other: readonly number[],
    ])[] = [
      ['user.username', 'bob', [2], [7, 5, 4, 3, 1]],
      ['user.username', 'nobody', [], [7, 5, 4, 3, 2, 1]],
      ['actor', 'node', [4], [7, 5, 3, 2, 1]],
      ['actor', 'person', [7, 5, 3, 2, 1], [4]],
      ['actor', 'nonsense', [], [7, 5, 4, 3, 2, 1]],
      ['object.group', 'apps', [4, 2, 1], [7, 5, 3]],
      ['object.resource', 'deployments', [7, 4, 2, 1], [5, 3]],
      ['object.subresource', 'scale', [2], [7, 5, 4, 3, 1]],
      ['object.kind', 'Secret', [3], [7, 5, 4, 2, 1]],
      ['object.kind', 'Nothing', [], [7, 5, 4, 3, 2, 1]],
      ['object.name', 'web', [7, 4, 1], [5, 3, 2]],
      ['object.uid', 'lab-web', [4], [7, 5, 3, 2, 1]],
      ['object.uid', 'nothing', [], [7, 5, 4, 3, 2, 1]],
      ['operation', 'UPDATE', [7, 5, 2, 1], [4, 3]],
      ['state', 'admitted', [3], [7, 6, 5, 4, 2, 1]],
      ['state', 'pending', [6], [7, 5, 4, 3, 2, 1]],
      ['via.manager', 'helm', [4], [7, 5, 3, 2, 1]],
      ['via.tool', 'kubectl', [7, 5, 3, 2, 1], [4]],
      ['via.manual', 'true', [7, 5, 3, 2, 1], [4]],
      ['via.manual', 'maybe', [], [7, 5, 4, 3, 2, 1]],
      ['metadata.name', '7-4', [4], [7, 5, 3, 2, 1]],
      ['metadata.name', 'nonsense', [], [7, 5, 4, 3, 2, 1]],
      ['metadata.namespace', 'shop', [7, 3, 2, 1], [5, 4]],
      ['metadata.namespace', '', [5], [7, 4, 3, 2, 1]],
    ]
    for (const [field, value, equal, other] of cases) {
      it(`by ${field}, equal to "${value}" and not`, async () => {
        assert.deepEqual(await select(equals(field, value)), equal)
        assert.deepEqual(await select(differs(field, value)), other)
        const query = everything({ fields: [equals(field, value)] })
        assert.equal(await store.count(query), equal.length)
      })
    }

    it('by several fields at once', async () => {
      assert.deepEqual(await select(equals('object.name', 'web'), equals('object.group', 'apps')), [4, 1])
      assert.deepEqual(await select(equals('object.name', 'web'), differs('actor', 'node')), [7, 1])
      assert.deepEqual(await select(equals('user.username', 'bob'), equals('user.username', 'alice')), [])
      assert.deepEqual(await select(equals('actor', 'person'), equals('operation', 'CREATE')), [3])
      assert.deepEqual(await select(equals('object.kind', 'Deployment'), differs('object.name', 'web')), [2])
    })

    it('by a field that changes do not have is an error', async () => {
      await assert.rejects(select(equals('spec.replicas', '1')), RangeError)
    })

    it('by namespace, and not by that of another with its name', async () => {
      assert.deepEqual(await list({ namespace: 'shop' }), [7, 3, 2, 1])
      assert.deepEqual(await list({ namespace: 'shop', namespaceUid: 'uid-of-shop' }), [7, 3, 2, 1])
      assert.deepEqual(await list({ namespace: 'shop', namespaceUid: 'lab-uid' }), [])
      const later = change(8, { object: deployment('web', { namespaceUid: 'shop-again', uid: 'web-again' }) })
      await store.commit(batch({ added: [later] }))
      assert.deepEqual(await list({ namespace: 'shop', namespaceUid: 'shop-again' }), [8])
      assert.deepEqual(await list({ namespace: 'shop', namespaceUid: 'uid-of-shop' }), [7, 3, 2, 1])
      assert.deepEqual(
        await list({
          namespace: 'shop',
          namespaceUid: 'shop-again',
          fields: [equals('object.uid', 'uid-of-web')],
        }),
        [],
      )
      assert.deepEqual(await list({ namespace: 'shop' }), [8, 7, 3, 2, 1])
    })

    it('of the kinds that a reader may see', async () => {
      const deployments = { group: 'apps', resource: 'deployments' }
      assert.deepEqual(await list({ visible: [deployments] }), [4, 2, 1])
      assert.deepEqual(await list({ visible: [deployments], fields: [equals('object.kind', 'Secret')] }), [])
      assert.deepEqual(await list({ visible: [] }), [])
      assert.equal(await store.count(everything({ visible: [] })), 0)
      assert.deepEqual(await list({ visible: [deployments], namespace: 'lab' }), [4])
      const many = Array.from({ length: 40 }, (_, i) => ({ group: `g${i}`, resource: 'r' }))
      assert.deepEqual(await list({ visible: [...many, deployments], namespace: 'shop' }), [2, 1])
    })

    it('by time, both ends included', async () => {
      assert.deepEqual(await list({ since: NOON + 3000, until: NOON + 5000 }), [5, 4, 3])
      assert.deepEqual(await list({ since: NOON + 3001, until: NOON + 4999 }), [4])
      assert.equal(await store.count(everything({ since: NOON + 3000, until: NOON + 5000 })), 3)
    })

    it('by states that are named', async () => {
      assert.deepEqual(await list({ states: ['pending', 'admitted'] }), [6, 3])
    })
  })

  describe('so many of each object', () => {
    beforeEach(async () => {
      const web = Array.from({ length: 20 }, (_, i) => change(i + 1))
      const db = Array.from({ length: 3 }, (_, i) =>
        change(i + 31, { object: deployment('db'), user: person('bob') }),
      )
      const again = change(50, { object: deployment('web', { uid: 'web-again' }), operation: 'CREATE' })
      await store.commit(batch({ added: [...web, ...db, again] }))
    })

    it('are the newest, over pages too; an object made again is the same', async () => {
      assert.deepEqual(await list({ perObject: 2 }), [50, 33, 32, 20])
      const query = everything({ perObject: 2 })
      const first = await store.page(query, 3, undefined)
      assert.deepEqual(seqs(first.items), [50, 33, 32])
      assert.deepEqual(seqs((await store.page(query, 3, first.next)).items), [20])
    })

    it('are counted among what else is selected', async () => {
      assert.deepEqual(
        await list({ perObject: 2, fields: [equals('operation', 'UPDATE')] }),
        [33, 32, 20, 19],
      )
      assert.deepEqual(await list({ perObject: 1, namespace: 'shop', until: NOON + 10_000 }), [10])
      assert.deepEqual(await list({ perObject: 1, fields: [equals('object.name', 'db')] }), [33])
      assert.deepEqual(await list({ perObject: 1, fields: [equals('user.username', 'alice')] }), [50])
    })
  })

  describe('known objects', () => {
    it('are told by resource, without those that are gone', async () => {
      const many = Array.from({ length: 450 }, (_, i) => knownAs(deployment(`d${i}`), { body: { i } }))
      const other = knownAs(secret('s'), { body: undefined, hash: 'k' })
      await store.commit(batch({ known: [...many, other] }))
      await store.commit(batch({ known: [knownAs(deployment('d7'), { gone: true, body: undefined })] }))
      const told = await collect(store.known('apps', 'deployments'))
      assert.deepEqual(
        told,
        many.filter(({ object }) => object.name !== 'd7'),
      )
      assert.deepEqual(await collect(store.known('', 'secrets')), [other])
      assert.deepEqual(await collect(store.known('apps', 'nothing')), [])
      assert.deepEqual(await store.knownObject('uid-of-d7'), {
        ...many[7],
        gone: true,
      })
      assert.equal(await store.knownObject('nobody'), undefined)
    })

    it('are known in their latest state, and not by changes alone', async () => {
      await store.commit(batch({ added: [change(1)] }))
      assert.equal(await store.knownObject('uid-of-web'), undefined)
      await store.commit(batch({ known: [knownAs(deployment('web'), { hash: 'old' })] }))
      const later = deployment('web', { version: 'v2', resourceVersion: { before: '2', after: '3' } })
      await store.commit(batch({ known: [knownAs(later, { hash: 'new', body: { spec: { replicas: 3 } } })] }))
      store = await fixture.reopen()
      assert.deepEqual(
        await store.knownObject('uid-of-web'),
        knownAs(later, { hash: 'new', body: { spec: { replicas: 3 } } }),
      )
      assert.equal((await collect(store.known('apps', 'deployments'))).length, 1)
      assert.deepEqual(await list(), [1])
    })
  })

  describe('who last touched a field', () => {
    const web = { group: 'apps', resource: 'deployments', namespace: 'shop', name: 'web' }
    const at = (before: number, uid = 'uid-of-web') =>
      deployment('web', {
        uid,
        resourceVersion: { before: before === 0 ? '' : String(before), after: String(before + 1) },
      })
    const touches = async (
      more: { uid?: string; namespaceUid?: string } = {},
    ): Promise<Record<string, number>> =>
      Object.fromEntries((await store.touched({ ...web, ...more })).map(({ path, id }) => [path, id.seq]))

    it('is the latest of the deepest', async () => {
      await store.commit(
        batch({
          added: [
            change(1, { operation: 'CREATE', object: at(0), changes: [{ path: '', op: 'add', to: {} }] }),
            change(2, { object: at(1), user: person('bob') }),
            change(3, {
              object: at(2),
              changes: [{ path: 'spec.containers[name=app].image', op: 'replace', from: 'a', to: 'b' }],
            }),
          ],
        }),
      )
      assert.deepEqual(await store.touched(web), [
        {
          path: '',
          id: { writer: 7, seq: 1 },
          operation: 'CREATE',
          time: NOON + 1000,
          username: 'alice',
          manager: 'kubectl-edit',
          state: 'confirmed',
        },
        {
          path: 'spec.containers[name=app].image',
          id: { writer: 7, seq: 3 },
          operation: 'UPDATE',
          time: NOON + 3000,
          username: 'alice',
          manager: 'kubectl-edit',
          state: 'confirmed',
        },
        {
          path: 'spec.replicas',
          id: { writer: 7, seq: 2 },
          operation: 'UPDATE',
          time: NOON + 2000,
          username: 'bob',
          manager: 'kubectl-edit',
          state: 'confirmed',
        },
      ])
      await store.commit(batch({ added: [change(4, { object: at(3) })] }))
      assert.deepEqual(await touches(), { '': 1, 'spec.containers[name=app].image': 3, 'spec.replicas': 4 })
    })

    it('goes with what was removed, and with what was set as a whole', async () => {
      const path = 'spec.containers[name=b]'
      await store.commit(
        batch({
          added: [
            change(1, { object: at(1), changes: [{ path: `${path}.image`, op: 'replace', from: 1, to: 2 }] }),
            change(2, { object: at(2), changes: [{ path: `${path}x`, op: 'add', to: 1 }] }),
            change(3, { object: at(3), changes: [{ path, op: 'remove', from: {} }] }),
          ],
        }),
      )
      assert.deepEqual(await touches(), { [`${path}x`]: 2 })
      await store.commit(
        batch({
          added: [change(4, { object: at(4), changes: [{ path: 'spec', op: 'replace', from: {}, to: {} }] })],
        }),
      )
      assert.deepEqual(await touches(), { spec: 4 })
    })

    it('is not one whose change is pending, until it lands', async () => {
      await store.commit(batch({ added: [change(1, { state: 'pending' })] }))
      assert.deepEqual(await touches(), {})
      await store.commit(batch({ decided: [{ id: { writer: 7, seq: 1 }, state: 'confirmed', reason: '' }] }))
      assert.deepEqual(await touches(), { 'spec.replicas': 1 })
    })

    it('is no longer one whose change turns out not to have landed', async () => {
      await store.commit(batch({ added: [change(1, { state: 'admitted' })] }))
      assert.deepEqual(await touches(), { 'spec.replicas': 1 })
      await store.commit(batch({ decided: [{ id: { writer: 7, seq: 1 }, state: 'not-landed', reason: '' }] }))
      assert.deepEqual(await touches(), {})
    })

    it('is the later one by version, in whatever order they become known', async () => {
      await store.commit(batch({ added: [change(1, { object: at(20) })] }))
      await store.commit(batch({ added: [change(2, { object: at(10), state: 'unattributed' })] }))
      assert.deepEqual(await touches(), { 'spec.replicas': 1 })
      const removed = change(3, { object: at(40), changes: [{ path: 'spec', op: 'remove', from: {} }] })
      await store.commit(batch({ added: [removed] }))
      await store.commit(batch({ added: [change(4, { object: at(30) })] }))
      assert.deepEqual(await touches(), {})
    })

    it('is of the latest object of a name, or of the one that is meant', async () => {
      const gone = change(2, {
        operation: 'DELETE',
        object: at(1),
        changes: [{ path: '', op: 'remove', from: {} }],
      })
      await store.commit(batch({ added: [change(1, { object: at(0) }), gone] }))
      assert.deepEqual(await touches(), {})
      await store.commit(batch({ added: [change(3, { object: at(5, 'again') })] }))
      assert.deepEqual(await touches(), { 'spec.replicas': 3 })
      assert.deepEqual(await touches({ uid: 'uid-of-web' }), {})
      assert.deepEqual(await touches({ namespaceUid: 'uid-of-shop' }), { 'spec.replicas': 3 })
      assert.deepEqual(await touches({ namespaceUid: 'another' }), {})
      assert.deepEqual(await store.touched({ ...web, group: 'other.dev' }), [])
    })

    it('is not changed by an exec, by an eviction, or by an entry that moved', async () => {
      const whole = [{ path: '', op: 'add' as const, to: {} }]
      await store.commit(
        batch({
          added: [
            change(1, { object: at(1) }),
            change(2, { operation: 'CONNECT', object: { ...at(2), subresource: 'exec' }, changes: whole }),
            change(3, { operation: 'CREATE', object: { ...at(2), subresource: 'eviction' }, changes: whole }),
            change(4, {
              object: at(3),
              changes: [{ path: 'spec.containers[name=a]', op: 'replace', index: { from: 0, to: 1 } }],
            }),
          ],
        }),
      )
      assert.deepEqual(await touches(), { 'spec.replicas': 1 })
    })

    it('says later what is found out about its change', async () => {
      await store.commit(batch({ added: [change(1, { state: 'admitted' })] }))
      await store.commit(batch({ decided: [{ id: { writer: 7, seq: 1 }, state: 'confirmed', reason: '' }] }))
      assert.deepEqual(
        (await store.touched(web)).map(({ state }) => state),
        ['confirmed'],
      )
    })
  })

  describe('positions, gaps and heartbeats', () => {
    it('are kept with the records', async () => {
      assert.equal(await store.position(7), undefined)
      const position = { segment: 3, offset: 4096 }
      await store.commit(
        batch({ added: [change(1)], position: { writer: 7, position, seq: 1 }, heartbeat: 5 }),
      )
      await store.commit(batch({ added: [change(1, { id: { writer: 9, seq: 1 } })] }))
      store = await fixture.reopen()
      assert.deepEqual(await store.position(7), { position, seq: 1 })
      assert.equal(await store.position(9), undefined)
      const state = await store.state()
      assert.equal(state.heartbeat, 5)
      assert.equal(state.oldest, NOON + 1000)
      assert.ok(state.usedBytes > 0)
      assert.equal(state.setAside, undefined)
    })

    it('gaps that reach into a time are told, the newest first', async () => {
      const restart = { from: 100, to: undefined, reason: 'restarted' }
      await store.commit(batch({ gaps: [restart, { from: 100, to: 150, reason: 'watch lost' }] }))
      assert.deepEqual(await store.gaps(1000, 2000), [restart])
      await store.commit(
        batch({
          gaps: [
            { ...restart, to: 200 },
            { from: 300, to: 400, reason: 'watch lost' },
          ],
        }),
      )
      assert.deepEqual(await store.gaps(0, 1000), [
        { from: 300, to: 400, reason: 'watch lost' },
        { ...restart, to: 200 },
        { from: 100, to: 150, reason: 'watch lost' },
      ])
      assert.deepEqual(await store.gaps(200, 299), [{ ...restart, to: 200 }])
      assert.deepEqual(await store.gaps(201, 299), [])
    })
  })

  describe('retention', () => {
    const trim = async (now: number, some: Parameters<typeof limits>[0]): Promise<void> => {
      for (let steps = 0; await store.trim(limits(some), now); steps++)
        assert.ok(steps < 1000, 'it does not end')
    }
    const alive = (name: string) => knownAs(deployment(name))

    it('by age keeps the last ones of what exists', async () => {
      const gone = knownAs(deployment('db'), { gone: true })
      await store.commit(
        batch({
          added: [
            ...Array.from({ length: 30 }, (_, i) => change(i + 1)),
            ...Array.from({ length: 30 }, (_, i) => change(i + 101, { object: deployment('db') })),
          ],
          known: [alive('web'), gone],
        }),
      )
      await trim(NOON + 1_000_000, { maxAgeMs: 1000, keepLast: 3 })
      assert.deepEqual(await list(), [30, 29, 28])
      assert.deepEqual((await store.get({ writer: 7, seq: 28 }))?.changes, change(28).changes)
      assert.equal(await store.knownObject('uid-of-db'), undefined, 'nothing is left of what is gone')
      assert.notEqual(await store.knownObject('uid-of-web'), undefined)
      await store.commit(batch({ added: [change(40)] }))
      await trim(NOON + 10_000_000, { maxAgeMs: 1000, keepLast: 3 })
      assert.deepEqual(await list(), [40, 30, 29])
    })

    it('keeps no Secret longer than Secrets are kept', async () => {
      await store.commit(
        batch({
          added: [change(1), change(2, { object: secret('s') }), change(60, { object: secret('s') })],
        }),
      )
      await trim(NOON + 61_000, { secretsMaxAgeMs: 10_000 })
      assert.deepEqual(await list(), [60, 1])
      await trim(NOON + 161_000, { secretsMaxAgeMs: 10_000 })
      assert.deepEqual(await list(), [1])
    })

    it('by number keeps the newest of each object, and says from where a watch can go on', async () => {
      await store.commit(
        batch({ added: Array.from({ length: 50 }, (_, i) => change(i + 1)), known: [alive('web')] }),
      )
      await store.commit(batch({ added: [change(60, { object: deployment('db') })] }))
      const all = await store.after(0, 1000)
      await trim(NOON + 100_000, { perObject: 10 })
      assert.deepEqual(await list(), [60, 50, 49, 48, 47, 46, 45, 44, 43, 42, 41])
      const { trimmed, oldest } = await store.state()
      assert.equal(trimmed, all[39]?.number)
      assert.equal(oldest, NOON + 41_000)
      store = await fixture.reopen()
      await store.claim()
      await trim(NOON + 100_000, { perObject: 5 })
      assert.deepEqual(await list(), [60, 50, 49, 48, 47, 46])
      assert.equal((await store.state()).trimmed, all[44]?.number)
    })

    it('does not let tries that did not land push out what did', async () => {
      const tries = Array.from({ length: 40 }, (_, i) => change(i + 101, { state: 'superseded' }))
      await store.commit(batch({ added: [change(1), change(2), ...tries], known: [alive('web')] }))
      await trim(NOON + 1_000_000, { perObject: 10 })
      assert.deepEqual(await list(), [2, 1])
      assert.equal((await list({ states: ['superseded'] })).length, 10)
    })

    it('by size deletes the oldest first, also of what would stay', async () => {
      const text = (i: number) => Array.from({ length: 60 }, (_, j) => Math.sin(i * 100 + j)).join()
      for (let from = 0; from < 2000; from += 500)
        await store.commit(
          batch({
            added: Array.from({ length: 500 }, (_, i) =>
              change(from + i + 1, { changes: [{ path: 'a', op: 'add', to: text(from + i) }] }),
            ),
          }),
        )
      const { usedBytes } = await store.state()
      await trim(NOON, { maxBytes: usedBytes / 2 })
      const left = await list()
      assert.ok(left.length > 100 && left.length < 1900, `${left.length} of 2000 are left`)
      assert.equal(left[0], 2000)
      assert.equal(left.at(-1), 2001 - left.length)
      assert.ok((await store.state()).usedBytes <= usedBytes / 2)
    })

    it('forgets accounts that nothing names any more, and no others', async () => {
      const token = (i: number) => ({
        username: 'bot',
        groups: [],
        extra: { 'credential-id': [`JTI=token-${i}`] },
      })
      const holds = async (i: number): Promise<boolean> => (await fixture.bytes()).includes(`JTI=token-${i}"`)
      await store.commit(
        batch({
          added: Array.from({ length: 30 }, (_, i) => change(i + 1, { user: token(i + 1) })),
          known: [alive('web')],
        }),
      )
      assert.equal(await holds(3), true)
      await trim(NOON, { perObject: 10 })
      await store.scrub()
      assert.equal(await holds(3), false)
      const { items } = await store.page(everything(), 100, undefined)
      assert.deepEqual(
        items.map(({ user }) => user),
        Array.from({ length: 10 }, (_, i) => token(30 - i)),
      )
      assert.deepEqual(
        (await store.touched(deployment('web'))).map(({ username }) => username),
        ['bot'],
      )
      await store.commit(batch({ added: [change(31, { user: token(3) })] }))
      assert.deepEqual((await store.get({ writer: 7, seq: 31 }))?.user, token(3))
    })

    it('forgets gaps that nothing is kept of', async () => {
      await store.commit(
        batch({
          gaps: [
            { from: 1, to: 2, reason: 'old' },
            { from: 3, to: undefined, reason: 'on' },
          ],
        }),
      )
      await trim(NOON, { maxAgeMs: 1000 })
      assert.deepEqual(
        (await store.gaps(0, NOON)).map(({ reason }) => reason),
        ['on'],
      )
    })
  })

  describe('purge', () => {
    const SECRET = 'hunter2-hunter2'
    const web = { group: 'apps', resource: 'deployments', namespace: 'shop', name: 'web' }
    const field = 'spec.containers[name=app].env[name=PASSWORD].value'
    const whole = (value: string) => ({
      spec: {
        containers: [
          {
            name: 'app',
            env: [
              { name: 'PASSWORD', value },
              { name: 'OTHER', value: 'x' },
            ],
          },
        ],
      },
    })
    const holds = async (): Promise<boolean> => (await fixture.bytes()).includes(SECRET)
    beforeEach(async () => {
      await store.commit(
        batch({
          added: [
            change(1, { operation: 'CREATE', changes: [{ path: '', op: 'add', to: whole(SECRET) }] }),
            change(2, { changes: [{ path: field, op: 'replace', from: SECRET, to: `${SECRET}!` }] }),
            change(3, {
              changes: [
                {
                  path: 'spec.containers[name=app].env[name=PASSWORD]',
                  op: 'remove',
                  from: { name: 'PASSWORD', value: SECRET },
                },
              ],
            }),
            change(4),
            change(5, { object: deployment('db') }),
          ],
          known: [knownAs(deployment('web'), { body: whole(SECRET) })],
        }),
      )
      assert.equal(await holds(), true, 'the test would see it')
    })

    it('takes the values of a field out of all changes, and out of every byte', async () => {
      assert.equal(await store.purge({ ...web, path: field }), 3)
      assert.equal(await store.scrub(), undefined)
      assert.equal(await holds(), false)
      assert.deepEqual((await store.get({ writer: 7, seq: 2 }))?.changes, [
        { path: field, op: 'replace', from: 'purged', to: 'purged' },
      ])
      assert.deepEqual((await store.get({ writer: 7, seq: 1 }))?.changes, [
        { path: '', op: 'add', to: whole('purged') },
      ])
      assert.deepEqual((await store.knownObject('uid-of-web'))?.body, whole('purged'))
      assert.deepEqual(await list(), [5, 4, 3, 2, 1])
      assert.equal(await store.purge({ ...web, path: field }), 0, 'again it finds nothing more')
    })

    it('takes out all changes of an object', async () => {
      assert.equal(await store.purge({ ...web, path: undefined }), 4)
      assert.equal(await store.scrub(), undefined)
      assert.equal(await holds(), false)
      assert.deepEqual(await list(), [5])
      assert.deepEqual(await store.touched(web), [])
      const known = await store.knownObject('uid-of-web')
      assert.equal(known?.body, undefined)
      assert.equal(known?.hash, 'h')
      assert.ok((await store.state()).trimmed > (await store.state()).begins)
    })

    it('of what is not there does nothing', async () => {
      assert.equal(await store.purge({ ...web, name: 'nothing', path: undefined }), 0)
      assert.equal(await store.purge({ ...web, path: 'spec.nothing' }), 0)
      assert.deepEqual(await list(), [5, 4, 3, 2, 1])
    })
  })

  it('reads and writes at once without either seeing half of the other', async () => {
    const writing = (async () => {
      for (let i = 0; i < 40; i++)
        await store.commit(batch({ added: [change(2 * i + 1), change(2 * i + 2)] }))
    })()
    for (let i = 0; i < 40; i++) {
      const { items } = await store.page(everything(), 1000, undefined)
      assert.equal(items.length % 2, 0)
    }
    await writing
    assert.equal(await store.count(everything()), 80)
  })
}

function withoutNumber(numbered: NumberedChange): ChangeRecord {
  const { number, ...record } = numbered
  assert.ok(number > 0)
  return record
}

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = []
  for await (const item of items) all.push(item)
  return all
}
