import assert from 'node:assert/strict'
import { RECORDED_RESOURCES } from '../../../server/audit-log/recorded-resources.ts'
import { rights } from '../../../server/audit-log/rights.ts'

const spoken = (group: string, resource: string): string => (group === '' ? resource : `${resource}.${group}`)

describe('what the audit log may read', () => {
  it('is what it records, Secrets aside', () => {
    const readable = rights.cluster
      .filter((right) => !('resourceNames' in right))
      .flatMap(({ apiGroups, resources }) =>
        apiGroups.flatMap((group) => resources.map((resource) => spoken(group, resource))),
      )
    const recorded = RECORDED_RESOURCES.filter(({ watch }) => watch !== 'none')
    assert.deepEqual(
      readable.toSorted(),
      recorded.map(({ group, resource }) => spoken(group, resource)).toSorted(),
    )
    assert.ok(!readable.includes('secrets'))
  })

  it('is read by list and watch alone', () => {
    for (const right of rights.cluster) {
      if (!('resourceNames' in right)) assert.deepEqual(right.verbs, ['list', 'watch'])
    }
  })
})
