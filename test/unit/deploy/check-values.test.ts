import assert from 'node:assert/strict'
import { DEFAULT_VALUES, checkValues, readValues } from '../../../server/deploy/index.ts'

const check = (...sets: string[]): readonly string[] => checkValues(readValues(DEFAULT_VALUES, sets))

describe('values together', () => {
  it('are without a warning as they come', () => {
    assert.deepEqual(check(), [])
    assert.deepEqual(check('components=all'), [])
  })

  it('may be several recorders of one database', () => {
    const sets = ['components=audit-log', 'replicas=2', 'store.secret=db', 'storage.type=emptyDir']
    assert.deepEqual(check(...sets).length, 2)
  })

  for (const [sets, message] of [
    [['replicas=2'], /: replicas=2: must be 1, since .* set apiReplicas=2$/],
    [['replicas=2', 'store.secret=db', 'storage.type=emptyDir'], /audit-log alone can share one/],
    [['replicas=2', 'store.secret=db', 'components=audit-log'], /must be 1 with a volume/],
    [['auditLog.resources=leases.v1.coordination.k8s.io'], /renews its Lease within seconds/],
    [['auditLog.keepLast=101'], /must not be above auditLog\.perObject=100/],
    [['components=all', 'storage.size=640Mi'], /leaves 0Mi for the history of changes, 64Mi are the least/],
    [['components=all', 'auditLog.historySize=4097Mi'], /must be at most 80 % of storage\.size=5Gi/],
    [
      ['hostNetwork=true'],
      /: ports\.api=10250: .* belongs to the kubelet; set another, such as ports\.api=20250$/,
    ],
    [['hostNetwork=true', 'ports.api=4443', 'ports.peer=10256'], /kube-proxy's health check/],
    [['ports.metrics=10250'], /ports\.metrics is the same/],
    [['resources.requests.memory=1Gi'], /must not be above resources\.limits\.memory=384Mi/],
    [['storage.size=300M'], /historySize=256Mi: must be at most 80 % of storage\.size=300M/],
  ] as const) {
    it(`are refused with the reason: ${sets.join(' ')}`, () => {
      assert.throws(() => check(...sets), message)
    })
  }

  for (const [sets, warnings] of [
    [['storage.type=emptyDir'], [/the history ends with each pod/]],
    [['storage.type=hostPath'], [/without storage\.node/, /init container/]],
    [['storage.type=hostPath', 'storage.node=n'], [/init container/]],
    [['storage.node=n'], [/storage\.node has no effect/]],
    [
      ['storage.type=emptyDir', 'storage.storageClass=fast'],
      [/ends with each pod/, /storageClass has no effect/],
    ],
    [['networkPolicy=false', 'metrics.from=ops'], [/metrics\.from has no effect/]],
    [['store.secret=db'], [/no effect without the component audit-log/]],
    [['components=all', 'auditLog.export.secret.name=a'], [/no effect without auditLog\.export\.url/]],
    [
      ['components=all', 'auditLog.export.url=http://collector', 'auditLog.export.secret.name=a'],
      [/changes, and the headers of the Secret, cross the network unencrypted/],
    ],
    [['components=all', 'auditLog.export.url=https://collector'], []],
    [['components=all', 'auditLog.watchSecrets=true'], [/may read every Secret of the cluster/]],
    [
      ['components=all', 'storage.type=emptyDir'],
      [/history ends with each pod/, /lost with their pod/],
    ],
    [
      ['hostNetwork=true', 'ports.api=4443', 'apiReplicas=2', 'metrics.from=ops'],
      [/Pod Security/, /NetworkPolicy does not hold/, /3 in all/, /\/metrics is open/, /metrics\.from/],
    ],
    [['hostNetwork=true', 'ports.api=4443', 'metrics.auth=true', 'networkPolicy=false'], [/Pod Security/]],
  ] as const) {
    it(`are warned of: ${sets.join(' ')}`, () => {
      const told = check(...sets)
      assert.equal(told.length, warnings.length, told.join('\n'))
      for (const [index, warning] of warnings.entries()) assert.match(told[index] ?? '', warning)
    })
  }
})
