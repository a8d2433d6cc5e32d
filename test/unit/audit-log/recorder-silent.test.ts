import assert from 'node:assert/strict'
import { RECORDED_RESOURCES } from '../../../server/audit-log/recorded-resources.ts'
import {
  type SeenStep,
  silentReason,
  type SilentRules,
} from '../../../server/audit-log/recorder/silent-writes.ts'
import { NOBODY, RECORDS_ALL } from '../../kit/audit-config.ts'

const RULES: SilentRules = {
  config: RECORDS_ALL,
  namespaces: ['kube-system'],
}

function aStep(resource: string, step: Partial<SeenStep> = {}): SeenStep {
  const recorded = RECORDED_RESOURCES.find((one) => one.resource === resource)
  assert.ok(recorded)
  return {
    recorded,
    operation: 'UPDATE',
    namespace: 'shop',
    name: 'web',
    object: {},
    unchanged: false,
    finished: false,
    skipped: false,
    ...step,
  }
}

const writtenBy = (manager: string, subresource = ''): SeenStep['object'] => ({
  metadata: {
    managedFields: [
      { manager: 'kubectl', time: '2026-11-21T10:00:00Z' },
      { manager, subresource, time: '2026-11-21T11:00:00Z' },
    ],
  },
})

describe('a step that no review explains', () => {
  it('is somebody\u2019s change where nothing says otherwise', () => {
    assert.equal(silentReason(aStep('deployments'), RULES), undefined)
    assert.equal(
      silentReason(aStep('deployments', { operation: 'DELETE', object: undefined }), RULES),
      undefined,
    )
  })

  it('is noise, or the end of a deletion that was told before', () => {
    assert.equal(silentReason(aStep('deployments', { unchanged: true }), RULES), 'noise')
    assert.equal(silentReason(aStep('pods', { operation: 'DELETE', finished: true }), RULES), 'finished')
    assert.equal(silentReason(aStep('pods', { object: writtenBy('kubelet', 'status') }), RULES), 'noise')
    const secrets = aStep('secrets', { unchanged: true })
    const byMetadata = { ...secrets, recorded: { ...secrets.recorded, watch: 'metadata' as const } }
    assert.equal(silentReason(byMetadata, RULES), undefined)
  })

  it('is nobody\u2019s whom the options record', () => {
    assert.equal(silentReason(aStep('deployments', { namespace: 'kube-system' }), RULES), 'excluded')
    const namespace = aStep('namespaces', { namespace: '', name: 'kube-system' })
    assert.equal(silentReason(namespace, RULES), 'excluded')
    const choose = (more: Partial<SilentRules['config']>): SilentRules => ({
      ...RULES,
      config: { ...RULES.config, ...more },
    })
    const builds = choose({ auditExclude: { ...NOBODY, namespaces: ['ci-*-build', 'tmp'] } })
    for (const [name, reason] of [
      ['ci-7-build', 'excluded'],
      ['ci-build', undefined],
      ['tmp', 'excluded'],
      ['tmp2', undefined],
    ] as const) {
      assert.equal(silentReason(aStep('deployments', { namespace: name }), builds), reason, name)
    }
    const only = choose({ auditInclude: { ...NOBODY, namespaces: ['shop'] } })
    assert.equal(silentReason(aStep('deployments'), only), undefined)
    assert.equal(silentReason(aStep('deployments', { namespace: 'other' }), only), 'excluded')
  })

  it('where writers are chosen by name it counts as of one who is left out, unless nobody looked', () => {
    const rules = { ...RULES, config: { ...RULES.config, auditExclude: { ...NOBODY, users: ['robot'] } } }
    assert.equal(silentReason(aStep('deployments'), rules), 'excluded')
    assert.equal(silentReason(aStep('deployments', { skipped: true }), rules), undefined)
  })

  it('of a pod is a person\u2019s only where no part of Kubernetes wrote it', () => {
    const made = (manager: string): SeenStep =>
      aStep('pods', { operation: 'CREATE', object: writtenBy(manager) })
    assert.equal(silentReason(made('kube-controller-manager'), RULES), 'excluded')
    assert.equal(silentReason(made('kubectl-run'), RULES), undefined)
    assert.equal(silentReason(aStep('pods', { object: writtenBy('kube-scheduler') }), RULES), 'unrecorded')
    const owner = { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'web', uid: 'u', controller: true }
    const owned = { metadata: { ownerReferences: [owner] } }
    assert.equal(silentReason(aStep('pods', { operation: 'DELETE', object: owned }), RULES), 'excluded')
    assert.equal(
      silentReason(aStep('pods', { operation: 'DELETE', object: { metadata: {} } }), RULES),
      undefined,
    )
  })
})
