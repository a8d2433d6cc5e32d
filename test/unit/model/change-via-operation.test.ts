import assert from 'node:assert/strict'
import {
  gitOpsOperationAt,
  readGitOpsOperation,
  type GitOpsOperation,
} from '../../../src/core/model/change-via-operation.ts'
import { sourceObject } from '../../../src/core/model/change-via-source.ts'

const application = (status: Record<string, unknown>) => ({
  apiVersion: 'argoproj.io/v1alpha1',
  kind: 'Application',
  metadata: { name: 'shop', namespace: 'argocd' },
  status,
})
const kustomization = (status: Record<string, unknown>) => ({
  apiVersion: 'kustomize.toolkit.fluxcd.io/v1',
  kind: 'Kustomization',
  status,
})
const release = (status: Record<string, unknown>) => ({
  apiVersion: 'helm.toolkit.fluxcd.io/v2',
  kind: 'HelmRelease',
  status,
})

const at = (clock: string): number => Date.parse(`2026-11-21T${clock}Z`)
const told = (operation: GitOpsOperation | undefined): unknown =>
  operation && [operation.revision, operation.initiatedBy, operation.automated]

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
      startedAt: at('11:00:00'),
      endedAt: at('11:00:04'),
    })
  })

  it('is nobody’s where Argo CD syncs by itself, and has no end while it runs', () => {
    const operation = readGitOpsOperation(
      application({
        operationState: {
          startedAt: '2026-11-21T11:00:00Z',
          operation: { sync: { revision: '9f3c2e1' }, initiatedBy: { automated: true } },
        },
      }),
    )
    assert.deepEqual(told(operation), ['9f3c2e1', '', true])
    assert.equal(operation?.endedAt, undefined)
  })

  it('has the revisions of all sources of an Application', () => {
    const operation = readGitOpsOperation(
      application({ operationState: { syncResult: { revision: '', revisions: ['9f3c2e1', '1.4.0'] } } }),
    )
    assert.equal(operation?.revision, '9f3c2e1, 1.4.0')
  })

  it('is what a Kustomization or a HelmRelease applied, in newer and older statuses', () => {
    const snapshot = { metadata: { revision: 'main@sha1:9f3c2e1' }, lastReconciled: '2026-11-21T11:00:04Z' }
    assert.deepEqual(told(readGitOpsOperation(kustomization({ history: [snapshot] }))), [
      'main@sha1:9f3c2e1',
      '',
      true,
    ])
    const old = { lastAppliedRevision: 'main@sha1:aaaaaaa', lastAttemptedRevision: 'main@sha1:bbbbbbb' }
    assert.equal(readGitOpsOperation(kustomization(old))?.revision, 'main@sha1:aaaaaaa')
    const deployed = { chartVersion: '1.4.0', lastDeployed: '2026-11-21T11:00:04Z' }
    const both = { history: [deployed], lastAttemptedRevision: '1.5.0' }
    assert.equal(readGitOpsOperation(release(both))?.revision, '1.4.0')
    assert.equal(readGitOpsOperation(release({ lastAppliedRevision: '1.2.0' }))?.revision, '1.2.0')
  })

  it('is unknown of what never ran, of other kinds and of a status of another form', () => {
    assert.equal(readGitOpsOperation(application({})), undefined)
    assert.equal(readGitOpsOperation(application({ operationState: 'Running', history: 'x' })), undefined)
    assert.equal(readGitOpsOperation(kustomization({ history: [null, 1] })), undefined)
    assert.equal(readGitOpsOperation({ apiVersion: 'apps/v1', kind: 'Deployment', status: {} }), undefined)
    const other = {
      apiVersion: 'app.k8s.io/v1beta1',
      kind: 'Application',
      status: { sync: { revision: 'x' } },
    }
    assert.equal(readGitOpsOperation(other), undefined)
    assert.equal(readGitOpsOperation({}), undefined)
  })
})

