import assert from 'node:assert/strict'
import { RECORDED_RESOURCES } from '../../../server/audit-log/recorded-resources.ts'
import { JournalIntake, type JournalIntakeDeps } from '../../../server/audit-log/recorder/journal-intake.ts'
import type { ReadReview } from '../../../server/audit-log/recorder/review-reading.ts'
import type { NumberedChange } from '../../../server/audit-log/store/audit-store.ts'
import type { AdmissionRequest, KubernetesObject } from '../../../src/core/wire/admission-review.ts'
import { HandJournal } from '../../kit/hand-journal.ts'

const NOW = 1_000_000

function configMap(version: string, data: Readonly<Record<string, string>>): KubernetesObject {
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'web', namespace: 'shop', uid: 'u1', resourceVersion: version },
    data,
  }
}

function anUpdate(from: string, to: string, more: Partial<AdmissionRequest> = {}): AdmissionRequest {
  return {
    uid: 'review',
    kind: { group: '', version: 'v1', kind: 'ConfigMap' },
    resource: { group: '', version: 'v1', resource: 'configmaps' },
    name: 'web',
    namespace: 'shop',
    operation: 'UPDATE',
    userInfo: { username: 'alice', groups: ['dev'] },
    oldObject: configMap('10', { a: from }),
    object: configMap('10', { a: to }),
    options: { fieldManager: 'kubectl-edit' },
    ...more,
  }
}

