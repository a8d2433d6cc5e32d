import type { Change, ChangeUser } from '../../src/core/wire/change.ts'
import type { FakeApi } from '../kit/fake-api/fake-api.ts'
import type { GivenChange } from '../kit/fake-api/fake-changes.ts'
import type { FakeObject } from '../kit/fake-api/fake-store.ts'
import { madeVia, sampleChange } from '../kit/sample-change.ts'

const DAY = 86_400_000

/** A moment so many days ago, a minute more so that its age does not change while tests run. */
function daysAgo(days: number): string {
  return new Date(Date.now() - days * DAY - 60_000).toISOString()
}

/** Objects with managedFields: deployments that two managers wrote, and others that nobody is known to have. */
export function blameObjects(): FakeObject[] {
  const written = (manager: string, fields: object, more: object = {}): object => ({
    manager,
    operation: 'Update',
    apiVersion: 'apps/v1',
    time: `${daysAgo(40).slice(0, 19)}Z`,
    fieldsType: 'FieldsV1',
    fieldsV1: fields,
    ...more,
  })
  const image = { 'f:containers': { 'k:{"name":"app"}': { '.': {}, 'f:name': {}, 'f:image': {} } } }
  const deployment = (name: string, replicas: number, tag: string): FakeObject => ({
    kind: 'Deployment',
    metadata: {
      name,
      namespace: 'shop',
      uid: `uid-${name}`,
      labels: { app: name },
      creationTimestamp: `${daysAgo(60).slice(0, 19)}Z`,
      managedFields: [
        written('kubectl-client-side-apply', {
          'f:metadata': { 'f:labels': { '.': {}, 'f:app': {} } },
          'f:spec': { 'f:template': { 'f:spec': image } },
        }),
        written('kubectl', { 'f:spec': { 'f:replicas': {} } }, { subresource: 'scale', time: null }),
      ],
    },
    spec: { replicas, template: { spec: { containers: [{ name: 'app', image: `nginx:${tag}` }] } } },
    status: { replicas },
  })
  const settings = { name: 'settings', namespace: 'shop', uid: 'uid-settings' }
  return [
    deployment('web', 6, '1.25'),
    deployment('cart', 1, '1.24'),
    { kind: 'ConfigMap', metadata: settings, data: { a: '1' } },
    { kind: 'ClusterRole', metadata: { name: 'reader', uid: 'uid-reader' }, rules: [] },
    {
      kind: 'Widget',
      apiVersion: 'parts.example.com/v2',
      metadata: { name: 'bolt', namespace: 'shop', uid: 'uid-bolt' },
    },
  ]
}

const PERSON: ChangeUser = {
  username: 'dev-1@example.org',
  groups: ['shop-dev'],
  extra: { team: ['web'] },
}

/** What a change differs in from one that was confirmed, of deployment web in shop, by a person with kubectl. */
export type Given = Partial<Omit<GivenChange, 'object'>> & { readonly object?: Partial<Change['object']> }

/** A change as many days ago. */
export function change(days: number, given: Given): GivenChange {
  const name = given.object?.name ?? 'web'
  return {
    ...sampleChange({ user: PERSON, ...given, object: { uid: `uid-${name}`, ...given.object } }),
    time: given.time ?? daysAgo(days),
  }
}

const APP = 'spec.template.spec.containers[name=app]'

const ARGO: Given = {
  user: {
    username: 'system:serviceaccount:argocd:argocd-application-controller',
    groups: [],
    extra: {},
  },
  actor: 'service-account',
  via: {
    manager: 'argocd-controller',
    tool: 'argo-cd',
    source: 'Application argocd/shop',
    revision: '9f3c2e1',
    initiatedBy: 'dev-2@example.org',
    manual: false,
  },
}

const DELETED = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'old', namespace: 'shop', uid: 'uid-old' },
  spec: { replicas: 2 },
}

/** What the companion of the cluster recorded: names w1-1 to w1-7, from the oldest to the newest. */
export function recordChanges({ companion: { changes } }: FakeApi): void {
  changes.recordingSince = daysAgo(50)
  changes.gaps = [{ from: daysAgo(25), to: daysAgo(24), reason: 'companion restarted' }]
  const { user: _, ...nobodys } = change(24.5, {
    state: 'unattributed',
    reason: 'no review of it came',
    actor: 'unknown',
    via: madeVia({ manager: 'helm', tool: 'helm', manual: false }),
    changes: [{ path: `${APP}.resources.limits.memory`, op: 'replace', from: '256Mi', to: '512Mi' }],
  })
  const recorded: readonly GivenChange[] = [
    change(30, {
      ...ARGO,
      changes: [{ path: `${APP}.env[name=LOG_LEVEL].value`, op: 'replace', from: 'info', to: 'debug' }],
    }),
    nobodys,
    change(20, {
      changes: [
        { path: `${APP}.image`, op: 'replace', from: 'nginx:1.24', to: 'nginx:1.25' },
        { path: 'spec.replicas', op: 'replace', from: 3, to: 6 },
      ],
    }),
    change(19, {
      operation: 'DELETE',
      object: { name: 'old' },
      changes: [{ path: '', op: 'remove', from: DELETED }],
    }),
    change(18, {
      state: 'not-landed',
      reason: 'refused after admission',
      changes: [{ path: 'spec.replicas', op: 'replace', from: 6, to: 600 }],
    }),
    change(17, {
      object: { group: '', resource: 'configmaps', kind: 'ConfigMap', name: 'settings' },
      changes: [{ path: 'data.a', op: 'replace', from: '0', to: '1' }],
    }),
    change(16, {
      object: {
        group: 'rbac.authorization.k8s.io',
        resource: 'clusterroles',
        kind: 'ClusterRole',
        name: 'reader',
        namespace: '',
        namespaceUid: '',
      },
      changes: [{ path: 'rules', op: 'replace', from: [{ verbs: ['get'] }], to: [] }],
    }),
  ]
  for (const entry of recorded) changes.record(entry)
  const touch = {
    change: 'w1-3',
    operation: 'UPDATE',
    time: daysAgo(20),
    username: PERSON.username,
    manager: 'kubectl-edit',
    state: 'confirmed',
  } as const
  changes.touched = [
    { path: 'spec.replicas', ...touch },
    { path: `${APP}.image`, ...touch },
  ]
}
