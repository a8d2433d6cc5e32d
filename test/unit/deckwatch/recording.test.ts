import assert from 'node:assert/strict'
import type { PodReport } from '../../../src/cli/features/deckwatch/companion-report.ts'
import { recordingText, webhookText } from '../../../src/cli/features/deckwatch/recording-lines.ts'
import {
  recordingProblems,
  recordingWarnings,
  type RecordingPlace,
} from '../../../src/cli/features/deckwatch/recording-problems.ts'
import { waitForRecording } from '../../../src/cli/features/deckwatch/recording.ts'
import { DeckError } from '../../../src/core/lib/errors.ts'
import type { CompanionStatus, RecordingStatus } from '../../../src/core/wire/companion-status.ts'
import { ManualClock } from '../../kit/manual-clock.ts'
import { object, OWN } from './companion-objects.ts'
import { MemoryCluster } from './memory-cluster.ts'
import { turnUntil } from './turning.ts'

const { signal } = new AbortController()
const NOW = Date.UTC(2026, 10, 21, 12)
const STATUSZ = '/api/v1/namespaces/deckwatch/pods/https:deckwatch-1:10250/proxy/statusz'

const WELL: RecordingStatus = {
  since: '2026-11-12T12:00:00Z',
  webhook: { ok: true, reason: 'the API server sends reviews of changes', since: '2026-11-21T11:00:00Z' },
  journal: { usedBytes: 1 << 20, limitBytes: 256 << 20, entriesBehind: 0 },
  lastHour: { reviews: 412, dropped: 0, unattributed: 0 },
  gaps: [],
}

const podWith = (recording: RecordingStatus, startedAt?: string): PodReport => ({
  name: 'deckwatch-1',
  ready: true,
  status: { ...statusWith(recording), ...(startedAt === undefined ? {} : { startedAt }) },
})

function statusWith(recording: RecordingStatus): CompanionStatus {
  return {
    version: '0.1.0',
    pod: 'deckwatch-1',
    startedAt: '2026-11-12T12:00:00Z',
    components: [{ name: 'audit-log', ready: true, alive: true, reason: '', recording }],
    certificates: [],
  }
}

const NONE = { reviews: 0, dropped: 0, unattributed: 0 }
const LOGS = 'kubectl -n deckwatch logs deckwatch-1 --tail 50'

const told =
  (judge: typeof recordingProblems) =>
  (changes: Partial<RecordingStatus>, others: readonly PodReport[] = []): readonly string[] => {
    const pod = podWith({ ...WELL, ...changes })
    const place: RecordingPlace = {
      namespace: 'deckwatch',
      reinstall: 'kubectl deckwatch install',
      now: NOW,
      pods: [pod, ...others],
    }
    return judge(pod, place).map(({ about, text, mend = '' }) => `${about} ${text} => ${mend}`)
  }
const problems = told(recordingProblems)
const warnings = told(recordingWarnings)

