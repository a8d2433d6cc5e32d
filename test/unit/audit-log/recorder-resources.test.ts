import assert from 'node:assert/strict'
import {
  parseAuditedName,
  RECORDED_RESOURCES,
  recordedResources,
} from '../../../server/audit-log/recorded-resources.ts'

const CERTIFICATE = { kind: 'Certificate', namespaced: true, subresources: ['status', 'scale'] }

describe('the resources that are recorded', () => {
  it('are the built-in ones where nothing is said, each once, Secrets without a watch', () => {
    const recorded = recordedResources({ auditResources: [], auditWatchSecrets: false }, () => undefined)
    assert.deepEqual(recorded, RECORDED_RESOURCES)
    const names = recorded.map(({ group, resource }) => `${resource}.${group}`)
    assert.equal(new Set(names).size, names.length)
    assert.deepEqual(
      recorded.filter(({ watch }) => watch === 'none').map(({ kind }) => kind),
      ['Secret'],
    )
  })

  it('grow by what the options name, with kind, scope and recorded subresources of discovery', () => {
    const recorded = recordedResources(
      {
        auditResources: ['certificates.v1.cert-manager.io', 'gone.v1.example.org'],
        auditWatchSecrets: false,
      },
      ({ resource }) => (resource === 'certificates' ? CERTIFICATE : undefined),
    )
    assert.deepEqual(recorded.slice(RECORDED_RESOURCES.length), [
      {
        group: 'cert-manager.io',
        version: 'v1',
        resource: 'certificates',
        kind: 'Certificate',
        namespaced: true,
        subresources: ['scale'],
        operations: ['CREATE', 'UPDATE', 'DELETE'],
        watch: 'full',
      },
    ])
  })

  it('replace a built-in one that the options name', () => {
    const recorded = recordedResources({ auditResources: ['pods.v1'], auditWatchSecrets: false }, () => ({
      kind: 'Pod',
      namespaced: true,
      subresources: ['log', 'eviction'],
    }))
    assert.equal(recorded.length, RECORDED_RESOURCES.length)
    const pods = recorded.find(({ resource }) => resource === 'pods')
    assert.deepEqual(pods?.operations, ['CREATE', 'UPDATE', 'DELETE'])
    assert.deepEqual(pods.subresources, ['eviction'])
  })

  it('never watch the values of Secrets', () => {
    const recorded = recordedResources({ auditResources: ['secrets.v1'], auditWatchSecrets: true }, () => ({
      kind: 'Secret',
      namespaced: true,
      subresources: [],
    }))
    assert.equal(recorded.find(({ resource }) => resource === 'secrets')?.watch, 'metadata')
  })

  it('are named RESOURCE.VERSION.GROUP', () => {
    assert.deepEqual(parseAuditedName('endpoints.v1'), { resource: 'endpoints', version: 'v1', group: '' })
    assert.deepEqual(parseAuditedName('a-b.v1beta2.x.y.z'), {
      resource: 'a-b',
      version: 'v1beta2',
      group: 'x.y.z',
    })
    for (const bad of ['', 'pods', 'pods.core', 'Pods.v1', 'pods/scale.v1', 'pods.v1.']) {
      assert.equal(parseAuditedName(bad), undefined, bad)
    }
  })
})
