import assert from 'node:assert/strict'
import { BatchCommit } from '../../../server/audit-log/recorder/batch-commit.ts'
import { NextBatch } from '../../../server/audit-log/recorder/next-batch.ts'
import {
  type AuditStoreState,
  type ChangeRecord,
  type RecordBatch,
  StoreGone,
  StoreTaken,
} from '../../../server/audit-log/store/audit-store.ts'
import { StoreFull } from '../../../server/kit/store/store.ts'
import { ManualClock } from '../../kit/manual-clock.ts'
import { recordedLog } from '../../kit/recorded-log.ts'
import { sampleChange } from '../../kit/sample-change.ts'

const LIMITS = { maxAgeMs: 1, secretsMaxAgeMs: 1, perObject: 1, keepLast: 1, maxBytes: 1 }
const EMPTY: RecordBatch = { added: [], decided: [], known: [], gaps: [] }

function aRecord(seq: number): ChangeRecord {
  const object = { resourceVersion: { before: '10', after: '' } }
  return { id: { writer: 7, seq }, time: seq, ...sampleChange({ state: 'pending', object }) }
}

describe('commits of the recorder', () => {
  const signal = new AbortController().signal

  /** A store that fails so many times, and what it was asked. */
  function failing(errors: Error[]) {
    const [asked, told, ages] = [[] as string[], [] as (string | undefined)[], [] as number[][]]
    const clock = new ManualClock()
    const log = recordedLog()
    const commits: BatchCommit = new BatchCommit({
      store: {
        commit: () => {
          asked.push('commit')
          const error = errors.shift()
          return error ? Promise.reject(error) : Promise.resolve({ number: 9 } as AuditStoreState)
        },
        trim: (limits) => {
          asked.push('trim')
          ages.push([limits.maxAgeMs, limits.secretsMaxAgeMs])
          return Promise.resolve(false)
        },
      },
      clock,
      log,
      limits: LIMITS,
      told: () => told.push(commits.failing),
    })
    return { asked, told, ages, clock, log, commits }
  }

  it('wait for space and for the database, say so, and lose nothing', async () => {
    const { asked, told, clock, log, commits } = failing([new StoreFull('full'), new StoreGone('gone')])
    const done = commits.commit(EMPTY, signal)
    for (let tries = 0; asked.filter((what) => what === 'commit').length < 3 && tries < 20; tries += 1) {
      await clock.advance(1000)
    }
    assert.equal(commits.failing, undefined)
    assert.deepEqual(told, ['no space is left', 'the database cannot be reached'])
    assert.equal((await done).number, 9)
    assert.deepEqual(asked, ['commit', 'trim', 'commit', 'commit'])
    assert.equal(commits.counts.retries, 2)
    assert.ok(log.lines.some(({ level }) => level === 'warn'))
    assert.ok(log.lines.some(({ message }) => message.includes('kept again')))
  })

  it('end where another has become the one who writes', async () => {
    const { commits } = failing([new StoreTaken('taken')])
    await assert.rejects(commits.commit(EMPTY, signal), StoreTaken)
  })

  it('let go of nothing for its age until a clock that leapt has run evenly for a day', async () => {
    const { ages, clock, commits } = failing([])
    const [day, never] = [86_400_000, Number.MAX_SAFE_INTEGER]
    const [own, none] = [
      [LIMITS.maxAgeMs, LIMITS.secretsMaxAgeMs],
      [never, never],
    ]
    const now = clock.now()
    commits.begin(now - 40 * day)
    await commits.trim(now)
    assert.deepEqual(ages, [none])
    for (let minutes = 5; minutes <= 24 * 60; minutes += 5) await commits.trim(now + minutes * 60_000)
    assert.deepEqual(ages.at(-2), none)
    assert.deepEqual(ages.at(-1), own)
    commits.begin(now - day)
    await commits.trim(now)
    assert.deepEqual(ages.at(-1), own)
    await commits.trim(now + 41 * day)
    assert.deepEqual(ages.at(-1), none)
  })

  it('let go of what is beyond the limits about each minute', async () => {
    const { asked, commits } = failing([])
    for (const now of [100_000, 130_000, 159_999, 160_000]) await commits.trim(now)
    assert.deepEqual(asked, ['trim', 'trim'])
  })
})

describe('what the next commit keeps', () => {
  it('is a change as it is decided by then; what was kept before is decided for itself', () => {
    const batch = new NextBatch()
    batch.add(aRecord(1))
    batch.decide({ id: { writer: 7, seq: 1 }, state: 'confirmed', reason: '', resourceVersionAfter: '11' })
    batch.decide({ id: { writer: 7, seq: 0 }, state: 'not-landed', reason: 'refused' })
    const { added, decided } = batch.take()
    assert.deepEqual(
      added.map(({ state, object }) => [state, object.resourceVersion]),
      [['confirmed', { before: '10', after: '11' }]],
    )
    assert.deepEqual(
      decided.map(({ id, state }) => [id.seq, state]),
      [[0, 'not-landed']],
    )
    assert.ok(batch.empty)
  })
})
