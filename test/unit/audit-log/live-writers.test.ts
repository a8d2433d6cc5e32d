import assert from 'node:assert/strict'
import { LiveWriters } from '../../../server/audit-log/replica/live-writers.ts'

describe('which replicas are there', () => {
  const all = (): number => Number.POSITIVE_INFINITY
  const NOON = 1_795_000_000_000
  const at = (writer: number, heartbeat: number, seq = 0) => ({ writer, heartbeat, seq })

  it('a look has passed a replica once its heartbeat changed twice after it, whatever its clock says', () => {
    const live = new LiveWriters()
    live.take([at(1, NOON + 99)], 1, NOON)
    live.take([at(1, NOON + 5)], 2, NOON + 500)
    assert.equal(live.readUpTo(all), 0)
    live.take([at(1, NOON + 6)], 3, NOON + 1000)
    assert.equal(live.readUpTo(all), 1)
    live.take([at(1, NOON + 6)], 4, NOON + 1500)
    live.take([at(1, NOON + 7)], 5, NOON + 2000)
    assert.equal(live.readUpTo(all), 2)
  })

  it('nothing has passed while entries of a replica are not read', () => {
    const live = new LiveWriters()
    for (const look of [1, 2, 3]) live.take([at(1, NOON + look, 7)], look, NOON + look)
    assert.equal(
      live.readUpTo(() => 6),
      0,
    )
    assert.equal(
      live.readUpTo(() => 7),
      1,
    )
  })

  it('one that is silent for 15 s while others could be heard is given up, said once, and taken back', () => {
    const live = new LiveWriters()
    let look = 0
    const silent: number[] = []
    const listen = (seconds: number, heartbeat: (now: number) => number): void => {
      for (let i = 0; i < seconds; i += 1) {
        look += 1
        const now = NOON + look * 1000
        silent.push(...live.take([at(1, now), at(2, heartbeat(now))], look, now))
      }
    }
    listen(4, (now) => now)
    listen(14, () => NOON + 4000)
    assert.deepEqual(silent, [])
    assert.ok(live.readUpTo(all) < look - 10)
    listen(4, () => NOON + 4000)
    assert.deepEqual(silent, [2])
    assert.equal(live.readUpTo(all), look - 2)
    assert.deepEqual(
      live.missed().map(({ from }) => from),
      [NOON + 4000],
    )
    assert.deepEqual(live.missed(), [])
    listen(1, (now) => now)
    assert.ok(live.readUpTo(all) < look - 2)
  })

  it('nobody is blamed for silence while the inbox could not be read', () => {
    const live = new LiveWriters()
    live.take([at(1, NOON)], 1, NOON)
    assert.deepEqual(live.take([at(1, NOON)], 2, NOON + 60_000), [])
  })

  it('nobody waits for one that ended in peace, nor for one that was gone before', () => {
    const live = new LiveWriters()
    assert.deepEqual(live.take([at(1, 0), at(2, NOON - 20_000)], 1, NOON), [2])
    assert.equal(live.readUpTo(all), Number.POSITIVE_INFINITY)
    assert.deepEqual(live.missed(), [])
  })
})
