import assert from 'node:assert/strict'
import { RECORDED_RESOURCES } from '../../../server/audit-log/recorded-resources.ts'
import { silentReason } from '../../../server/audit-log/recorder/silent-writes.ts'
import { webhooksOf } from '../../../server/audit-log/registration/webhooks-of.ts'
import { recorderRules } from '../../../server/audit-log/run-recorder.ts'
import { excludes } from '../../../server/audit-log/webhook/predicates.ts'
import { auditConfig, NOBODY } from '../../kit/audit-config.ts'

const [OWN, NAMESPACES] = [
  'deckwatch',
  ['kube-system', 'kube-node-lease', 'kube-public', 'default', 'deckwatch'],
]

const resourceNamed = (name: string) => {
  const found = RECORDED_RESOURCES.find(({ resource }) => resource === name)
  assert.ok(found)
  return found
}

describe('what both witnesses of the audit log leave out', () => {
  it('is the same namespaces: where the webhook is asked, a change without a review is missing one', () => {
    const config = auditConfig({ auditExclude: { ...NOBODY, namespaces: ['scratch'] } })
    const [webhook] = webhooksOf({
      config,
      resources: RECORDED_RESOURCES,
      service: { namespace: OWN, name: 'deckwatch', port: 443 },
      path: '/audit/x',
      bundle: '',
      ownNamespaces: [OWN],
      ownUsers: [],
    })
    const [selected] = webhook?.namespaceSelector.matchExpressions ?? []
    const { rules } = recorderRules({ hmacKey: new Uint8Array(32), config, namespace: OWN })
    const seen = { object: {}, unchanged: false, finished: false, skipped: false }
    const byWatch = (namespace: string): boolean[] =>
      [
        { recorded: resourceNamed('configmaps'), namespace, name: 'web' },
        { recorded: resourceNamed('namespaces'), namespace: '', name: namespace },
      ].map((where) => silentReason({ ...seen, ...where, operation: 'UPDATE' }, rules) === 'excluded')
    for (const namespace of [...NAMESPACES, 'scratch', 'shop']) {
      const byWebhook = selected?.values.includes(namespace)
      assert.deepEqual(byWatch(namespace), [byWebhook, byWebhook], namespace)
    }
    assert.deepEqual(selected?.values, ['kube-system', 'kube-node-lease', OWN, 'scratch'])
  })

  for (const [what, config] of [
    ['a pattern', { auditExclude: { ...NOBODY, namespaces: ['s*p'] } }],
    ['all', { auditExclude: { ...NOBODY, namespaces: ['*'] } }],
    ['all but one', { auditInclude: { ...NOBODY, namespaces: ['shop'] } }],
    ['none', {}],
  ] as const) {
    it(`is what the options say: ${what}`, () => {
      const rules = { config: auditConfig(config), namespaces: [] }
      for (const [name, where] of [
        ['configmaps', { namespace: 'shop', name: 'web' }],
        ['configmaps', { namespace: 'pay', name: 'web' }],
        ['namespaces', { namespace: '', name: 'shop' }],
        ['clusterroles', { namespace: '', name: 'shop' }],
      ] as const) {
        const recorded = resourceNamed(name)
        const step = { ...where, recorded, object: {}, unchanged: false, finished: false, skipped: false }
        assert.equal(
          silentReason({ ...step, operation: 'UPDATE' }, rules) === 'excluded',
          excludes(rules.config, { ...where, resource: recorded, userInfo: { username: 'alice' } }),
          `${name} ${where.namespace}/${where.name}`,
        )
      }
    })
  }
})