describe('the status of the recording', () => {
  it('tells since when, and how much waits', () => {
    const pods = [podWith(WELL)]
    assert.equal(
      recordingText(pods, NOW),
      'without a gap for 9d; 412 reviews in the last hour; journal 1.0 MiB of 256 MiB, 0 waiting',
    )
    assert.equal(webhookText(pods, NOW), 'registered for 60m')
    assert.deepEqual(problems({}), [])
  })

  it('tells the last gap, also one that lasts', () => {
    const gap = { from: '2026-11-21T10:22:00Z', to: '2026-11-21T10:31:00Z', reason: 'companion restarted' }
    assert.match(
      recordingText([podWith({ ...WELL, gaps: [gap] })], NOW) ?? '',
      /; last gap 89m ago, 9m long \(companion restarted\)$/,
    )
    const { since: _, ...none } = WELL
    const lasting = { from: '2026-11-21T11:50:00Z', reason: 'webhook was removed' }
    assert.match(
      recordingText([podWith({ ...none, gaps: [lasting] })], NOW) ?? '',
      /^nothing is recorded now; .*; last gap since 10m \(webhook was removed\)$/,
    )
  })

  it('says nothing where no pod records', () => {
    assert.equal(recordingText([{ name: 'a', ready: true }], NOW), undefined)
    assert.equal(webhookText([{ name: 'a', ready: true }], NOW), undefined)
  })

  it('brings a deleted webhook back by install, and looks into the log for anything else', () => {
    const webhook = {
      ok: false,
      reason: 'ValidatingWebhookConfiguration deckwatch-audit-log is not there',
      since: '2026-11-21T11:55:00Z',
    }
    assert.deepEqual(problems({ webhook }), [
      `webhook no change is recorded with its author for 5m: ${webhook.reason}. Install brings it back, with the values that were given before => kubectl deckwatch install`,
    ])
    assert.match(
      problems({ webhook: { ...webhook, reason: 'forbidden' } })[0] ?? '',
      /=> kubectl -n deckwatch logs/,
    )
    assert.equal(webhookText([podWith({ ...WELL, webhook })], NOW), undefined)
  })

  it('tells what was not recorded and is over, as nothing that is to be mended', () => {
    const lastHour = { reviews: 9, dropped: 2, unattributed: 6 }
    for (const lastTenMinutes of [NONE, { ...NONE, reviews: 3, unattributed: 1 }]) {
      assert.deepEqual(problems({ lastHour, lastTenMinutes }), [])
      assert.deepEqual(warnings({ lastHour, lastTenMinutes }), [
        'webhook 6 changes in the last hour landed without a review, so without a name => kubectl blame -A --state unattributed --since 1h',
        `journal 2 reviews in the last hour could not be kept => ${LOGS}`,
      ])
    }
    // An older companion tells of an hour only.
    assert.deepEqual(problems({ lastHour }), [])
    assert.equal(warnings({ lastHour }).length, 2)
  })

  it('finds trouble where more changes land without a review than with one, unless a gap says why', () => {
    const lastTenMinutes = { ...NONE, unattributed: 2 }
    const changes = { lastHour: { ...NONE, unattributed: 2 }, lastTenMinutes }
    const [problem = '', ...others] = problems(changes)
    assert.match(problem, /^webhook the API server does not get through .*: 2 changes .*, and none came\./)
    assert.deepEqual([others, warnings(changes)], [[], []])
    const some = { ...changes, lastTenMinutes: { ...lastTenMinutes, reviews: 1 } }
    assert.match(problems(some)[0] ?? '', /, and 1 came\./)
    const gap = { from: '2026-11-21T11:40:00Z', to: '2026-11-21T11:55:00Z', reason: 'companion restarted' }
    assert.deepEqual(problems({ ...changes, gaps: [gap] }), [])
    assert.equal(warnings({ ...changes, gaps: [gap] }).length, 1)
    const before = { ...gap, to: '2026-11-21T11:45:00Z' }
    assert.equal(problems({ ...changes, gaps: [before] }).length, 1)
    const other = podWith({ ...WELL, lastTenMinutes: { ...NONE, reviews: 2 } })
    assert.deepEqual(problems(changes, [other]), [])
  })

  it('finds trouble where reviews are being dropped', () => {
    const counts = { reviews: 9, dropped: 2, unattributed: 0 }
    const changes = { lastHour: counts, lastTenMinutes: counts }
    assert.deepEqual(problems(changes), [
      `journal 2 reviews in the last 10 minutes could not be kept => ${LOGS}`,
    ])
    assert.deepEqual(warnings(changes), [])
  })

  it('finds trouble in a gap that lasts, once', () => {
    const gap = { from: '2026-11-21T11:50:00Z', reason: 'watch of deployments lost' }
    assert.deepEqual(problems({ gaps: [gap] }), [
      `recording not every change is recorded for 10m: watch of deployments lost => ${LOGS}`,
    ])
    const webhook = { ...WELL.webhook, ok: false }
    assert.equal(problems({ gaps: [gap], webhook }).length, 1)
  })

  it('says of what time its counts are after a restart', () => {
    const pods = [podWith(WELL, '2026-11-21T11:48:00Z')]
    assert.match(recordingText(pods, NOW) ?? '', /; 412 reviews in the 12m since it was started; /)
  })

  it('warns before the journal is full, not of a short burst', () => {
    const full = { usedBytes: 240 << 20, limitBytes: 256 << 20, entriesBehind: 20_000 }
    assert.match(problems({ journal: full })[0] ?? '', /^journal is 94 % full with 20000 reviews/)
    assert.deepEqual(problems({ journal: { ...full, usedBytes: 2 << 20 } }), [])
  })

  it('tells how a collector is told, and what it lacks', () => {
    const well = { exported: 1, refused: 0 }
    assert.match(recordingText([podWith({ ...WELL, export: well })], NOW) ?? '', /; 1 change exported$/)
    assert.deepEqual(problems({ export: well }), [])
    const failing = { since: '2026-11-21T11:50:00Z', reason: 'connect ECONNREFUSED 10.0.0.7:4318' }
    assert.deepEqual(problems({ export: { ...well, refused: 2, failing } }), [
      `export the collector has taken nothing for 10m: connect ECONNREFUSED 10.0.0.7:4318. Changes wait in the history => ${LOGS}`,
    ])
    assert.deepEqual(warnings({ export: { ...well, refused: 2, failing } }), [
      `export the collector refused 2 changes for good: its copy lacks them => ${LOGS}`,
    ])
    const restarts = { ...failing, since: '2026-11-21T11:59:30Z' }
    assert.deepEqual(problems({ export: { ...well, failing: restarts } }), [])
  })

  it('is of the pod that is worst off', () => {
    const webhook = { ...WELL.webhook, ok: false }
    assert.equal(webhookText([podWith(WELL), podWith({ ...WELL, webhook })], NOW), undefined)
  })
})