describe('what the recorder takes from the journal', () => {
  let journal: HandJournal
  let namespaces: Map<string, string>
  let stored: Map<number, Pick<NumberedChange, 'state'>>
  let reviews: ReadReview[]

  beforeEach(() => {
    journal = new HandJournal()
    namespaces = new Map([['shop', 'ns1']])
    stored = new Map()
    reviews = []
  })

  function intake(more: Partial<JournalIntakeDeps> = {}): JournalIntake {
    return new JournalIntake({
      journal,
      store: { get: ({ seq }) => Promise.resolve(stored.get(seq) as NumberedChange | undefined) },
      resources: RECORDED_RESOURCES,
      names: {
        object: () => undefined,
        namespaceUid: (name) => namespaces.get(name),
      },
      hash: (object) => JSON.stringify(object),
      writer: 7,
      taken: undefined,
      until: { segment: 0, offset: 0 },
      ...more,
    })
  }

  const put = (request: AdmissionRequest, received = NOW): number => journal.append({ received, request })
  const take = (from: JournalIntake, now = NOW): Promise<number> =>
    from.take(journal.position, now, (review) => reviews.push(review))

  it('is who changed which fields of which object', async () => {
    put(anUpdate('1', '2'))
    await take(intake())
    const [{ facts, record } = assert.fail()] = reviews
    assert.equal(facts.id, '7-1')
    assert.deepEqual([facts.uid, facts.oldVersion, facts.paths], ['u1', '10', 'data.a'])
    assert.deepEqual(record.changes, [{ path: 'data.a', op: 'replace', from: '1', to: '2' }])
    assert.deepEqual(
      [record.object.namespaceUid, record.via.manager, record.actor],
      ['ns1', 'kubectl-edit', 'person'],
    )
  })

  it('is of the namespace in which the object was made, also where another has its name by then', async () => {
    const names = {
      object: () => undefined,
      namespaceUid: (_: string, time: number) => (time < NOW - 1000 ? 'ns-before' : 'ns-after'),
    }
    const made = (seconds: number): string => new Date(NOW - seconds * 1000).toISOString()
    const ended = (creationTimestamp?: string): AdmissionRequest => {
      const { oldObject, ...request } = anUpdate('1', '2')
      const metadata = { ...oldObject?.metadata, ...(creationTimestamp && { creationTimestamp }) }
      return { ...request, operation: 'DELETE', object: null, oldObject: { ...oldObject, metadata } }
    }
    for (const time of [made(60), made(0), undefined]) put(ended(time))
    await take(intake({ names }))
    assert.deepEqual(
      reviews.map(({ record }) => record.object.namespaceUid),
      ['ns-before', 'ns-after', 'ns-after'],
    )
  })

  it('is at least who, what and where of an entry whose objects cannot be read', async () => {
    const metadata = { managedFields: { 0: 'no list' } }
    put(anUpdate('1', '2', { object: { metadata } as unknown as KubernetesObject, options: {} }))
    const from = intake()
    await take(from)
    const [{ facts, record } = assert.fail()] = reviews
    assert.deepEqual([facts.truncated, facts.name, record.user?.username], [true, 'shop/web', 'alice'])
    assert.equal(from.counts.truncated, 1)
  })

  it('leaves out what changes nothing, and counts it', async () => {
    put(anUpdate('1', '1'))
    const noisy = {
      ...configMap('10', { a: '1' }),
      metadata: { ...configMap('10', {}).metadata, generation: 4 },
    }
    put(anUpdate('1', '1', { object: noisy }))
    const from = intake()
    await take(from)
    assert.deepEqual(reviews, [])
    assert.equal(from.counts.noChange, 2)
    assert.deepEqual(from.position, { position: { segment: 1, offset: 2 }, seq: 2 })
  })

  it('stays before the oldest review that is not decided', async () => {
    for (const value of ['2', '3', '4']) put(anUpdate('1', value))
    const from = intake()
    await take(from)
    assert.equal(from.position?.seq, 0)
    from.decided('7-2')
    assert.equal(from.position?.seq, 0)
    from.decided('7-1')
    assert.deepEqual(from.position, { position: { segment: 1, offset: 2 }, seq: 2 })
    from.kept({ segment: 1, offset: 2 })
    assert.equal(from.position, undefined, 'that is no news')
    assert.equal(journal.released, 2)
  })

  it('is not held back for ever by one that nobody can decide', async () => {
    put(anUpdate('1', '2'))
    const from = intake()
    await take(from)
    await take(from, NOW + 600_001)
    assert.equal(from.position?.seq, 1)
  })

  it('after a restart leaves out what was decided, and takes what was not again', async () => {
    for (const value of ['2', '3', '4']) put(anUpdate('1', value))
    stored.set(1, { state: 'confirmed' })
    stored.set(2, { state: 'pending' })
    await take(intake({ until: journal.position }))
    assert.deepEqual(
      reviews.map(({ facts }) => facts.id),
      ['7-2', '7-3'],
    )
  })

  it('waits for the uid of a namespace that is new, and goes on without after three seconds', async () => {
    put(anUpdate('1', '2', { namespace: 'new' }))
    put(anUpdate('1', '3'))
    put(anUpdate('1', '4', { namespace: 'never' }))
    const from = intake()
    await take(from)
    assert.deepEqual(
      reviews.map(({ facts }) => facts.id),
      ['7-2'],
    )
    namespaces.set('new', 'ns2')
    await take(from)
    await take(from, NOW + 3001)
    assert.deepEqual(
      reviews.slice(1).map(({ facts, record }) => [facts.id, record.object.namespaceUid]),
      [
        ['7-1', 'ns2'],
        ['7-3', ''],
      ],
    )
  })

  it('a scale is a change of its object\u2019s replicas', async () => {
    const scale = (replicas: number | undefined): KubernetesObject => ({
      kind: 'Scale',
      metadata: { name: 'web', namespace: 'shop', uid: 'u2', resourceVersion: '30' },
      spec: replicas === undefined ? {} : { replicas },
    })
    const more = {
      kind: { group: 'autoscaling', version: 'v1', kind: 'Scale' },
      resource: { group: 'apps', version: 'v1', resource: 'deployments' },
      subResource: 'scale',
      options: {},
    }
    put(anUpdate('', '', { ...more, oldObject: scale(undefined), object: scale(3) }))
    put(anUpdate('', '', { ...more, oldObject: scale(3), object: scale(3) }))
    const from = intake()
    await take(from)
    const [{ facts, record } = assert.fail()] = reviews
    assert.deepEqual([facts.uid, facts.oldVersion, facts.replicas, facts.newHash], ['u2', '30', 3, ''])
    assert.deepEqual([record.object.kind, record.object.subresource], ['Deployment', 'scale'])
    assert.deepEqual(record.changes, [{ path: 'spec.replicas', op: 'replace', from: 0, to: 3 }])
    assert.equal(from.counts.noChange, 1)
  })

  it('an exec names its pod, an eviction is a deletion of its pod', async () => {
    const pods = { resource: { group: '', version: 'v1', resource: 'pods' }, options: {}, oldObject: null }
    put(
      anUpdate('', '', {
        ...pods,
        operation: 'CONNECT',
        subResource: 'exec',
        object: { kind: 'PodExecOptions', container: 'app' },
      }),
    )
    const eviction = { kind: 'Eviction', metadata: { name: 'web', namespace: 'shop' } }
    put(anUpdate('', '', { ...pods, operation: 'CREATE', subResource: 'eviction', object: eviction }))
    const object = (): { uid: string; version: string } => ({ uid: 'p1', version: '44' })
    await take(intake({ names: { object, namespaceUid: (name) => namespaces.get(name) } }))
    assert.deepEqual(
      reviews.map(({ facts, record: { operation, object: of, changes } }) => [
        operation,
        of.kind,
        of.subresource,
        of.name,
        of.uid,
        facts.uid,
        changes.length,
      ]),
      [
        ['CONNECT', 'Pod', 'exec', 'web', 'p1', '', 0],
        ['DELETE', 'Pod', 'eviction', 'web', 'p1', '', 0],
      ],
    )
  })

  it('a review too large to be kept is a change without values', async () => {
    const { object: _object, oldObject: _oldObject, ...request } = anUpdate('1', '2')
    journal.append({ received: NOW, request, truncated: true })
    await take(intake())
    const [{ facts, record } = assert.fail()] = reviews
    assert.deepEqual([facts.truncated, facts.name, facts.uid], [true, 'shop/web', ''])
    assert.deepEqual([record.truncated, record.changes], [true, []])
  })

  it('an UPDATE ends its object where it takes the last finalizer while it is being deleted', async () => {
    const ending = (finalizers: readonly string[]): KubernetesObject => ({
      ...configMap('10', {}),
      metadata: { ...configMap('10', {}).metadata, deletionTimestamp: '2026-11-21T10:00:00Z', finalizers },
    })
    put(anUpdate('', '', { oldObject: ending(['a', 'b']), object: ending(['b']) }))
    put(anUpdate('', '', { oldObject: ending(['b']), object: ending([]) }))
    await take(intake())
    assert.deepEqual(
      reviews.map(({ facts }) => facts.ends),
      [false, true],
    )
  })
})
