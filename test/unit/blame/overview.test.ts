import assert from 'node:assert/strict'
import { overview, type OverviewInput } from '../../../src/cli/features/blame/overview.ts'
import type { Change } from '../../../src/core/wire/change.ts'
import { change, NOW, replaced, utcCalendar } from './changes.ts'
import { lines, screenText } from './screen.ts'

const DEPLOYMENTS = 'system:serviceaccount:kube-system:deployment-controller'
const GC = 'system:serviceaccount:kube-system:generic-garbage-collector'

const byController = (user: string, namespace: string, ago: number): Change =>
  change({
    ago,
    user,
    actor: 'control-plane',
    via: { manager: '', tool: 'kubernetes', manual: false },
    object: { kind: 'ReplicaSet', resource: 'replicasets', name: 'web-1', namespace },
  })

const inPay = { namespace: 'pay', namespaceUid: 'pay-uid' }

const CHANGES: readonly Change[] = [
  change({
    ago: 1,
    changes: [replaced('spec.template.spec.containers[name=app].image', 'nginx:1.24', 'nginx:1.25')],
  }),
  byController(DEPLOYMENTS, 'shop', 1),
  byController(DEPLOYMENTS, 'shop', 1),
  byController(GC, 'shop', 1),
  byController(DEPLOYMENTS, 'batch', 1),
  byController(DEPLOYMENTS, 'dev', 2),
  change({ ago: 3 }),
  change({
    ago: 5,
    user: null,
    state: 'unattributed',
    actor: 'unknown',
    via: { manager: 'helm', tool: 'helm', manual: false },
    object: { ...inPay, name: 'api' },
    changes: [1, 2, 3, 4, 5, 6].map((i) => replaced(`data.k${i}`, i, 0)),
  }),
  change({
    ago: 6,
    user: 'system:serviceaccount:argocd:argocd-application-controller',
    actor: 'service-account',
    via: { tool: 'argo-cd', manual: false, initiatedBy: 'dev-2@example.org' },
    object: { ...inPay, name: 'db', kind: 'StatefulSet', resource: 'statefulsets' },
  }),
  change({
    ago: 7,
    user: 'kubernetes-admin',
    operation: 'DELETE',
    changes: [],
    object: { namespace: '', kind: 'ClusterRole', resource: 'clusterroles', name: 'old' },
  }),
  change({ ago: 8, user: 'dev-3', object: { namespace: 'dev', name: 'x' } }),
  change({ ago: 9, user: 'dev-3', object: { namespace: 'dev', name: 'y' } }),
  change({ ago: 9, user: 'dev-3', object: { ...inPay, name: 'y' } }),
]

function told(input: Partial<OverviewInput>): string {
  const gaps = [{ from: '2026-11-21T10:20:00Z', to: '2026-11-21T10:31:00Z', reason: 'companion restarted' }]
  return screenText(
    overview({
      changes: CHANGES,
      extra: { recordingSince: '2026-11-12T08:00:00Z', gaps },
      namespace: undefined,
      span: '24h',
      since: NOW - 86_400_000,
      rows: 20,
      filtered: false,
      now: NOW,
      calendar: utcCalendar,
      wide: false,
      unfold: false,
      ...input,
    }),
  )
}

