import assert from 'node:assert/strict'
import { recordedResources } from '../../server/audit-log/recorded-resources.ts'
import type { NumberedChange } from '../../server/audit-log/store/audit-store.ts'
import { type AuditRecording, startAuditRecording } from '../kit/audit-recording.ts'
import type { ControlPlane } from '../kit/kubernetes/control-plane.ts'
import { ensureNamespace, namespaceIsFurnished } from '../kit/kubernetes/namespaces.ts'
import { requireKubernetes } from '../kit/kubernetes/shared.ts'
import { startControlPlane } from '../kit/kubernetes/start-control-plane.ts'

describe('a recorder that is ended and started again, on a real API server', function () {
  this.timeout(300_000)
  let cluster: ControlPlane
  let recording: AuditRecording
  let round = 0
  let namespace = ''

  before(async function () {
    await requireKubernetes(this)
    cluster = await startControlPlane({ controllers: 'seeded' })
    await ensureNamespace(cluster.admin, 'before')
    await cluster.admin.send('POST', '/api/v1/namespaces/before/configmaps', {
      metadata: { name: 'old' },
      data: { level: 'info' },
    })
    // What is written between the recorder's first look and its webhook has no name, and is no matter of this test.
    await namespaceIsFurnished(cluster.admin, 'before')
    recording = await startAuditRecording(cluster)
  })

  after(async () => {
    await recording?.stop()
    await cluster?.stop()
  })

  beforeEach(async () => {
    round += 1
    namespace = `restart-${round}`
    await ensureNamespace(cluster.admin, namespace)
  })

  const configMap = (name: string): string => `/api/v1/namespaces/${namespace}/configmaps/${name}`
  const put = (name: string, data: Readonly<Record<string, string>>): Promise<unknown> =>
    cluster.admin.send('POST', `/api/v1/namespaces/${namespace}/configmaps`, { metadata: { name }, data })
  const patch = (name: string, data: Readonly<Record<string, string>>): Promise<unknown> =>
    cluster.admin.send('PATCH', configMap(name), { data })

  async function shown(): Promise<NumberedChange[]> {
    await recording.settled()
    const all = await recording.changes()
    return all.filter(
      ({ object }) =>
        object.namespace === namespace &&
        object.resource === 'configmaps' &&
        object.name !== 'kube-root-ca.crt',
    )
  }

  /** The watch has gone on from a new list. */
  async function relisted(): Promise<void> {
    for (const limit = Date.now() + 120_000; Date.now() < limit;) {
      const gaps = await recording.store.gaps(0, Date.now())
      if (gaps.some(({ reason }) => reason === 'watch of configmaps lost')) return
      await pause(50)
    }
    throw new Error('the watch did not go on')
  }

  const sorted = (lines: readonly string[]): string[] =>
    lines.toSorted((one, other) => one.localeCompare(other))

  const line = ({ operation, state, user, object, changes }: NumberedChange): string =>
    [
      operation,
      object.name,
      state,
      user?.username ?? '?',
      ...changes.map(({ path, from, to }) => (path === '' ? '' : `${path} ${String(from)} → ${String(to)}`)),
    ]
      .filter((part) => part !== '')
      .join(' ')

  it('what was there before the first start is known, and is no change', async () => {
    await recording.settled()
    const all = await recording.changes()
    assert.deepEqual(
      all.filter(({ object }) => object.namespace === 'before'),
      [],
    )
    await cluster.admin.send('PATCH', '/api/v1/namespaces/before/configmaps/old', {
      data: { level: 'debug' },
    })
    await recording.settled()
    const change = (await recording.changes()).find(({ object }) => object.name === 'old')
    assert.equal(change && line(change), 'UPDATE old confirmed admin data.level info → debug')
  })

  it('reviews of the time in which it was away are joined with what landed, each once', async () => {
    await put('one', { a: '1' })
    await recording.settled()
    await patch('one', { a: '2' })
    await recording.pauseRecorder()
    await patch('one', { a: '3' })
    await patch('one', { b: 'new' })
    await put('two', { c: '1' })
    await recording.resumeRecorder()
    const told = await shown()
    const hidden = await recording.changes({ states: ['pending', 'superseded', 'not-landed'] })
    const wanted = [
      'CREATE one confirmed admin',
      'UPDATE one confirmed admin data.a 1 → 2',
      'UPDATE one confirmed admin data.a 2 → 3',
      'UPDATE one confirmed admin data.b undefined → new',
      'CREATE two confirmed admin',
    ]
    const others = hidden.map((change) => `${line(change)} (${change.reason})`).join('\n')
    assert.deepEqual(told.map(line), wanted, `hidden:\n${others}\ntold:\n${told.map(line).join('\n')}`)
    assert.ok(recording.journal.released > 0)
  })

  it('changes that nobody reviewed while it was away appear without a name, inside a gap', async () => {
    await put('kept', { a: '1' })
    await put('gone', { a: '1' })
    await put('anew', { a: '1' })
    await recording.settled()
    const { heartbeat = 0 } = await recording.store.state()
    await recording.pauseRecorder()
    await recording.unregister()
    await patch('kept', { a: '2' })
    await cluster.admin.text('DELETE', configMap('gone'))
    await put('fresh', { a: '1' })
    await cluster.admin.text('DELETE', configMap('anew'))
    await put('anew', { a: '2' })
    await pause(5500)
    await recording.register()
    await recording.resumeRecorder()
    const changes = await shown()
    const unnamed = changes.filter(({ state }) => state === 'unattributed')
    assert.deepEqual(sorted(unnamed.map((change) => `${line(change)} (${change.reason})`)), [
      'CREATE anew unattributed ? (while not recording)',
      'CREATE fresh unattributed ? (while not recording)',
      'DELETE anew unattributed ? (while not recording)',
      'DELETE gone unattributed ? (while not recording)',
      'UPDATE kept unattributed ? data.a 1 → 2 (while not recording)',
    ])
    // It is there: what comes last is not the end of the one that had its name.
    assert.deepEqual(
      changes.filter(({ object }) => object.name === 'anew').map(({ operation }) => operation),
      ['CREATE', 'DELETE', 'CREATE'],
    )
    const gap = (await recording.store.gaps(heartbeat, Date.now())).find(
      ({ reason }) => reason === 'companion restarted',
    )
    assert.ok(gap?.to !== undefined && gap.to - gap.from > 5000)
    for (const { time } of unnamed)
      assert.ok(time >= gap.from && time <= gap.to + 2000, `${time} is not in the gap`)
    assert.equal(changes.filter(({ user }) => user === undefined).length, 5)
  })

  it('a watch that lost its place: who wrote meanwhile is named, though the watch did not tell the steps', async () => {
    await put('busy', { a: '1' })
    await put('quiet', { a: '1' })
    await recording.settled()
    recording.cut()
    for (const value of ['2', '3', '4']) await patch('busy', { a: value })
    await patch('busy', { b: 'new' })
    await put('short', { a: '1' })
    await put('lasting', { a: '1' })
    await cluster.admin.text('DELETE', configMap('quiet'))
    await cluster.admin.text('DELETE', configMap('short'))
    await cluster.expireResourceVersions()
    await pause(5500)
    recording.mend()
    await relisted()
    const changes = await shown()
    assert.deepEqual(sorted(changes.map(line)), [
      'CREATE busy confirmed admin',
      'CREATE lasting confirmed admin',
      'CREATE quiet confirmed admin',
      'DELETE quiet confirmed admin',
      'UPDATE busy confirmed admin data.a 1 → 2',
      'UPDATE busy confirmed admin data.a 2 → 3',
      'UPDATE busy confirmed admin data.a 3 → 4',
      'UPDATE busy confirmed admin data.b undefined → new',
    ])
    const versions = changes
      .filter(({ object }) => object.name === 'busy')
      .map(({ object }) => object.resourceVersion)
    for (const [index, { before }] of versions.entries()) {
      if (index > 0) assert.equal(before, versions[index - 1]?.after)
    }
    const gaps = await recording.store.gaps(0, Date.now())
    assert.ok(gaps.some(({ reason }) => reason === 'watch of configmaps lost'))
  })

  it('an admitted change of a Secret is confirmed by a review after a restart', async () => {
    const secrets = `/api/v1/namespaces/${namespace}/secrets`
    await cluster.admin.send('POST', secrets, { metadata: { name: 'key' }, stringData: { a: 'first-value' } })
    await cluster.admin.send('PATCH', `${secrets}/key`, { stringData: { a: 'second-value' } })
    await recording.settled()
    await recording.pauseRecorder()
    await recording.resumeRecorder()
    await cluster.admin.send('PATCH', `${secrets}/key`, { metadata: { labels: { seen: 'yes' } } })
    await recording.settled()
    const changes = (await recording.changes()).filter(
      ({ object }) => object.namespace === namespace && object.resource === 'secrets',
    )
    assert.deepEqual(
      changes.map(({ operation, state }) => `${operation} ${state}`),
      ['CREATE confirmed', 'UPDATE confirmed', 'UPDATE admitted'],
    )
    assert.equal(changes[1]?.object.resourceVersion.after, changes[2]?.object.resourceVersion.before)
  })

  it('while the webhook is away the watch tells what changes, and a gap says so', async () => {
    await put('watched', { a: '1' })
    await recording.settled()
    await recording.unregister()
    await patch('watched', { a: '2' })
    await pause(6500)
    await patch('watched', { a: '3' })
    await recording.register()
    await patch('watched', { a: '4' })
    assert.deepEqual((await shown()).map(line), [
      'CREATE watched confirmed admin',
      'UPDATE watched unattributed ? data.a 1 → 2',
      'UPDATE watched unattributed ? data.a 2 → 3',
      'UPDATE watched confirmed admin data.a 3 → 4',
    ])
    const gaps = await recording.store.gaps(0, Date.now())
    assert.ok(gaps.some(({ reason, to }) => reason === 'webhook was removed' && to !== undefined))
  })
})

