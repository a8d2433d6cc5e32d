import assert from 'node:assert/strict'
import { readGitOpsOperation } from '../../../src/core/model/change-via-operation.ts'

const application = (status: Record<string, unknown>) => ({
  apiVersion: 'argoproj.io/v1alpha1',
  kind: 'Application',
  metadata: { name: 'shop', namespace: 'argocd' },
  status,
})

describe('The last operation of a GitOps tool', () => {
  it('is what a person asked of Argo CD, by name', () => {
    const operation = readGitOpsOperation(
      application({
        sync: { status: 'Synced', revision: '0000000' },
        operationState: {
          phase: 'Succeeded',
          startedAt: '2026-11-21T11:00:00Z',
          finishedAt: '2026-11-21T11:00:04Z',
          operation: { sync: { revision: 'main' }, initiatedBy: { username: 'dev-2@example.org' } },
          syncResult: { revision: '9f3c2e1' },
        },
      }),
    )
    assert.deepEqual(operation, {
      revision: '9f3c2e1',
      initiatedBy: 'dev-2@example.org',
      automated: false,
      startedAt: '2026-11-21T11:00:00Z',
      finishedAt: '2026-11-21T11:00:04Z',
    })
  })

  it('is nobody’s where Argo CD syncs by itself', () => {
    const operation = readGitOpsOperation(
      application({
        operationState: {
          startedAt: '2026-11-21T11:00:00Z',
          operation: { sync: { revision: '9f3c2e1' }, initiatedBy: { automated: true } },
        },
      }),
    )
    assert.deepEqual(operation, {
      revision: '9f3c2e1',
      initiatedBy: '',
      automated: true,
      startedAt: '2026-11-21T11:00:00Z',
      finishedAt: '',
    })
  })

  it('has the revisions of all sources of an Application', () => {
    const operation = readGitOpsOperation(
      application({
        operationState: { syncResult: { revision: '', revisions: ['9f3c2e1', '1.4.0'] } },
      }),
    )
    assert.equal(operation?.revision, '9f3c2e1, 1.4.0')
  })

  it('is what a Kustomization applied last', () => {
    const operation = readGitOpsOperation({
      apiVersion: 'kustomize.toolkit.fluxcd.io/v1',
      kind: 'Kustomization',
      status: {
        lastAppliedRevision: 'main@sha1:9f3c2e1',
        lastAttemptedRevision: 'main@sha1:aaaaaaa',
        history: [{ lastReconciled: '2026-11-21T11:00:04Z' }],
      },
    })
    assert.deepEqual(operation, {
      revision: 'main@sha1:9f3c2e1',
      initiatedBy: '',
      automated: true,
      startedAt: '',
      finishedAt: '2026-11-21T11:00:04Z',
    })
  })

  it('is the chart that a HelmRelease deployed last, also in the older status', () => {
    const release = (status: Record<string, unknown>) => ({
      apiVersion: 'helm.toolkit.fluxcd.io/v2',
      kind: 'HelmRelease',
      status,
    })
    const now = readGitOpsOperation(
      release({
        history: [
          { chartVersion: '1.4.0', lastDeployed: '2026-11-21T11:00:04Z' },
          { chartVersion: '1.3.0', lastDeployed: '2026-11-01T11:00:04Z' },
        ],
        lastAttemptedRevision: '1.5.0',
      }),
    )
    assert.deepEqual([now?.revision, now?.finishedAt], ['1.4.0', '2026-11-21T11:00:04Z'])
    assert.equal(readGitOpsOperation(release({ lastAppliedRevision: '1.2.0' }))?.revision, '1.2.0')
  })

  it('is unknown for what never ran, for other kinds and for a status of another form', () => {
    assert.equal(readGitOpsOperation(application({})), undefined)
    assert.equal(readGitOpsOperation(application({ operationState: 'Running' })), undefined)
    assert.equal(readGitOpsOperation({ apiVersion: 'apps/v1', kind: 'Deployment', status: {} }), undefined)
    assert.equal(
      readGitOpsOperation({
        apiVersion: 'app.k8s.io/v1beta1',
        kind: 'Application',
        status: { sync: { revision: 'x' } },
      }),
      undefined,
    )
    assert.equal(readGitOpsOperation({}), undefined)
  })
})