describe('waiting for the recording', () => {
  function cluster(answers: () => { status?: number; body?: string }): MemoryCluster {
    const made = new MemoryCluster()
    made.put(
      object(
        'v1',
        'Pod',
        { name: 'deckwatch-1', namespace: 'deckwatch', labels: OWN },
        {
          spec: { containers: [{ ports: [{ name: 'api', containerPort: 10250 }] }] },
          status: { conditions: [{ type: 'Ready', status: 'True' }] },
        },
      ),
    )
    made.answers = (path) => (path === STATUSZ ? answers() : undefined)
    return made
  }

  async function wait(on: MemoryCluster): Promise<unknown> {
    const clock = new ManualClock()
    const query = { namespace: 'deckwatch', until: clock.now() + 60_000 }
    const waiting = waitForRecording({ cluster: on, clock }, query, signal)
    void turnUntil(waiting, clock)
    return waiting.catch((error: unknown) => error)
  }

  it('ends when a pod says that the webhook is registered', async () => {
    let asked = 0
    const found = cluster(() => {
      asked += 1
      const webhook = { ...WELL.webhook, ok: asked > 3 }
      return { body: JSON.stringify(statusWith({ ...WELL, webhook })) }
    })
    assert.deepEqual(await wait(found), {})
    assert.equal(asked, 4)
  })

  it('says why it does not begin', async () => {
    const webhook = { ...WELL.webhook, ok: false, reason: 'reviews cannot be recorded yet' }
    const error = await wait(cluster(() => ({ body: JSON.stringify(statusWith({ ...WELL, webhook })) })))
    assert.ok(error instanceof DeckError)
    assert.equal(error.code, 'COMPANION_NOT_READY')
    assert.equal(error.message, 'changes are not recorded yet: reviews cannot be recorded yet')
    const silent = await wait(cluster(() => ({ body: 'no JSON' })))
    assert.match(String(silent), /no pod says how its recording goes/)
  })

  it('goes on where it may not ask', async () => {
    assert.deepEqual(await wait(cluster(() => ({ status: 403 }))), {
      unchecked: 'you may not get pods/proxy',
    })
  })
})