describe('The operation of a GitOps tool at a time', () => {
  const shop = application({
    history: [
      {
        revision: 'aaaaaaa',
        deployStartedAt: '2026-11-21T09:00:00Z',
        deployedAt: '2026-11-21T09:00:10Z',
        initiatedBy: { username: 'dev-1@example.org' },
      },
      {
        revision: 'bbbbbbb',
        deployStartedAt: '2026-11-21T10:00:00Z',
        deployedAt: '2026-11-21T10:00:10Z',
        initiatedBy: { automated: true },
      },
    ],
    operationState: {
      startedAt: '2026-11-21T11:00:00Z',
      finishedAt: '2026-11-21T11:00:10Z',
      operation: { initiatedBy: { username: 'dev-2@example.org' } },
      syncResult: { revision: 'ccccccc' },
    },
  })

  it('is the one that ran then, also an earlier one', () => {
    assert.deepEqual(told(gitOpsOperationAt(shop, at('11:00:05.123'))), [
      'ccccccc',
      'dev-2@example.org',
      false,
    ])
    assert.deepEqual(told(gitOpsOperationAt(shop, at('10:00:05'))), ['bbbbbbb', '', true])
    assert.deepEqual(told(gitOpsOperationAt(shop, at('09:00:00'))), ['aaaaaaa', 'dev-1@example.org', false])
  })

  it('may be a little off the clock of the change, but no operation between is made up', () => {
    assert.equal(gitOpsOperationAt(shop, at('10:59:58.500'))?.revision, 'ccccccc')
    assert.equal(gitOpsOperationAt(shop, at('11:00:11.900'))?.revision, 'ccccccc')
    for (const clock of ['08:00:00', '10:30:00', '12:00:00']) {
      assert.equal(gitOpsOperationAt(shop, at(clock)), undefined, clock)
    }
  })

  it('of a Kustomization is that of the revision which was kept applied then', () => {
    const apps = kustomization({
      history: [
        {
          metadata: { revision: 'main@sha1:new' },
          firstReconciled: '2026-11-21T11:01:05Z',
          lastReconciled: '2026-11-21T12:00:00Z',
          lastReconciledDuration: '1m5.2s',
        },
        {
          metadata: { revision: 'main@sha1:old' },
          firstReconciled: '2026-11-21T09:00:00Z',
          lastReconciled: '2026-11-21T10:55:00Z',
          lastReconciledDuration: '800ms',
        },
      ],
    })
    assert.equal(gitOpsOperationAt(apps, at('11:00:01'))?.revision, 'main@sha1:new')
    assert.equal(gitOpsOperationAt(apps, at('11:30:00'))?.revision, 'main@sha1:new')
    assert.equal(gitOpsOperationAt(apps, at('10:00:00'))?.revision, 'main@sha1:old')
    assert.equal(gitOpsOperationAt(apps, at('08:59:00')), undefined)
    assert.equal(gitOpsOperationAt(kustomization({ lastAppliedRevision: 'x' }), at('11:00:00')), undefined)
  })

  it('of a HelmRelease is the release that was in force then', () => {
    const web = release({
      history: [
        { chartVersion: '1.4.0', lastDeployed: '2026-11-21T11:00:00Z' },
        { chartVersion: '1.3.0', lastDeployed: '2026-11-21T09:00:00Z' },
      ],
    })
    assert.equal(gitOpsOperationAt(web, at('11:00:30'))?.revision, '1.4.0')
    assert.equal(gitOpsOperationAt(web, at('10:00:00'))?.revision, '1.3.0')
    assert.equal(gitOpsOperationAt(web, at('08:00:00')), undefined)
  })

  it('is unknown of a time that is none', () => {
    assert.equal(gitOpsOperationAt(shop, Number.NaN), undefined)
  })
})

describe('The object behind a source', () => {
  it('is known of Argo CD and Flux', () => {
    assert.deepEqual(sourceObject('Application argocd/shop'), {
      group: 'argoproj.io',
      version: 'v1alpha1',
      resource: 'applications',
      namespace: 'argocd',
      name: 'shop',
    })
    assert.equal(sourceObject('Kustomization flux-system/apps')?.resource, 'kustomizations')
    assert.equal(sourceObject('HelmRelease shop/web')?.version, 'v2')
  })

  it('is not known of a release of Helm, without a namespace, and of nothing', () => {
    for (const source of ['release shop/web', 'Application shop', 'constructor a/b', '']) {
      assert.equal(sourceObject(source), undefined, source)
    }
  })
})
