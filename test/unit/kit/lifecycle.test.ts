import assert from 'node:assert/strict'
import { setImmediate } from 'node:timers/promises'
import { endingProbe, type Lifecycle, runToEnd, type Task } from '../../../server/kit/lifecycle.ts'
import { systemClock } from '../../../src/core/lib/time.ts'
import { ManualClock } from '../../kit/manual-clock.ts'
import { recordedLog } from '../../kit/recorded-log.ts'

describe('the life of a process', () => {
  let steps: string[]
  let log = recordedLog()
  let end: AbortController

  beforeEach(() => {
    steps = []
    log = recordedLog()
    end = new AbortController()
  })

  const task = (name: string, atEnd: () => Promise<void> = async () => {}): Task => ({
    name,
    async run(signal) {
      steps.push(`${name} runs`)
      await new Promise((resolve) => {
        signal.addEventListener('abort', resolve)
      })
      await atEnd()
      steps.push(`${name} ended`)
    },
  })
  const live = (lifecycle: Partial<Lifecycle>): Promise<number> =>
    runToEnd({ stages: [], graceMs: 10_000, clock: systemClock, log, ...lifecycle }, end.signal)

  it('begins everything at once and ends it stage by stage', async () => {
    const slowly = () => setImmediate(undefined)
    const over = live({
      stages: [[task('api', slowly)], [task('room', slowly)], [task('pods'), task('metrics')]],
      beforeEnd: async () => {
        steps.push('last look')
      },
    })
    assert.deepEqual(steps, ['api runs', 'room runs', 'pods runs', 'metrics runs'])
    end.abort()
    assert.equal(await over, 0)
    assert.deepEqual(steps.slice(4), ['last look', 'api ended', 'room ended', 'pods ended', 'metrics ended'])
  })

  it('ends all when one fails, and names that one', async () => {
    const over = live({
      stages: [
        [task('api')],
        [
          {
            name: 'image-graph',
            run: async () => {
              throw new Error('no right to list pods')
            },
          },
        ],
      ],
    })
    assert.equal(await over, 1)
    assert.ok(steps.includes('api ended'))
    const said = log.lines.find(({ level }) => level === 'error')
    assert.equal(said?.message, 'image-graph failed')
    assert.match(String(said?.fields['err']), /no right to list pods/)
  })

  it('takes it for a failure when a part ends by itself', async () => {
    assert.equal(await live({ stages: [[{ name: 'pods', run: async () => {} }]] }), 1)
    assert.match(String(log.lines[0]?.fields['err']), /pods ended by itself/)
  })

  it('waits no longer than it may, and names what is left', async () => {
    const clock = new ManualClock()
    const over = live({
      stages: [[task('api', () => new Promise(() => {}))], [task('room')]],
      graceMs: 500,
      clock,
    })
    end.abort()
    await clock.untilSleep((ms) => ms === 500)
    await clock.advance(500)
    assert.equal(await over, 1)
    assert.deepEqual(log.lines.at(-1)?.fields['left'], ['api', 'room'])
  })

  it('ends also where the last look fails', async () => {
    const over = live({
      stages: [[task('api')]],
      beforeEnd: async () => {
        throw new Error('unreachable')
      },
    })
    end.abort()
    assert.equal(await over, 0)
  })

  it('is not ready any more from the moment in which it is asked to end', () => {
    const probe = endingProbe(end.signal)
    assert.equal(probe.ready().ok, true)
    end.abort()
    assert.deepEqual([probe.ready(), probe.alive().ok], [{ ok: false, reason: 'ending' }, true])
  })
})
