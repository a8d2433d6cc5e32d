import assert from 'node:assert/strict'
import { ownerHistory } from '../../../src/cli/features/blame/owner-history.ts'
import type { KubernetesObject, ManagedFieldsEntry } from '../../../src/core/wire/admission-review.ts'

const DEPLOYMENTS = { group: 'apps', version: 'v1', resource: 'deployments', kind: 'Deployment' }

const entry = (
  manager: string,
  time: string | null,
  fieldsV1: Record<string, unknown> | null,
  rest: Partial<ManagedFieldsEntry> = {},
): ManagedFieldsEntry => ({
  manager,
  operation: 'Update',
  fieldsType: 'FieldsV1',
  fieldsV1,
  time,
  ...rest,
})

const web = (...managedFields: ManagedFieldsEntry[]): KubernetesObject => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: {
    name: 'web',
    namespace: 'shop',
    uid: 'u-1',
    labels: { app: 'web' },
    annotations: { 'deployment.kubernetes.io/revision': '2' },
    managedFields,
  },
  spec: { replicas: 3, paused: false },
  status: { replicas: 3 },
})

const spec = (...names: string[]) => ({
  'f:spec': Object.fromEntries(names.map((name) => [`f:${name}`, {}])),
})

describe('What managedFields tell of an object’s history', () => {
  it('is each manager’s last write, of no user and without old values', () => {
    const [change, ...others] = ownerHistory(
      web(
        entry('kubectl-edit', '2026-11-21T11:00:00Z', {
          ...spec('replicas'),
          'f:metadata': { 'f:labels': { 'f:app': {} } },
        }),
      ),
      DEPLOYMENTS,
      new Set(),
    )
    assert.deepEqual(others, [])
    assert.deepEqual(change, {
      apiVersion: 'deckwatch.dev/v1alpha1',
      kind: 'Change',
      operation: 'UPDATE',
      time: '2026-11-21T11:00:00.000Z',
      state: 'unattributed',
      reason: 'from managedFields (Update): the last write of this manager, to any of these fields',
      object: {
        group: 'apps',
        version: 'v1',
        resource: 'deployments',
        subresource: '',
        kind: 'Deployment',
        namespace: 'shop',
        namespaceUid: '',
        name: 'web',
        uid: 'u-1',
        resourceVersion: { before: '', after: '' },
      },
      actor: 'unknown',
      via: {
        manager: 'kubectl-edit',
        tool: 'kubectl',
        source: '',
        revision: '',
        initiatedBy: '',
        manual: true,
      },
      changes: [
        { path: 'spec.replicas', op: 'replace', to: 3 },
        { path: 'metadata.labels.app', op: 'replace', to: 'web' },
      ],
    })
  })

  it('has the newest first, and what has no time last, marked by an empty one', () => {
    const history = ownerHistory(
      web(
        entry('scaler', null, spec('replicas'), { subresource: 'scale' }),
        entry('old', '2026-11-20T11:00:00Z', spec('paused')),
        entry('new', '2026-11-21T11:00:00Z', spec('replicas'), { operation: 'Apply' }),
      ),
      DEPLOYMENTS,
      new Set(),
    )
    assert.deepEqual(
      history.map(({ via, time, object, reason }) => [via.manager, time, object.subresource, reason]),
      [
        [
          'new',
          '2026-11-21T11:00:00.000Z',
          '',
          'from managedFields (Apply): the last write of this manager, to any of these fields',
        ],
        [
          'old',
          '2026-11-20T11:00:00.000Z',
          '',
          'from managedFields (Update): the last write of this manager, to any of these fields',
        ],
        [
          'scaler',
          '',
          'scale',
          'from managedFields (Update): the last write of this manager, to any of these fields; when is not known',
        ],
      ],
    )
  })

  it('leaves out noise unless it is asked for, and managers that wrote nothing else', () => {
    const object = web(
      entry('kube-controller-manager', '2026-11-21T11:00:00Z', {
        'f:metadata': { 'f:annotations': { 'f:deployment.kubernetes.io/revision': {} } },
        'f:status': { 'f:replicas': {} },
      }),
      entry('nothing', '2026-11-21T11:00:00Z', null),
    )
    const paths = (...include: ('status' | 'managed')[]): string[][] =>
      ownerHistory(object, DEPLOYMENTS, new Set(include)).map(({ changes }) =>
        changes.map(({ path }) => path),
      )
    assert.deepEqual(paths(), [])
    assert.deepEqual(paths('status'), [['status.replicas']])
    assert.deepEqual(paths('managed', 'status'), [
      ['status.replicas', 'metadata.annotations["deployment.kubernetes.io/revision"]'],
    ])
  })

  it('is empty without managedFields', () => {
    assert.deepEqual(ownerHistory({ metadata: { name: 'web' } }, DEPLOYMENTS, new Set()), [])
    assert.deepEqual(ownerHistory({ metadata: { managedFields: null } }, DEPLOYMENTS, new Set()), [])
  })

  it('has no value of a Secret', () => {
    const secret: KubernetesObject = {
      apiVersion: 'v1',
      kind: 'Secret',
      data: { password: 'aHVudGVyMg==' },
      metadata: {
        name: 'db',
        annotations: {
          'kubectl.kubernetes.io/last-applied-configuration': '{"data":{"password":"aHVudGVyMg=="}}',
        },
        managedFields: [
          entry('kubectl-create', '2026-11-21T11:00:00Z', {
            'f:data': { '.': {}, 'f:password': {} },
            'f:metadata': { 'f:annotations': { 'f:kubectl.kubernetes.io/last-applied-configuration': {} } },
          }),
        ],
      },
    }
    const type = { group: '', version: 'v1', resource: 'secrets', kind: 'Secret' }
    const [change] = ownerHistory(secret, type, new Set(['managed']))
    assert.equal(change?.changes.length, 2)
    assert.doesNotMatch(JSON.stringify(change), /aHVudGVy/)
  })
})
