import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import { DEFAULT_VALUES, ValuesError, readValues, type DeployValues } from '../../../server/deploy/index.ts'
import { parseSet } from '../../../server/deploy/set-syntax.ts'

const read = (...sets: string[]): DeployValues => readValues(DEFAULT_VALUES, sets)

describe('--set', () => {
  it('gives each key the type that it has', () => {
    const values = read(
      'hostNetwork=true,ports.api=4443',
      'image=registry.example.org/deckwatch:1',
      'imageGraph.historyEvents=5000',
      'storage.storageClass=fast',
    )
    assert.equal(values.hostNetwork, true)
    assert.equal(values.ports.api, 4443)
    assert.equal(values.image, 'registry.example.org/deckwatch:1')
    assert.equal(values.imageGraph.historyEvents, 5000)
    assert.equal(values.storage.storageClass, 'fast')
  })

  it('leaves the rest, and the defaults themselves, as they were', () => {
    const before = structuredClone(DEFAULT_VALUES)
    const { ports, ...rest } = read('ports.metrics=9090')
    assert.deepEqual(ports, { ...DEFAULT_VALUES.ports, metrics: 9090 })
    assert.deepEqual({ ...rest, ports: DEFAULT_VALUES.ports }, DEFAULT_VALUES)
    assert.deepEqual(DEFAULT_VALUES, before)
  })

  it('takes lists in braces, one word alone, and places of lists', () => {
    assert.deepEqual(read('metrics.from={monitoring, ops}').metrics.from, ['monitoring', 'ops'])
    assert.deepEqual(read('metrics.from=monitoring').metrics.from, ['monitoring'])
    assert.deepEqual(read('metrics.from={a,b}', 'metrics.from[1]=c', 'metrics.from[2]=d').metrics.from, [
      'a',
      'c',
      'd',
    ])
    assert.deepEqual(read('metrics.from={a}', 'metrics.from={}').metrics.from, [])
  })

  it('takes labels of nodes and tolerations', () => {
    const { nodeSelector, tolerations } = read(
      'nodeSelector.kubernetes\\.io/os=linux',
      'nodeSelector.disk=ssd',
      'tolerations[0].key=a,tolerations[0].operator=Exists,tolerations[0].effect=NoExecute',
      'tolerations[0].tolerationSeconds=30',
    )
    assert.deepEqual(nodeSelector, { 'kubernetes.io/os': 'linux', disk: 'ssd' })
    assert.deepEqual(tolerations, [
      { key: 'a', operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 30 },
    ])
    assert.deepEqual(readValues(read('tolerations[0].operator=Exists'), ['tolerations={}']).tolerations, [])
  })

  it('takes what is recorded of changes', () => {
    const { auditLog, store } = read(
      'auditLog.resources={certificates.v1.cert-manager.io}',
      'auditLog.exclude.users={CN=a\\,O=b,robot-*}',
      'auditLog.conditions[0].name=mine,auditLog.conditions[0].expression=request.name.matches("a\\,b")',
      'store.secret=database',
    )
    assert.deepEqual(auditLog.resources, ['certificates.v1.cert-manager.io'])
    assert.deepEqual(auditLog.exclude.users, ['CN=a,O=b', 'robot-*'])
    assert.deepEqual(auditLog.include.users, [])
    assert.deepEqual(auditLog.conditions, [{ name: 'mine', expression: 'request.name.matches("a,b")' }])
    assert.deepEqual(store, { secret: 'database', key: 'url' })
  })

  it('knows all components by the word all', () => {
    assert.deepEqual(read('components=all').components, ['image-graph', 'audit-log'])
  })

  for (const [set, key, message] of [
    ['port.api=4443', 'port.api', /no such key; there are .*ports\.api/],
    ['ports.api.x=4443', 'ports.api', /must be a whole number/],
    ['ports=4443', 'ports', /no such key; there are ports\.api, ports\.peer, ports\.metrics$/],
    ['ports.api=many', 'ports.api', /^ports\.api=many: must be a whole number from 1024 to 65535$/],
    ['ports.api={1,2}', 'ports.api', /must be a whole number/],
    ['auditLog.conditions[0].name=a', 'auditLog.conditions', /at most 48 CEL conditions/],
    ['auditLog.resources=pods', 'auditLog.resources', /names of resources with version and group/],
    ['storage.type=nfs', 'storage.type', /^storage\.type=nfs: must be one of pvc, hostPath, emptyDir$/],
    ['components={image-graph,blame}', 'components', /must be one or more of image-graph/],
    ['metrics.from[1]=a', 'metrics.from', /must be names of namespaces/],
    ['tolerations[0]=a', 'tolerations', /must be tolerations with key/],
    ['tolerations[0].colour=red', 'tolerations', /must be tolerations with key/],
    ['nodeSelector=linux', 'nodeSelector', /nodeSelector\.KEY=VALUE/],
    ['__proto__.polluted=yes', '__proto__.polluted', /no such key/],
    ['replicas', 'set', /the form is KEY=VALUE/],
    ['=1', 'set', /a key is empty/],
    ['metrics.from={a', 'set', /must end with "}"/],
    ['metrics.from={a}b', 'set', /nothing may follow/],
    ['metrics.from[x]=a', 'set', /an index must be a number/],
  ] as const) {
    it(`refuses ${set}, naming key and what is allowed`, () => {
      assert.throws(
        () => read(set),
        (error) => error instanceof ValuesError && error.key === key && message.test(error.message),
      )
    })
  }

  it('reads any key and value that was escaped as Helm wants it', () => {
    const word = fc.string({ minLength: 1, unit: fc.constantFrom(...'ab.,=[]{}\\/ é') })
    fc.assert(
      fc.property(fc.array(word, { minLength: 1, maxLength: 3 }), word, (path, value) => {
        const escape = (text: string): string => text.replaceAll(/[.,=[\]{}\\]/g, '\\$&')
        const [assignment, ...more] = parseSet(`${path.map(escape).join('.')}=${escape(value)},next=1`)
        assert.deepEqual(assignment, { path, value })
        assert.deepEqual(more, [{ path: ['next'], value: '1' }])
      }),
    )
  })

  it('refuses or reads any text, and throws nothing but a ValuesError', () => {
    const keys = fc.constantFrom('ports.api', 'metrics.from', 'tolerations', 'nodeSelector', 'image', 'x')
    fc.assert(
      fc.property(keys, fc.string({ unit: fc.constantFrom(...'a1.,=[]{}\\-') }), (key, rest) => {
        try {
          read(`${key}${rest}`)
        } catch (error) {
          assert.ok(error instanceof ValuesError, String(error))
        }
      }),
    )
  })
})