describe('Secrets that are watched by their metadata, on a real API server', function () {
  this.timeout(300_000)
  let cluster: ControlPlane
  let recording: AuditRecording

  before(async function () {
    await requireKubernetes(this)
    cluster = await startControlPlane({ controllers: 'none' })
    await ensureNamespace(cluster.admin, 'vault')
    const resources = recordedResources({ auditResources: [], auditWatchSecrets: true }, () => undefined)
    const absent = {
      group: 'example.org',
      version: 'v1',
      resource: 'absent',
      kind: 'Absent',
      namespaced: true,
    }
    const unserved = { ...absent, subresources: [], operations: ['UPDATE'], watch: 'full' } as const
    recording = await startAuditRecording(cluster, { resources: [...resources, unserved] })
  })

  it('a resource that is not served holds nothing up, and is named', () => {
    const { ok, reason } = recording.recorder.ready
    assert.deepEqual([ok, reason], [true, 'recording, but absent.example.org cannot be watched'])
  })

  after(async () => {
    await recording?.stop()
    await cluster?.stop()
  })

  it('are confirmed like others, and what nobody reviewed is known without its values', async () => {
    const secrets = '/api/v1/namespaces/vault/secrets'
    await cluster.admin.send('POST', secrets, { metadata: { name: 'key' }, stringData: { a: 'first-value' } })
    await cluster.admin.send('PATCH', `${secrets}/key`, { stringData: { a: 'second-value' } })
    await cluster.admin.send('PATCH', `${secrets}/key`, { stringData: { a: 'second-value' } })
    await recording.settled()
    await recording.unregister()
    await cluster.admin.send('PATCH', `${secrets}/key`, { stringData: { a: 'third-value' } })
    await recording.register()
    await cluster.admin.text('DELETE', `${secrets}/key`)
    await recording.settled()
    const changes = (await recording.changes()).filter(({ object }) => object.resource === 'secrets')
    assert.deepEqual(
      changes.map(({ operation, state, changes: fields, truncated }) => [
        operation,
        state,
        fields.map(({ path }) => path),
        truncated ?? false,
      ]),
      [
        ['CREATE', 'confirmed', [''], false],
        ['UPDATE', 'confirmed', ['data.a'], false],
        ['UPDATE', 'unattributed', [], true],
        ['DELETE', 'confirmed', [''], false],
      ],
    )
    assert.doesNotMatch(JSON.stringify(changes), /(?:first|second|third)-value/)
  })
})

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms)
  })
}
