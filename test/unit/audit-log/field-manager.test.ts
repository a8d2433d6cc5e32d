import assert from 'node:assert/strict'
import { managerOf, writtenAt } from '../../../server/audit-log/recorder/field-manager.ts'
import type { KubernetesObject } from '../../../src/core/wire/admission-review.ts'

const REVISION = 'deployment.kubernetes.io/revision'

const DEPLOYMENT: KubernetesObject = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: {
    name: 'web',
    annotations: { [REVISION]: '2', team: 'shop' },
    managedFields: [
      {
        manager: 'helm',
        time: '2026-11-21T10:00:00Z',
        fieldsV1: {
          'f:metadata': { 'f:annotations': { '.': {}, 'f:team': {} } },
          'f:spec': { 'f:replicas': {} },
        },
      },
      {
        manager: 'kubectl-set',
        time: '2026-11-21T11:00:00Z',
        fieldsV1: {
          'f:spec': {
            'f:template': { 'f:spec': { 'f:containers': { 'k:{"name":"app"}': { 'f:image': {} } } } },
          },
        },
      },
      {
        manager: 'kube-controller-manager',
        time: '2026-11-21T11:00:01Z',
        fieldsV1: { 'f:metadata': { 'f:annotations': { [`f:${REVISION}`]: {} } } },
      },
      {
        manager: 'kube-controller-manager',
        subresource: 'status',
        time: '2026-11-21T11:00:05Z',
        fieldsV1: { 'f:status': { 'f:replicas': {} } },
      },
    ],
  },
  spec: { replicas: 2, template: { spec: { containers: [{ name: 'app', image: 'nginx:1.25' }] } } },
  status: { replicas: 2 },
}

describe('the field manager of a change that nobody reviewed', () => {
  const of = (path: string): string => managerOf(DEPLOYMENT, [{ path, op: 'replace' }])

  it('is who wrote the changed field, not the controller that numbered the rollout after it', () => {
    assert.equal(of('spec.template.spec.containers[name=app].image'), 'kubectl-set')
    assert.equal(of('spec.replicas'), 'helm')
    assert.equal(of('metadata.annotations.team'), 'helm')
  })

  it('is the newest of those who wrote a part of it, or the whole in which it lies', () => {
    assert.equal(of('spec'), 'kubectl-set')
    assert.equal(of('spec.template.spec.containers[name=app].image.x'), 'kubectl-set')
    assert.equal(managerOf(DEPLOYMENT, [{ path: '', op: 'add' }]), 'kubectl-set')
  })

  it('is the newest that wrote anything but noise where the field is gone or no fields are known', () => {
    assert.equal(of('spec.paused'), 'kubectl-set')
    assert.equal(managerOf(DEPLOYMENT, []), 'kubectl-set')
  })

  it('is the newest of all where only noise has managers, and nobody where there are none', () => {
    const managedFields = DEPLOYMENT.metadata?.managedFields?.slice(2) ?? []
    const byController = { ...DEPLOYMENT, metadata: { ...DEPLOYMENT.metadata, managedFields } }
    assert.equal(
      managerOf(byController, [{ path: 'spec.replicas', op: 'replace' }]),
      'kube-controller-manager',
    )
    assert.equal(managerOf({}, []), '')
    assert.equal(managerOf(undefined, []), '')
  })

  it('tells when that one wrote, where managedFields know it', () => {
    const at = (path: string): number | undefined => writtenAt(DEPLOYMENT, [{ path, op: 'replace' }])
    assert.equal(at('spec.template.spec.containers[name=app].image'), Date.UTC(2026, 10, 21, 11))
    assert.equal(at('spec.replicas'), Date.UTC(2026, 10, 21, 10))
    assert.equal(at('spec.paused'), undefined)
    assert.equal(writtenAt(undefined, []), undefined)
  })
})
