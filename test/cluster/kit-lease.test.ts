import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import {
  createLeadership,
  holderIdentity,
  type LeaseTimes,
} from '../../server/kit/lease/create-leadership.ts'
import type { Leadership } from '../../server/kit/lease/leadership.ts'
import type { KubeTransport } from '../../src/core/kube/transport.ts'
import { type Clock, systemClock } from '../../src/core/lib/time.ts'
import type { ControlPlane } from '../kit/kubernetes/control-plane.ts'
import { requireKubernetes } from '../kit/kubernetes/shared.ts'
import { startControlPlane } from '../kit/kubernetes/start-control-plane.ts'
import { ManualClock } from '../kit/manual-clock.ts'
import { recordedLog } from '../kit/recorded-log.ts'
import { grantRights, transportAs, until } from './kit-world.ts'

const NAME = 'deckwatch-image-graph'
const namespace = 'lead'
const LEASE = `/apis/coordination.k8s.io/v1/namespaces/${namespace}/leases/${NAME}`
/** With room for a machine that is busy: whoever is late by so much has lost the Lease. */
const STEADY: LeaseTimes = { durationMs: 5000, renewMs: 500, retryMs: 200, requestMs: 2500 }
const QUICK: LeaseTimes = { durationMs: 1000, renewMs: 150, retryMs: 60, requestMs: 500 }

interface LeaseAnswer {
  readonly spec: {
    readonly holderIdentity?: string
    readonly leaseDurationSeconds: number
    readonly leaseTransitions: number
    readonly renewTime: string
  }
}

interface Candidate {
  readonly identity: string
  readonly leadership: Leadership
  /** Whether its work is under way. */
  readonly holds: boolean
  /** How often it was. */
  readonly terms: number
  /** Ends it as SIGTERM does. */
  stop(): Promise<void>
  /** Ends it as `kill -9` does: nothing of it reaches the API server any more. */
  kill(): Promise<void>
}

