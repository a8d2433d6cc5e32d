import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { Change } from '../../src/core/wire/change.ts'
import { type AuditedWrite, AuditWriters } from '../kit/audit-writers.ts'
import { AuditWorld } from '../kit/audit-world.ts'
import { ApiStatusError } from '../kit/kubernetes/api-client.ts'
import { requireKubernetes } from '../kit/kubernetes/shared.ts'

const ANNOTATION = 'changes.audit-log.deckwatch.dev/change'
/** Longer than what counts as a gap. */
const DOWN_MS = 6500
/** What nobody names is told after five seconds: a review may come late. */
const HELD_BACK_MS = 6500

/** As the API server itself tells what it did. */
interface AuditEvent {
  readonly user: { readonly username: string }
  readonly annotations?: Readonly<Record<string, string>>
}

describe('the audit log over deaths and restarts, on a real API server', function () {
  this.timeout(600_000)
  let folder = ''
  let world: AuditWorld
  let writers: AuditWriters | undefined

  before(async function () {
    await requireKubernetes(this)
    folder = mkdtempSync(join(tmpdir(), 'deckwatch-audit-'))
    const policy = join(folder, 'policy.json')
    writeFileSync(
      policy,
      JSON.stringify({
        apiVersion: 'audit.k8s.io/v1',
        kind: 'Policy',
        omitStages: ['RequestReceived'],
        rules: [
          { level: 'Metadata', verbs: ['patch'], resources: [{ group: '', resources: ['configmaps'] }] },
          { level: 'None' },
        ],
      }),
    )
    const apiServerFlags = [`--audit-policy-file=${policy}`, `--audit-log-path=${join(folder, 'audit.log')}`]
    world = await AuditWorld.start({
      cluster: { apiServerFlags },
      companion: { flags: ['--audit-per-object=100000'] },
    })
  })

  afterEach(async () => {
    await writers?.stop()
    writers = undefined
  })

  after(async () => {
    await world?.stop()
    if (folder !== '') rmSync(folder, { recursive: true })
  })

  const statuses = (writes: readonly AuditedWrite[]): ReadonlySet<number> =>
    new Set(writes.map(({ status }) => status))

  /** Stops the writers, and holds what is told against what landed. */
  async function checked(namespace: string): Promise<{ readonly named: number; readonly unnamed: number }> {
    await writers?.stop()
    await delay(HELD_BACK_MS)
    await world.settled()
    const figures = await writers?.agree(async () => {
      const { items, gaps = [] } = await world.list(namespace)
      return { changes: items.toReversed(), gaps }
    })
    assert.ok(figures)
    return figures
  }

  /** Every review whose answer reached the API server is found, by the id that the answer carried. */
  async function keptAllThatWasAnswered(): Promise<number> {
    const events = readFileSync(join(folder, 'audit.log'), 'utf8')
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line) as AuditEvent)
    const ids = new Map<string, string>()
    for (const { annotations, user } of events) {
      const id = annotations?.[ANNOTATION]
      if (id !== undefined) ids.set(id, user.username)
    }
    const lost: string[] = []
    for (const [id, username] of ids) {
      try {
        const path = `/apis/deckwatch.dev/v1alpha1/clusterchanges/${id}`
        const change = await world.cluster.admin.send<Change>('GET', path)
        if (change.user?.username !== username)
          lost.push(`${id} of ${username} is of ${change.user?.username}`)
      } catch (error) {
        if (!(error instanceof ApiStatusError && error.status === 404)) throw error
        lost.push(`${id} of ${username}`)
      }
    }
    assert.deepEqual(lost, [])
    return ids.size
  }

  it('killed while people write: every write succeeds, nothing answered is lost, and the rest is in a printed gap', async () => {
    writers = await AuditWriters.start(world.cluster, { namespace: 'killed' })
    for (let round = 0; round < 2; round += 1) {
      await writers.during(400 + Math.random() * 800, 20)
      await world.companion.kill()
      await writers.during(DOWN_MS, 30)
      await world.companion.start()
      await world.untilReviewed()
      await writers.during(HELD_BACK_MS)
    }
    const figures = await checked('killed')
    assert.deepEqual(statuses(writers.writes), new Set([200]))
    assert.ok(figures.named > 20 && figures.unnamed > 20, JSON.stringify(figures))
    const answered = await keptAllThatWasAnswered()
    assert.ok(answered > 20, String(answered))
    const { gaps = [] } = await world.list('killed')
    assert.ok(gaps.every(({ to }) => to !== undefined))
    assert.ok(
      gaps.some(({ reason }) => reason === 'companion restarted'),
      JSON.stringify(gaps),
    )
  })

  it('ended in peace and started again: what is answered until the last moment is kept', async () => {
    writers = await AuditWriters.start(world.cluster, { namespace: 'ended' })
    await writers.during(800, 30)
    assert.equal(await world.companion.terminate(), 0)
    await writers.during(DOWN_MS, 30)
    await world.companion.start()
    await world.untilReviewed()
    await writers.during(500, 10)
    const figures = await checked('ended')
    assert.deepEqual(statuses(writers.writes), new Set([200]))
    assert.ok(figures.named > 20 && figures.unnamed > 20, JSON.stringify(figures))
    await keptAllThatWasAnswered()
  })

  it('goes on after a restart of the API server, with nothing that nobody made', async () => {
    writers = await AuditWriters.start(world.cluster, { namespace: 'restarted' })
    await writers.during(800, 30)
    await world.cluster.apiServer.restart()
    await world.untilReviewed()
    const after = await writers.during(1000, 10)
    assert.ok(after.some(({ status }) => status === 200))
    const figures = await checked('restarted')
    assert.ok(figures.named > 20, JSON.stringify(figures))
    await keptAllThatWasAnswered()
  })
})
