import assert from 'node:assert/strict'
import { createAuditMetrics } from '../../../server/audit-log/metrics.ts'
import { isLost } from '../../../server/audit-log/lost-reviews.ts'
import { ADMISSION_OUTCOMES } from '../../../server/audit-log/webhook/admission-route.ts'
import { AUDIT_ALERTS, LOST_OUTCOMES } from '../../../server/deploy/alerts.ts'
import { AUDIT_DASHBOARD } from '../../../server/deploy/dashboard.ts'
import { createMetricsRegistry } from '../../../server/kit/metrics.ts'

describe('alerts and dashboard', () => {
  const expressions = [
    ...AUDIT_ALERTS.map(({ expr }) => expr),
    ...AUDIT_DASHBOARD.panels.flatMap(({ targets }) => targets.map(({ expr }) => expr)),
  ]

  it('ask for metrics that the companion has', async () => {
    const registry = createMetricsRegistry()
    createAuditMetrics(registry, { recording: () => true, journalBytes: () => 0, entriesBehind: () => 0 })
    const metrics = (await registry.getMetricsAsJSON()).map(({ name }) => name)
    const known = new Set(metrics.flatMap((name) => [name, `${name}_bucket`]))
    const asked = expressions.flatMap((expr) => [...expr.matchAll(/\bdeckwatch_\w+/g)].map(([name]) => name))
    assert.ok(asked.length > 10)
    assert.deepEqual(
      asked.filter((name) => !known.has(name)),
      [],
    )
  })

  it('count as lost what the companion counts as lost', () => {
    assert.deepEqual(LOST_OUTCOMES, ADMISSION_OUTCOMES.filter(isLost))
  })
})
