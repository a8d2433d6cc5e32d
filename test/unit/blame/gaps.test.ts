import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import { gapsText, gapText, weaveGaps, type Timed } from '../../../src/cli/features/blame/gaps.ts'
import { NOW, utcCalendar } from './changes.ts'

const at = (clock: string): number => Date.parse(`2026-11-21T${clock}Z`)
const named = (clock: string): Timed => ({ time: at(clock), nameless: false })
const nameless = (clock: string): Timed => ({ time: at(clock), nameless: true })
const gap = (from: string, to: string | undefined, reason = 'companion restarted') => ({
  from: `2026-11-21T${from}Z`,
  ...(to === undefined ? {} : { to: `2026-11-21T${to}Z` }),
  reason,
})

/** Stretches as text: times of entries, those of a gap in brackets. */
function woven(entries: readonly Timed[], gaps: Parameters<typeof weaveGaps>[1], since = 0): string {
  const clock = (time: number) => new Date(time).toISOString().slice(11, 16)
  return weaveGaps(entries, gaps, since)
    .map((stretch) => {
      const times = (stretch.gap ? stretch.gap.entries : stretch.entries)
        .map(({ time }) => clock(time))
        .join(' ')
      return stretch.gap ? `[${clock(stretch.gap.from)}: ${times}]` : times
    })
    .join(' ')
}

describe('gaps between changes', () => {
  it('stand where they were in time, with what was found in them', () => {
    const entries = [named('10:40:00'), nameless('10:25:00'), named('10:10:00')]
    assert.equal(woven(entries, [gap('10:20:00', '10:31:00')]), '10:40 [10:20: 10:25] 10:10')
    assert.equal(woven(entries, [gap('10:41:00', undefined)]), '[10:41: ] 10:40 10:25 10:10')
    assert.equal(woven(entries, [gap('09:00:00', '09:05:00')]), '10:40 10:25 10:10 [09:00: ]')
    assert.equal(woven(entries, [gap('09:00:00', '09:05:00')], at('10:10:00')), '10:40 10:25 10:10')
    assert.equal(woven([], [gap('09:00:00', '09:05:00')]), '[09:00: ]')
  })

  it('hold what a new list brought to light just after their end, but not what has a name then', () => {
    const gaps = [gap('10:20:00', '10:31:00')]
    assert.equal(woven([nameless('10:31:06'), named('10:10:00')], gaps), '[10:20: 10:31] 10:10')
    assert.equal(woven([named('10:31:06'), named('10:10:00')], gaps), '10:31 [10:20: ] 10:10')
  })

  it('are one where they overlap', () => {
    const gaps = [
      gap('10:20:00', '10:31:00'),
      gap('10:25:00', '10:26:00', 'watch lost'),
      gap('10:30:00', undefined),
    ]
    assert.equal(woven([named('10:10:00')], gaps), '[10:20: ] 10:10')
    const [stretch] = weaveGaps([nameless('10:22:00')], gaps, 0)
    assert.ok(stretch?.gap)
    assert.equal(
      gapText(stretch.gap, NOW, utcCalendar),
      'not recording since 10:20 (companion restarted; watch lost); 1 change without a name:',
    )
  })

  it('lose no entry and keep their order', () => {
    const time = fc.integer({ min: 0, max: 1000 }).map((step) => at('08:00:00') + step * 1000)
    const entry = fc.record({ time, nameless: fc.boolean() })
    const span = fc
      .tuple(time, time, fc.boolean())
      .map(([a, b, lasts]) => [Math.min(a, b), lasts ? undefined : Math.max(a, b)] as const)
    fc.assert(
      fc.property(fc.array(entry), fc.array(span, { maxLength: 6 }), (some, spans) => {
        const entries = some.toSorted((a, b) => b.time - a.time)
        const gaps = spans.map(([from, to]) => ({
          from: new Date(from).toISOString(),
          ...(to === undefined ? {} : { to: new Date(to).toISOString() }),
          reason: '',
        }))
        const out = weaveGaps(entries, gaps, 0).flatMap(
          (stretch) => stretch.gap?.entries ?? (stretch.gap ? [] : stretch.entries),
        )
        assert.deepEqual(out, entries)
      }),
    )
  })
})

describe('a gap in words', () => {
  const text = (from: string, to: string | undefined, reasons = ['node drained']) =>
    gapText(
      { from: Date.parse(from), to: to === undefined ? undefined : Date.parse(to), reasons, entries: [] },
      NOW,
      utcCalendar,
    )

  it('has the day where it is not today, and seconds where there are no minutes', () => {
    assert.equal(
      text('2026-11-21T10:22:00Z', '2026-11-21T10:31:00Z'),
      'not recording 10:22–10:31 (node drained)',
    )
    assert.equal(
      text('2026-11-21T10:22:05Z', '2026-11-21T10:22:31Z'),
      'not recording 10:22:05–10:22:31 (node drained)',
    )
    assert.equal(
      text('2026-11-19T10:22:00Z', '2026-11-19T10:31:00Z'),
      'not recording 19 Nov 10:22–10:31 (node drained)',
    )
    assert.equal(
      text('2026-11-20T23:50:00Z', '2026-11-21T00:10:00Z'),
      'not recording 20 Nov 23:50–21 Nov 00:10 (node drained)',
    )
    assert.equal(text('2025-11-19T10:22:00Z', undefined, ['']), 'not recording since 19 Nov 2025 10:22')
  })

  it('counts those that come in a row', () => {
    const gaps = [3, 2, 1].map((hour) => ({
      from: at(`0${hour}:00:00`),
      to: at(`0${hour}:02:00`),
      reasons: ['companion restarted'],
      entries: [],
    }))
    assert.equal(
      gapsText(gaps, NOW, utcCalendar),
      'not recording 3 times within 01:00–03:02, 6 min in all (companion restarted)',
    )
  })
})
