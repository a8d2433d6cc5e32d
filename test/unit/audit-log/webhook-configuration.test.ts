import assert from 'node:assert/strict'
import {
  leadsElsewhere,
  saysJust,
  webhookConfigurationFromJson,
} from '../../../server/audit-log/registration/webhook-configuration.ts'

const WEBHOOK = {
  name: 'changes.audit-log.deckwatch.dev',
  clientConfig: { service: { namespace: 'deckwatch', name: 'deckwatch', path: '/audit/x', port: 443 } },
  rules: [{ operations: ['CREATE'], resources: ['configmaps'] }],
  objectSelector: {},
  matchConditions: [{ name: 'a', expression: 'true' }],
  timeoutSeconds: 1,
}

const says = (...found: readonly object[]): boolean => saysJust({ webhooks: found }, [WEBHOOK])

describe('a webhook configuration', () => {
  it('says what is wanted whatever the order of its fields, and with fields of a later Kubernetes', () => {
    assert.ok(says(Object.fromEntries(Object.entries(WEBHOOK).toReversed())))
    assert.ok(says({ ...WEBHOOK, added: true, rules: [{ ...WEBHOOK.rules[0], added: 1 }] }))
  })

  for (const [what, change] of [
    ['another time limit', { timeoutSeconds: 2 }],
    ['a selector', { objectSelector: { matchLabels: { a: 'b' } } }],
    ['no rules', { rules: undefined }],
    ['a rule more', { rules: [...WEBHOOK.rules, ...WEBHOOK.rules] }],
    ['another rule', { rules: [{ operations: ['CREATE'], resources: ['secrets'] }] }],
    ['no conditions, as before Kubernetes 1.28', { matchConditions: undefined }],
    ['another place', { clientConfig: { url: 'https://elsewhere.example.org' } }],
  ] as const) {
    it(`says something else with ${what}`, () => {
      assert.equal(says({ ...WEBHOOK, ...change }), false)
    })
  }

  it('says something else where there is one webhook more, or none', () => {
    assert.equal(says(WEBHOOK, WEBHOOK), false)
    assert.equal(says(), false)
  })

  it('is empty where it has no webhooks', () => {
    const { webhooks, uid, generation } = webhookConfigurationFromJson({
      metadata: { uid: 'u', resourceVersion: '1', generation: 3 },
    })
    assert.deepEqual([webhooks, uid, generation], [[], 'u', 3])
  })

  it('leads elsewhere where a webhook is of another namespace', () => {
    const configuration = webhookConfigurationFromJson({ webhooks: [WEBHOOK] })
    assert.equal(leadsElsewhere(configuration, 'deckwatch'), false)
    assert.equal(leadsElsewhere(configuration, 'other'), true)
  })
})
