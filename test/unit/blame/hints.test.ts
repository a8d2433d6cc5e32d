import assert from 'node:assert/strict'
import {
  lackingHint,
  nothingHint,
  unrecordedHints,
  untouchedHint,
  type NothingFound,
} from '../../../src/cli/features/blame/hints.ts'
import { checkValues, DEFAULT_VALUES, readValues, ValuesError } from '../../../server/deploy/index.ts'
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

describe('the lines about what is not recorded', () => {
  it('name how to record it, and who is recorded in its place', () => {
    assert.deepEqual(unrecordedHints({ resource: 'replicasets', version: 'v1', group: 'apps' }, true), [
      'Changes of replicasets.apps are not recorded, so managers, not people; those of their owners: kubectl blame deployment',
      'To record them, add to the flags of kubectl deckwatch install: --set auditLog.resources={replicasets.v1.apps}',
    ])
    assert.deepEqual(unrecordedHints({ resource: 'nodes', version: 'v1', group: '' }, false), [
      'Changes of nodes are not recorded',
      'To record them, add to the flags of kubectl deckwatch install: --set auditLog.resources={nodes.v1}',
    ])
  })

  it('offer nothing that install refuses', () => {
    const lease = { resource: 'leases', version: 'v1', group: 'coordination.k8s.io' }
    assert.deepEqual(unrecordedHints(lease, false), [
      'Changes of leases.coordination.k8s.io are not recorded, and cannot be',
    ])
    for (const type of [
      { resource: 'replicasets', version: 'v1', group: 'apps' },
      { resource: 'nodes', version: 'v1', group: '' },
      { resource: 'events', version: 'v1', group: '' },
      { resource: 'events', version: 'v1', group: 'events.k8s.io' },
      lease,
      {
        resource: 'validatingwebhookconfigurations',
        version: 'v1',
        group: 'admissionregistration.k8s.io',
      },
    ]) {
      const offered = /auditLog\.resources=\{(\S+)\}/.exec(unrecordedHints(type, false).join(' '))?.[1]
      const named = [type.resource, type.version, type.group].filter(Boolean).join('.')
      const values = readValues(DEFAULT_VALUES, [`auditLog.resources={${named}}`, 'components={all}'])
      if (offered === undefined) assert.throws(() => checkValues(values), ValuesError, named)
      else checkValues(values)
    }
  })
})