describe('leadership by a Lease, on a real API server', function () {
  this.timeout(300_000)
  let cluster: ControlPlane
  let transport: KubeTransport
  const candidates: Candidate[] = []
  const holders = new Set<string>()
  /** How many held at once at most. */
  let most = 0

  before(async function () {
    await requireKubernetes(this)
    cluster = await startControlPlane()
    await grantRights(cluster, namespace)
    transport = await transportAs(cluster, namespace, 'deckwatch')
  })

  after(() => cluster?.stop())

  afterEach(async () => {
    for (const candidate of candidates.splice(0)) await candidate.kill()
    await cluster.admin.text('DELETE', LEASE).catch(() => undefined)
  })

  const start = (
    identity: string,
    { clock = systemClock, times = {} }: { clock?: Clock; times?: Partial<LeaseTimes> } = {},
  ): Candidate => {
    const killed = new AbortController()
    const stopping = new AbortController()
    const cut: KubeTransport = {
      send: (request) =>
        transport.send({
          ...request,
          signal: request.signal ? AbortSignal.any([request.signal, killed.signal]) : killed.signal,
        }),
      close: () => undefined,
    }
    const leadership = createLeadership({
      transport: cut,
      namespace,
      name: NAME,
      identity,
      clock,
      log: recordedLog(),
      times,
    })
    let holds = false
    let terms = 0
    const running = leadership.lead(async (holding) => {
      holds = true
      terms += 1
      holders.add(identity)
      most = Math.max(most, holders.size)
      await aborted(AbortSignal.any([holding, killed.signal]))
      holds = false
      holders.delete(identity)
    }, stopping.signal)
    const candidate = {
      identity,
      leadership,
      get holds() {
        return holds
      },
      get terms() {
        return terms
      },
      async stop() {
        stopping.abort()
        await running
      },
      async kill() {
        killed.abort()
        stopping.abort()
        await running
      },
    }
    candidates.push(candidate)
    return candidate
  }

  const lease = () => cluster.admin.send<LeaseAnswer>('GET', LEASE)
  const holding = (candidate: Candidate) => until(() => candidate.holds || undefined)

  it('goes to one of two; what it writes is what kubectl and other clients read', async () => {
    const one = start('one_1')
    await holding(one)
    const other = start('other_2')
    await until(() => (other.leadership.holder === 'one_1' ? true : undefined))
    assert.equal(other.holds, false)
    const { spec } = await lease()
    assert.equal(spec.holderIdentity, 'one_1')
    assert.equal(spec.leaseDurationSeconds, 15)
    assert.match(spec.renewTime, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/)
  })

  it('passes on at once when the holder stops', async () => {
    const one = start('one_1', { times: { retryMs: 50 } })
    await holding(one)
    const other = start('other_2', { times: { retryMs: 50 } })
    await one.stop()
    assert.equal(one.holds, false)
    await holding(other)
    assert.equal((await lease()).spec.leaseTransitions, 1)
  })

  it('passes on within 20 s of the holder’s violent death, by the clock of whoever waits', async () => {
    const one = start('one_1')
    await holding(one)
    const clock = new ManualClock()
    const other = start('other_2', { clock })
    await until(() => (other.leadership.holder === 'one_1' ? true : undefined))
    await one.kill()
    const killedAt = clock.now()
    while (!other.holds) {
      await until(() => (other.holds || clock.sleeping.length > 0 ? true : undefined))
      await clock.advance(100)
    }
    const tookMs = clock.now() - killedAt
    assert.ok(tookMs >= 14_000 && tookMs <= 20_000, `${tookMs} ms`)
  })

  it('does not believe clocks: neither one that jumped nor times that the Lease tells', async () => {
    const one = start('one_1')
    await holding(one)
    const clock = new ManualClock()
    const other = start('other_2', { clock: jumping(clock, 365 * 86_400_000) })
    await until(() => (other.leadership.holder === 'one_1' ? true : undefined))
    await cluster.admin.send('PATCH', LEASE, { spec: { renewTime: '2001-01-01T00:00:00.000000Z' } })
    for (let second = 0; second < 12; second += 1) {
      await until(() => (clock.sleeping.length > 0 ? true : undefined))
      await clock.advance(1000)
    }
    assert.equal(other.holds, false)
    assert.equal(one.holds, true)
  })

  it('comes back at once to a container of the same pod', async () => {
    const identity = holderIdentity('deckwatch-0', 'b6f0-uid')
    const one = start(identity)
    await holding(one)
    await one.kill()
    const again = start(identity, { clock: new ManualClock() })
    await holding(again)
    assert.equal((await lease()).spec.leaseTransitions, 0)
  })

  it('is over when another has taken the Lease', async () => {
    const one = start('one_1', { times: QUICK })
    await holding(one)
    await cluster.admin.send('PATCH', LEASE, {
      spec: { holderIdentity: 'thief', leaseDurationSeconds: 3600 },
    })
    await until(() => (one.holds ? undefined : true))
    assert.equal(one.leadership.holder, 'thief')
    // What is another's is not given up for it.
    await one.stop()
    assert.equal((await lease()).spec.holderIdentity, 'thief')
  })

  it('goes on where the Lease was deleted, or given up by somebody else', async () => {
    const one = start('one_1', { times: STEADY })
    await holding(one)
    await cluster.admin.text('DELETE', LEASE)
    await until(async () =>
      (await lease().catch(() => undefined))?.spec.holderIdentity === 'one_1' ? true : undefined,
    )
    await cluster.admin.send('PATCH', LEASE, { spec: { holderIdentity: '' } })
    await until(async () => ((await lease()).spec.holderIdentity === 'one_1' ? true : undefined))
    assert.equal(one.terms, 1)
    assert.ok(one.holds)
  })

  it('is over, but not before its time, where the right to renew was taken away', async () => {
    const one = start('one_1', { times: QUICK })
    await holding(one)
    const role = `/apis/rbac.authorization.k8s.io/v1/namespaces/${namespace}/roles/deckwatch`
    const { rules } = await cluster.admin.send<{ rules: object[] }>('GET', role)
    await cluster.admin.send('PATCH', role, { rules: [] })
    try {
      await until(() => (one.holds ? undefined : true))
    } finally {
      await cluster.admin.send('PATCH', role, { rules })
    }
    await holding(one)
    assert.equal(one.terms, 2)
  })

  it('tells what its work failed with, and is given up', async () => {
    const leadership = createLeadership({
      transport,
      namespace,
      name: NAME,
      identity: 'failing_1',
      clock: systemClock,
      log: recordedLog(),
    })
    const work = async (): Promise<void> => {
      throw new Error('the disk is gone')
    }
    await assert.rejects(leadership.lead(work, new AbortController().signal), /the disk is gone/)
    assert.equal((await lease()).spec.holderIdentity, '')
  })

  it('outlives an outage of the API server, with whoever had it', async () => {
    const one = start('one_1', { times: STEADY })
    await holding(one)
    const other = start('other_2', { times: STEADY })
    await until(() => (other.leadership.holder === 'one_1' ? true : undefined))
    await cluster.apiServer.kill()
    await new Promise((resolve) => {
      setTimeout(resolve, 2 * STEADY.durationMs)
    })
    assert.ok(one.holds, 'the holder went on')
    assert.ok(!other.holds, 'nobody took what nobody could take')
    await cluster.apiServer.start()
    const { renewTime } = await until(async () => (await lease().catch(() => undefined))?.spec)
    await until(async () => {
      const { spec } = await lease()
      return spec.holderIdentity === 'one_1' && spec.renewTime !== renewTime ? true : undefined
    })
    assert.ok(one.holds && !other.holds)
    assert.equal(one.terms, 1)
  })

  it('is never with two at once, whoever stops, dies and comes', async function () {
    this.timeout(300_000)
    const step = fc.record({
      who: fc.nat(2),
      end: fc.constantFrom('stop', 'kill'),
      waitMs: fc.integer({ min: 0, max: 400 }),
    })
    most = 0
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 12 }), async (steps) => {
        const pods = new Map<number, Candidate>()
        try {
          for (const [index, { who, end, waitMs }] of steps.entries()) {
            const pod = pods.get(who)
            if (pod) {
              await pod[end]()
              pods.delete(who)
            } else pods.set(who, start(`pod-${who}_${index}`, { times: QUICK }))
            await new Promise((resolve) => {
              setTimeout(resolve, waitMs)
            })
          }
          const last = start('last_one', { times: QUICK })
          await until(() => [last, ...pods.values()].some(({ holds }) => holds) || undefined)
        } finally {
          for (const candidate of candidates.splice(0)) await candidate.kill()
        }
        assert.equal(most, 1)
      }),
      { numRuns: 8 },
    )
  })
})

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
}

/** The same sleeps, but a clock that is a year further each time it is looked at. */
function jumping(clock: ManualClock, byMs: number): Clock {
  let jumps = 0
  return {
    now: () => clock.now() + byMs * ++jumps,
    sleep: (ms, signal) => clock.sleep(ms, signal),
  }
}
