import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { Change, RecordingGap } from '../../src/core/wire/change.ts'
import { type AuditedWrite, AuditWriters } from '../kit/audit-writers.ts'
import { requireKubernetes } from '../kit/kubernetes/shared.ts'
import { type PostgresServer, requirePostgres } from '../kit/postgres.ts'
import { ReplicaWorld } from '../kit/replica-world.ts'

const ANNOTATION = 'changes.audit-log.deckwatch.dev/change'
const API = '/apis/deckwatch.dev/v1alpha1'
const WEBHOOK_MS = 1000
/** What nobody names is told after five seconds: a review may come late. */
const HELD_BACK_MS = 6500

/** As the API server itself tells what it did. */
interface AuditEvent {
  readonly user: { readonly username: string }
  readonly objectRef?: { readonly namespace?: string }
  readonly annotations?: Readonly<Record<string, string>>
}

/** The suite of replicas whose database is away for so many milliseconds, among other faults. */
export function describeAuditReplicas(downMs: number): void {
  describe('two replicas of the audit log over one PostgreSQL, on a real API server', function () {
    this.timeout(600_000)
    let folder = ''
    let postgres: PostgresServer
    let world: ReplicaWorld
    let writers: AuditWriters | undefined

    before(async function () {
      await requireKubernetes(this)
      postgres = await requirePostgres(this)
      folder = mkdtempSync(join(tmpdir(), 'deckwatch-audit-'))
      const rules = [
        { level: 'Metadata', verbs: ['patch'], resources: [{ group: '', resources: ['configmaps'] }] },
        { level: 'None' },
      ]
      const kind = { apiVersion: 'audit.k8s.io/v1', kind: 'Policy' }
      writeFileSync(
        join(folder, 'policy.json'),
        JSON.stringify({ ...kind, omitStages: ['RequestReceived'], rules }),
      )
      world = await ReplicaWorld.start(postgres, {
        apiServerFlags: [
          `--audit-policy-file=${join(folder, 'policy.json')}`,
          `--audit-log-path=${join(folder, 'audit.log')}`,
        ],
        flags: ['--audit-per-object=100000'],
      })
    })

    afterEach(async () => {
      await writers?.stop()
      writers = undefined
    })

    after(async () => {
      await world?.stop()
      await postgres?.stop()
      if (folder !== '') rmSync(folder, { recursive: true })
    })

    /** Stops the writers, and holds what is told against what landed. */
    async function checked(
      namespace: string,
    ): Promise<{ named: number; unnamed: number; items: readonly Change[]; gaps: readonly RecordingGap[] }> {
      await writers?.stop()
      await delay(HELD_BACK_MS)
      await world.untilReviewed()
      const figures = await writers?.agree(async () => {
        const { items, gaps = [] } = await world.list(namespace)
        return { changes: items.toReversed(), gaps }
      })
      const { items, gaps = [] } = await world.list(namespace)
      assert.ok(figures)
      return { ...figures, items, gaps }
    }

    /** Writes for whose review the API server may not have waited to the end: these alone may have no name. */
    const slow = (writes: readonly AuditedWrite[]): number =>
      writes.filter(({ took }) => took >= WEBHOOK_MS).length

    const statuses = (writes: readonly AuditedWrite[]): ReadonlySet<number> =>
      new Set(writes.map(({ status }) => status))

    /** Every review whose answer reached the API server is found once, by the id that the answer carried. */
    function answered(namespace: string): ReadonlyMap<string, string> {
      const events = readFileSync(join(folder, 'audit.log'), 'utf8')
        .split('\n')
        .filter(Boolean)
        .map((line) => JSON.parse(line) as AuditEvent)
      return new Map(
        events.flatMap(({ annotations, user, objectRef }) => {
          const id = annotations?.[ANNOTATION]
          return id !== undefined && objectRef?.namespace === namespace ? [[id, user.username] as const] : []
        }),
      )
    }

    async function keptAllThatWasAnswered(namespace: string): Promise<number> {
      const ids = answered(namespace)
      const missing = await world.until('all that was answered', async () => {
        const { items } = await world.list(namespace, 'state!=none')
        const told = new Map(items.map(({ metadata, user }) => [metadata?.name, user?.username]))
        const lost = [...ids].filter(([id, user]) => told.get(id) !== user)
        return lost.length === 0 ? lost : undefined
      })
      assert.deepEqual(missing, [])
      return ids.size
    }

    /** What a watch from there tells within so many seconds. */
    async function watched(namespace: string, resourceVersion: string, seconds: number): Promise<string[]> {
      const query = `watch=true&resourceVersion=${resourceVersion}&timeoutSeconds=${seconds}`
      const text = await world.cluster.admin.text('GET', `${API}/namespaces/${namespace}/changes?${query}`)
      return text
        .split('\n')
        .filter(Boolean)
        .map((line) => JSON.parse(line) as { type: string; object: Change })
        .flatMap(({ type, object }) => (type === 'BOOKMARK' ? [] : [object.metadata?.name ?? type]))
    }

    it('tell what several people wrote once, by the right users, whichever of the two was asked', async () => {
      writers = await AuditWriters.start(world.cluster, {
        namespace: 'both',
        users: ['alice', 'bob', 'carol', 'dave'],
      })
      await writers.during(2500, 80)
      const { named, unnamed, items } = await checked('both')
      assert.deepEqual(statuses(writers.writes), new Set([200]))
      assert.ok(named > 50, String(named))
      assert.ok(unnamed <= slow(writers.writes), `${unnamed} without a name`)
      // The writer's number stands before the seq.
      const journals = new Set(items.map(({ metadata }) => metadata?.name?.split('-')[0]))
      assert.equal(journals.size, 2, [...journals].join())
      await keptAllThatWasAnswered('both')
    })

    it('go on at the other when the one that records is killed: nothing answered is lost, watches resume', async () => {
      writers = await AuditWriters.start(world.cluster, { namespace: 'killed', pauseMs: 250 })
      await writers.during(1500)
      const { metadata, items: before } = await world.list('killed')
      const killed = await world.holder()
      await killed.kill()
      // The other one answers meanwhile, and takes over when the Lease is over.
      await world.until('another holder', async () => ((await world.holder()) === killed ? undefined : true))
      await world.untilReviewed()
      const told = await watched('killed', metadata.resourceVersion, 5)
      assert.ok(told.length > before.length, `${told.length}`)
      assert.equal(new Set(told).size, told.length, 'each change is told once')
      await killed.start()
      await writers.during(0, Math.max(0, 60 - writers.writes.length))
      const { named, gaps } = await checked('killed')
      assert.deepEqual(statuses(writers.writes), new Set([200]))
      assert.ok(named > 50, String(named))
      assert.ok((await keptAllThatWasAnswered('killed')) > 30)
      assert.ok(
        gaps.every(({ reason }) => reason !== ''),
        JSON.stringify(gaps),
      )
    })

    it(`let everybody write while PostgreSQL is away for ${downMs / 1000} s, and tell it afterwards`, async () => {
      writers = await AuditWriters.start(world.cluster, { namespace: 'away', pauseMs: 250 })
      await writers.during(500, 3)
      await postgres.kill()
      const during = await writers.during(downMs)
      assert.deepEqual(statuses(during), new Set([200]))
      for (const replica of world.replicas) assert.equal((await replica.ask('/readyz')).status, 200)
      await postgres.start()
      await writers.during(500, 3)
      const { named, unnamed } = await checked('away')
      assert.ok(named + unnamed > during.length, `${named} of ${during.length}`)
      assert.ok(unnamed <= slow(writers.writes), `${unnamed} without a name`)
      await keptAllThatWasAnswered('away')
    })
  })
}