describe('the overview', () => {
  it('has the latest changes by namespace, those of people and tools, and says what it leaves out', () => {
    assert.equal(
      told({ rows: 4 }),
      lines(`
        Last 24h in the cluster: 8 changes by people and tools, 5 by controllers; recording since 12 Nov
          AGE  OBJECT           WHO                            CHANGE
        -- not recording 10:20–10:31 (companion restarted)
        shop
          60s  deployment/web   dev-1@example.org              containers[app].image
                                                                 nginx:1.24 → nginx:1.25
                                                               + 1 earlier change by the same
          + 3 changes by controllers: 2 the deployment controller, 1 the garbage collector
        pay
          5m   deployment/api   ? (manager: helm)              data.k1  1 → 0
                                                               data.k2  2 → 0
                                                               data.k3  3 → 0
                                                               + 3 more fields (-o wide)
          6m   statefulset/db   dev-2@example.org via Argo CD  scaled 3 → 6
          + 1 older change by people and tools
        (cluster)
          7m   clusterrole/old  kubernetes-admin               deleted
        -- 2 older changes by people and tools in dev
        -- 2 changes by controllers in 2 other namespaces: batch, dev
        2> More: kubectl blame TYPE [NAME] -n NAMESPACE, --max-history 0 (all rows), --since 7d
      `),
    )
  })

  it('of one namespace needs no headings', () => {
    assert.equal(
      told({ namespace: 'shop', changes: CHANGES.filter(({ object }) => object.namespace === 'shop') }),
      lines(`
        Last 24h in shop: 2 changes by people and tools, 3 by controllers; recording since 12 Nov
        AGE  OBJECT          WHO                CHANGE
        -- not recording 10:20–10:31 (companion restarted)
        60s  deployment/web  dev-1@example.org  containers[app].image  nginx:1.24 → nginx:1.25
                                                + 1 earlier change by the same
        + 3 changes by controllers: 2 the deployment controller, 1 the garbage collector
        2> More: kubectl blame TYPE [NAME], --since 7d
      `),
    )
  })

  it('says so where only controllers were at work, or nobody', () => {
    assert.equal(
      told({ changes: CHANGES.slice(1, 4), span: '2026-11-21T02:00:00Z' }),
      lines(`
        Since 2026-11-21T02:00:00Z in the cluster: 3 changes, all by controllers; recording since 12 Nov
        -- not recording 10:20–10:31 (companion restarted)
        -- 3 changes by controllers in shop
        2> More: kubectl blame TYPE [NAME] -n NAMESPACE, --since 24h
      `),
    )
    assert.equal(
      told({ changes: [], filtered: true, extra: { recordingSince: '', gaps: [] } }),
      'Last 24h in the cluster: no matching change\n',
    )
  })

  it('keeps a deletion apart from the creation after it', () => {
    const text = told({
      changes: [
        change({ ago: 1, operation: 'CREATE', changes: [] }),
        change({ ago: 2, operation: 'DELETE', changes: [] }),
      ],
    })
    assert.match(text, /60s .* created\n {2}2m .* deleted\n/)
  })

  it('names who stood behind what controllers did', () => {
    const deleted = {
      ...byController('system:serviceaccount:kube-system:namespace-controller', 'shop', 1),
      cause: { type: 'namespace', change: '9-9', object: 'Namespace shop', username: 'dev-1' },
    } as const
    assert.match(
      told({ changes: [deleted, deleted, change({ ago: 2 })] }),
      /\+ 2 changes by controllers: 2 dev-1 \(deleted namespace\/shop\)\n/,
    )
  })

  it('counts what Kubernetes itself did among the controllers, also where nobody saw it', () => {
    const unseen = change({
      ago: 1,
      user: null,
      state: 'unattributed',
      actor: 'unknown',
      via: { manager: 'kube-controller-manager', tool: 'kubernetes', manual: false },
    })
    assert.match(
      told({ changes: [unseen, change({ ago: 2 })] }),
      /\+ 1 change by controllers: 1 \? \(manager: kube-controller-manager\)\n/,
    )
  })

  it('tells what followed from a change with it, and not again among the controllers', () => {
    const consequence = {
      ...byController(DEPLOYMENTS, 'shop', 1),
      cause: { type: 'owner', change: '1-7', object: 'Deployment web', username: 'dev-1' },
    } as const
    const text = told({ changes: [consequence, change({ id: '1-7', ago: 2 })] })
    assert.match(text, /^Last 24h in the cluster: 1 change by people and tools, 1 by controllers;/)
    assert.match(text, /\+ replicaset\/web-1 scaled by the deployment controller\n/)
    assert.doesNotMatch(text, /change by controllers:/)
    assert.match(
      told({ changes: [consequence, change({ id: '1-7', ago: 2 })], unfold: true }),
      / {2}2m +deployment\/web +dev-1@example.org +scaled 3 → 6\n {2}60s +replicaset\/web-1 +the deployment controller +scaled/,
    )
  })

  it('has a line for each gap, and one line where they are many', () => {
    const gaps = Array.from({ length: 30 }, (_, i) => {
      const from = Date.parse('2026-11-21T09:00:00Z') + i * 120_000
      return {
        from: new Date(from).toISOString(),
        to: new Date(from + 20_000).toISOString(),
        reason: 'companion restarted',
      }
    })
    assert.match(
      told({ extra: { recordingSince: '', gaps } }),
      /^-- not recording 30 times within 09:00–09:58, 10 min in all \(companion restarted\)$/m,
    )
  })
})
