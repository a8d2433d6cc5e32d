import assert from 'node:assert/strict'
import type { AuditLogConfig } from '../../../server/audit-log/config.ts'
import { RECORDED_RESOURCES } from '../../../server/audit-log/recorded-resources.ts'
import { celMatches } from '../../../server/audit-log/registration/cel.ts'
import { MOST_CONDITIONS } from '../../../server/audit-log/registration/match-conditions.ts'
import { webhooksOf, type WebhookOptions } from '../../../server/audit-log/registration/webhooks-of.ts'
import { NOBODY, RECORDS_ALL } from '../../kit/audit-config.ts'

type Choice = Partial<WebhookOptions['config']>

const options = (config: Choice = {}): WebhookOptions => ({
  config: { ...RECORDS_ALL, ...config },
  resources: RECORDED_RESOURCES,
  service: { namespace: 'deckwatch', name: 'deckwatch', port: 443 },
  path: '/audit/secret',
  bundle: 'PEM',
  ownNamespaces: ['deckwatch', 'deckwatch-agents'],
  ownUsers: ['system:serviceaccount:deckwatch:deckwatch'],
})

const conditions = (config: Choice = {}): Readonly<Record<string, string>> => {
  const [webhook] = webhooksOf(options(config))
  return Object.fromEntries(webhook?.matchConditions.map(({ name, expression }) => [name, expression]) ?? [])
}

describe('the webhook of changes', () => {
  const [webhook, ...others] = webhooksOf(options())

  it('never blocks a write, and hears of dry runs', () => {
    assert.ok(webhook)
    const { failurePolicy, timeoutSeconds, sideEffects, matchPolicy, objectSelector } = webhook
    assert.deepEqual(
      { failurePolicy, timeoutSeconds, sideEffects, matchPolicy, objectSelector },
      {
        failurePolicy: 'Ignore',
        timeoutSeconds: 1,
        sideEffects: 'NoneOnDryRun',
        matchPolicy: 'Equivalent',
        objectSelector: {},
      },
    )
    assert.deepEqual(others, [])
  })

  it('has a rule for each recorded resource and its subresources, and no wildcard', () => {
    assert.ok(webhook)
    const ruled = new Set(
      webhook.rules.flatMap(({ operations, apiGroups, apiVersions, resources, scope }) =>
        resources.map(
          (name) => `${operations.join()} ${apiGroups.join()}/${apiVersions.join()}/${name} ${scope}`,
        ),
      ),
    )
    assert.ok(ruled.has('CREATE,UPDATE,DELETE apps/v1/deployments Namespaced'))
    assert.ok(ruled.has('UPDATE apps/v1/deployments/scale Namespaced'))
    assert.ok(ruled.has('CREATE,DELETE /v1/pods Namespaced'))
    assert.ok(ruled.has('CREATE /v1/pods/eviction Namespaced'))
    assert.ok(ruled.has('CREATE,UPDATE,DELETE /v1/namespaces Cluster'))
    const wanted = RECORDED_RESOURCES.flatMap(({ resource, subresources }) => [
      resource,
      ...subresources.map((subresource) => `${resource}/${subresource}`),
    ])
    const names = webhook.rules.flatMap(({ resources }) => resources)
    assert.deepEqual(names.toSorted(), wanted.toSorted())
    assert.doesNotMatch(JSON.stringify(webhook.rules), /\*|status|leases|events/)
  })

  it('leaves out kube-system, node heartbeats, the companion itself and whole names that are excluded', () => {
    const [excluding] = webhooksOf(
      options({ auditExclude: { ...NOBODY, namespaces: ['scratch', 'ci-*', 'deckwatch'] } }),
    )
    assert.deepEqual(excluding?.namespaceSelector.matchExpressions, [
      {
        key: 'kubernetes.io/metadata.name',
        operator: 'NotIn',
        values: ['kube-system', 'kube-node-lease', 'deckwatch', 'deckwatch-agents', 'scratch'],
      },
    ])
  })

  it('is accompanied by one of access where that is recorded', () => {
    const [, access] = webhooksOf(options({ auditAccess: true }))
    assert.equal(access?.name, 'access.audit-log.deckwatch.dev')
    assert.deepEqual(access?.rules, [
      {
        operations: ['CONNECT'],
        apiGroups: [''],
        apiVersions: ['v1'],
        resources: ['pods/exec', 'pods/attach', 'pods/portforward'],
        scope: 'Namespaced',
      },
    ])
  })
})

describe('the conditions of the webhook', () => {
  it('leave out the companion, and pods of the cluster’s own machinery, where nothing is said', () => {
    assert.deepEqual(Object.keys(conditions()), [
      'deckwatch.dev/not-by-itself',
      'deckwatch.dev/pods-by-people',
    ])
  })

  it('let all writes of pods through where users named pods', () => {
    const resources = [{ ...RECORDED_RESOURCES[0], resource: 'pods', group: '', watch: 'full' }]
    const [webhook] = webhooksOf({ ...options(), resources } as WebhookOptions)
    assert.deepEqual(
      webhook?.matchConditions.map(({ name }) => name),
      ['deckwatch.dev/not-by-itself'],
    )
  })

  it('ask for what may be missing before they use it', () => {
    const all = { users: ['a*'], groups: ['b'], namespaces: ['c*'], extra: ['d=e'] }
    for (const expression of Object.values(conditions({ auditExclude: all, auditInclude: all }))) {
      for (const field of ['userInfo.username', 'userInfo.groups', 'userInfo.extra', 'namespace', 'name']) {
        const path = new RegExp(`request\\.${field.replace('.', '\\.')}(?![a-zA-Z])`)
        if (path.test(expression)) assert.ok(expression.includes(`has(request.${field})`), expression)
      }
    }
  })

  it('are those of users at the end, and never too many', () => {
    const auditConditions = Array.from({ length: 48 }, (_, index) => ({
      name: `c${index}`,
      expression: 'true',
    })) satisfies AuditLogConfig['auditConditions']
    const all = { users: ['a'], groups: ['b'], namespaces: ['c*'], extra: ['d=e'] }
    const made = conditions({ auditExclude: all, auditInclude: all, auditConditions })
    assert.ok(Object.keys(made).length <= MOST_CONDITIONS)
    assert.equal(Object.keys(made).at(-1), 'c47')
  })
})

describe('patterns as CEL', () => {
  for (const [patterns, expression] of [
    [['a', 'b'], 'v in ["a", "b"]'],
    [['system:node:*'], 'v.startsWith("system:node:")'],
    [['*@example.org'], 'v.endsWith("@example.org")'],
    [['*'], 'true'],
    [['a*b*c'], 'v.matches("^(?s:a.*b.*c)$")'],
    [['a.*b(*'], 'v.matches("^(?s:a\\\\..*b\\\\(.*)$")'],
    [['say "x"', 'y*'], 'v in ["say \\"x\\""] || v.startsWith("y")'],
    [[], 'false'],
  ] as const) {
    it(`${patterns.join(', ')} → ${expression}`, () => {
      assert.equal(celMatches('v', patterns), expression)
    })
  }
})
