import assert from 'node:assert/strict'
import {
  lackingHint,
  nothingHint,
  untouchedHint,
  type NothingFound,
} from '../../../src/cli/features/blame/hints.ts'
import { NOW, utcCalendar } from './changes.ts'

describe('the line that says what an answer lacks', () => {
  it('names what brings it', () => {
    assert.equal(
      lackingHint({ type: 'no-companion' }),
      'No companion, so managers, not people: kubectl deckwatch install --components audit-log',
    )
    assert.equal(
      lackingHint({ type: 'no-companion', reason: 'the companion does not answer: 503' }),
      'the companion does not answer: 503, so managers, not people: kubectl deckwatch status',
    )
    assert.match(lackingHint({ type: 'no-audit-log' }), /^Nothing is recorded, .*--components all$/)
    assert.match(lackingHint({ type: 'not-asked' }), /--companion=never/)
  })
})

describe('the line where nothing was found', () => {
  const told = (found: Partial<NothingFound>) =>
    nothingHint({
      subject: 'deployment/web in shop',
      recordingSince: '2026-11-12T08:00:00Z',
      created: undefined,
      hidden: undefined,
      filtered: false,
      now: NOW,
      calendar: utcCalendar,
      ...found,
    })

  it('says since when there would be something', () => {
    assert.equal(told({}), 'No change of deployment/web in shop is recorded; recording since 12 Nov')
    assert.equal(told({ recordingSince: '' }), 'No change of deployment/web in shop is recorded')
    assert.equal(
      told({ created: Date.parse('2025-09-03T10:00:00Z') }),
      'No change since recording began (12 Nov); the object is of 3 Sep 2025 10:00. Its field managers: -f yaml',
    )
    assert.equal(
      told({ created: Date.parse('2026-11-13T10:00:00Z') }),
      'No change of deployment/web in shop is recorded; recording since 12 Nov',
    )
  })

  it('says what the filters hid', () => {
    assert.equal(
      told({ filtered: true, hidden: 12 }),
      'No change of deployment/web in shop matches; 12 without these filters',
    )
    assert.equal(told({ filtered: true }), 'No change of deployment/web in shop matches')
  })

  it('names objects without a change, if they are not too many', () => {
    assert.equal(untouchedHint([]), undefined)
    assert.equal(untouchedHint(['a', 'b']), 'No change recorded of a, b')
    assert.equal(
      untouchedHint(Array.from({ length: 1200 }, (_, i) => `o${i}`)),
      'No change recorded of o0, o1, o2, o3, o4 and 1,195 more',
    )
  })
})
