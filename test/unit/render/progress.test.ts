import assert from 'node:assert/strict'
import { Progress } from '../../../src/cli/render/progress.ts'
import { ManualClock } from '../../kit/manual-clock.ts'

const CLEAR = '\r\u001b[K'

function start(
  terminal: { readonly isTTY?: boolean; readonly columns?: number } = { isTTY: true, columns: 80 },
) {
  const clock = new ManualClock()
  const written: string[] = []
  const stream = { ...terminal, write: (text: string) => written.push(text) }
  return { clock, written, progress: new Progress({ stream, clock }) }
}

describe('progress', () => {
  it('says nothing of work that takes less than half a second', async () => {
    const { clock, written, progress } = start()
    progress.update('listing pods: 500')
    await clock.advance(499)
    progress.stop()
    await clock.advance(5000)
    assert.deepEqual(written, [])
  })

  it('shows after half a second what was said last, also when nothing more is said', async () => {
    const { clock, written, progress } = start()
    progress.update('connecting')
    progress.update('listing pods: 500')
    await clock.advance(500)
    assert.deepEqual(written, [`${CLEAR}listing pods: 500`])
    progress.stop()
  })

  it('paints at most ten times a second, and the last text always', async () => {
    const { clock, written, progress } = start()
    await clock.advance(1000)
    for (let count = 0; count < 100; count++) {
      progress.update(`${count}`)
      await clock.advance(10)
    }
    await clock.advance(100)
    assert.ok(written.length >= 9 && written.length <= 12, `${written.length} paints`)
    assert.equal(written.at(-1), `${CLEAR}99`)
    progress.stop()
  })

  it('takes the line away before other output, and brings it back with the next update', async () => {
    const { clock, written, progress } = start()
    await clock.advance(600)
    progress.update('listing')
    progress.clear()
    progress.clear()
    assert.deepEqual(written, [`${CLEAR}listing`, CLEAR])
    await clock.advance(1000)
    assert.equal(written.length, 2)
    progress.update('still listing')
    assert.equal(written.at(-1), `${CLEAR}still listing`)
    progress.stop()
    assert.equal(written.at(-1), CLEAR)
  })

  it('is silent for good once stopped', async () => {
    const { clock, written, progress } = start()
    await clock.advance(600)
    progress.update('listing')
    progress.update('listing more')
    progress.stop()
    progress.update('late')
    await clock.advance(1000)
    assert.deepEqual(written, [`${CLEAR}listing`, CLEAR])
    assert.deepEqual(clock.sleeping, [])
  })

  it('is silent in a pipe', async () => {
    const { clock, written, progress } = start({})
    progress.update('listing')
    await clock.advance(5000)
    progress.update('listing')
    progress.stop()
    assert.deepEqual(written, [])
  })

  it('never wraps and never passes on control characters', async () => {
    const { clock, written, progress } = start({ isTTY: true, columns: 12 })
    await clock.advance(600)
    progress.update('pod \u001b[2J with a long name')
    assert.deepEqual(written, [`${CLEAR}pod \\x1b[2…`])
    progress.stop()
  })
})
