import assert from 'node:assert/strict'
import { type AuditedWrite, AuditWriters } from '../kit/audit-writers.ts'
import { AuditWorld } from '../kit/audit-world.ts'
import { companionPorts } from '../kit/companion.ts'
import { requireKubernetes } from '../kit/kubernetes/shared.ts'
import { startValveRelay, type ValveRelay } from '../kit/valve-relay.ts'

const WEBHOOK = '/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/deckwatch-audit-log'
/** Longer than what counts as a gap. */
const SILENT_MS = 7000
/** What nobody names is told after five seconds. */
const HELD_BACK_MS = 6500

describe('the audit log when nothing answers, and when others take its webhook, on a real API server', function () {
  this.timeout(300_000)
  let relay: ValveRelay
  let world: AuditWorld
  let writers: AuditWriters | undefined

  before(async function () {
    await requireKubernetes(this)
    const ports = await companionPorts()
    relay = await startValveRelay(ports.api)
    world = await AuditWorld.start({
      companion: { ports, flags: ['--audit-per-object=100000', `--audit-service=deckwatch:${relay.port}`] },
    })
  })

  afterEach(async () => {
    await writers?.stop()
    writers = undefined
  })

  after(async () => {
    await world?.stop()
    relay?.stop()
  })

  const statuses = (writes: readonly AuditedWrite[]): ReadonlySet<number> =>
    new Set(writes.map(({ status }) => status))

  function latency(writes: readonly AuditedWrite[]): string {
    const times = writes.map(({ took }) => took).toSorted((one, other) => one - other)
    return `median ${times[times.length >> 1]} ms, longest ${times.at(-1)} ms of ${times.length}`
  }

  /** Lets people write before, while and after the companion does not answer, and prints what that cost them. */
  async function silenced(
    namespace: string,
    { silence, end }: { readonly silence: () => void; readonly end: () => void },
  ): Promise<{ readonly from: string; readonly to: string }> {
    writers = await AuditWriters.start(world.cluster, { namespace })
    const before = await writers.during(1000, 20)
    const from = new Date().toISOString()
    silence()
    const during = await writers.during(SILENT_MS, 3)
    end()
    const to = new Date().toISOString()
    await world.untilReviewed()
    const after = await writers.during(1000, 20)
    await writers.stop()
    console.log(`      before: ${latency(before)}; during: ${latency(during)}; after: ${latency(after)}`)
    assert.deepEqual(statuses(writers.writes), new Set([200]))
    await writers.during(HELD_BACK_MS)
    await world.settled()
    return { from, to }
  }

  it('packets dropped on the way to it: writes succeed, and what was written meanwhile has no name', async () => {
    const meanwhile = await silenced('dropped', {
      silence: () => relay.hold(),
      end: () => relay.release(),
    })
    const figures = await writers?.agree(async () => ({
      changes: await world.changes('dropped'),
      gaps: [{ ...meanwhile, reason: 'packets dropped' }],
    }))
    assert.ok(figures && figures.named > 20 && figures.unnamed > 0, JSON.stringify(figures))
  })

  it('a companion that stands still: writes succeed, and the time is a gap', async () => {
    const { pid = 0 } = world.companion
    await silenced('stopped', {
      silence: () => process.kill(pid, 'SIGSTOP'),
      end: () => process.kill(pid, 'SIGCONT'),
    })
    const figures = await writers?.agree(async () => {
      const { items, gaps = [] } = await world.list('stopped')
      return { changes: items.toReversed(), gaps }
    })
    const { gaps = [] } = await world.list('stopped')
    // What the kernel had taken for it meanwhile, it reads afterwards.
    assert.ok(figures && figures.named > 20, JSON.stringify(figures))
    const gap = gaps.find(({ reason }) => reason === 'companion stood still')
    assert.equal(typeof gap?.to, 'string', JSON.stringify(gaps))
  })

  it('a webhook that somebody empties is written again', async () => {
    const edit = { webhooks: [] }
    const configuration = ['validatingwebhookconfiguration', 'deckwatch-audit-log']
    await world.run('mallory', ['patch', ...configuration, '--type=merge', '-p', JSON.stringify(edit)])
    await world.until(async () => {
      const { webhooks = [] } = await world.cluster.admin.send<{ webhooks?: unknown[] }>('GET', WEBHOOK)
      return webhooks.length > 0 || undefined
    }, 'the webhooks')
    await world.untilReviewed()
  })

  it('a webhook that somebody deletes stays away: the gap is told until an installation brings it back', async () => {
    await world.ensureNamespace('unseen')
    const kept = await world.cluster.admin.send<{ metadata: { labels?: object } }>('GET', WEBHOOK)
    await world.run('mallory', ['delete', 'validatingwebhookconfiguration', 'deckwatch-audit-log'])
    await world.until(async () => (await world.recording())?.webhook.ok === false || undefined, 'its end')
    await world.run('alice', ['-n', 'unseen', 'create', 'configmap', 'unseen'])
    const [change] = await world.until(async () => {
      const changes = await world.changes('unseen', ['object.name=unseen'])
      return changes.length > 0 ? changes : undefined
    }, 'a change without a name')
    assert.deepEqual([change?.state, change?.user], ['unattributed', undefined])
    const open = await world.until(
      async () => (await world.list('unseen')).gaps?.find(({ to }) => to === undefined),
      'a gap that lasts',
    )
    assert.match(open.reason, /^ValidatingWebhookConfiguration deckwatch-audit-log is not there$/)
    const { stderr } = await world.kubectl('alice', ['get', 'changes', '-n', 'unseen'])
    assert.match(stderr, /^Warning: changes are not recorded since \S+: ValidatingWebhookConfiguration/m)
    await world.run('admin', ['create', '-f', '-'], {
      apiVersion: 'admissionregistration.k8s.io/v1',
      kind: 'ValidatingWebhookConfiguration',
      metadata: { name: 'deckwatch-audit-log', labels: kept.metadata.labels },
    })
    await world.untilReviewed()
    await world.until(async () => {
      const { gaps = [] } = await world.list('unseen')
      return gaps.every(({ to }) => to !== undefined) || undefined
    }, 'the end of the gap')
  })
})
