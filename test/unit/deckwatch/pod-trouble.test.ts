import assert from 'node:assert/strict'
import {
  claimTrouble,
  deploymentTrouble,
  podTrouble,
} from '../../../src/cli/features/deckwatch/pod-trouble.ts'
import type { StoredObject } from '../../../src/cli/features/deckwatch/stored-object.ts'
import { object } from './companion-objects.ts'

const AT = { name: 'deckwatch-1', namespace: 'deckwatch' }

function pod(status: object, spec: object = { nodeName: 'node-1' }): StoredObject {
  return object('v1', 'Pod', AT, { spec, status })
}

function container(state: object, more: object = {}): object {
  return { phase: 'Pending', containerStatuses: [{ name: 'deckwatch', image: 'a:1', state, ...more }] }
}

const CLAIM = object(
  'v1',
  'PersistentVolumeClaim',
  { name: 'deckwatch-data', namespace: 'deckwatch', uid: 'u1' },
  { status: { phase: 'Pending' } },
)

describe('why a pod does not run', () => {
  it('is nothing where it runs, or has only begun', () => {
    const ready = { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] }
    assert.equal(podTrouble(pod(ready), []), undefined)
    assert.equal(podTrouble(pod({}), []), undefined)
    assert.equal(podTrouble(pod(container({ waiting: { reason: 'ContainerCreating' } })), []), undefined)
    const once = { restartCount: 1, lastState: { terminated: { exitCode: 1 } } }
    assert.equal(podTrouble(pod(container({ running: {} }, once)), []), undefined)
  })

  for (const reason of ['ErrImagePull', 'ImagePullBackOff', 'InvalidImageName', 'ErrImageNeverPull']) {
    it(`is the image, with the kubelet's words: ${reason}`, () => {
      const trouble = podTrouble(pod(container({ waiting: { reason, message: 'not\nfound' } })), [])
      assert.equal(trouble?.what, 'pod/deckwatch-1')
      assert.equal(trouble.why, `the image a:1 cannot be pulled: ${reason}: not found`)
      assert.match(trouble.mend ?? '', /--image/)
    })
  }

  it('is its crash, with where its last words are', () => {
    const status = container(
      { waiting: { reason: 'CrashLoopBackOff' } },
      { restartCount: 4, lastState: { terminated: { exitCode: 3 } } },
    )
    const trouble = podTrouble(pod(status), [])
    assert.equal(trouble?.why, 'its container deckwatch ended with exit code 3, 4 times restarted')
    assert.equal(trouble.mend, 'kubectl -n deckwatch logs deckwatch-1 -c deckwatch --previous')
    assert.deepEqual(trouble.crashed, { pod: 'deckwatch-1', container: 'deckwatch', previous: true })
  })

  it('is the memory that it may have', () => {
    const status = container({ terminated: { exitCode: 137, reason: 'OOMKilled' } })
    const trouble = podTrouble(pod(status), [])
    assert.match(trouble?.why ?? '', /resources\.limits\.memory/)
    assert.equal(trouble?.crashed?.previous, false)
  })

  it('is an init container too', () => {
    const status = {
      initContainerStatuses: [
        {
          name: 'prepare-data',
          state: { waiting: { reason: 'CreateContainerConfigError', message: 'no root' } },
        },
      ],
    }
    assert.equal(
      podTrouble(pod(status), [])?.why,
      'its container prepare-data waits: CreateContainerConfigError: no root',
    )
  })

  it('is that no node takes it, and the volume where it waits for one', () => {
    const conditions = [
      { type: 'PodScheduled', status: 'False', message: 'pod has unbound immediate PersistentVolumeClaims' },
    ]
    const waiting = pod({ phase: 'Pending', conditions }, {})
    assert.equal(
      podTrouble(waiting, [])?.why,
      'no node takes it: pod has unbound immediate PersistentVolumeClaims',
    )
    assert.equal(podTrouble(waiting, [])?.mend, undefined)
    assert.match(podTrouble(waiting, [CLAIM])?.mend ?? '', /describe persistentvolumeclaim deckwatch-data/)
  })

  it('is an eviction', () => {
    assert.equal(
      podTrouble(pod({ phase: 'Failed', reason: 'Evicted', message: 'The node was low on memory.' }), [])
        ?.why,
      'Evicted: The node was low on memory.',
    )
  })

  it('is that it is not ready yet, or about to go', () => {
    const running = { phase: 'Running', conditions: [{ type: 'Ready', status: 'False' }] }
    assert.equal(podTrouble(pod(running), [])?.why, 'it runs and is not ready yet')
    const ending = object('v1', 'Pod', { ...AT, deletionTimestamp: '2026-11-21T00:00:00Z' })
    assert.equal(podTrouble(ending, [])?.why, 'it is being ended')
  })

  it('is a policy or quota, where its Deployment may make none', () => {
    const conditions = [
      {
        type: 'ReplicaFailure',
        status: 'True',
        reason: 'FailedCreate',
        message: 'violates PodSecurity "restricted:latest"',
      },
    ]
    const deployment = object('apps/v1', 'Deployment', AT, { status: { conditions } })
    assert.equal(
      deploymentTrouble(deployment)?.why,
      'its pods are refused: FailedCreate: violates PodSecurity "restricted:latest"',
    )
    assert.equal(deploymentTrouble(object('apps/v1', 'Deployment', AT)), undefined)
  })

  it('is a volume that cannot be made, by the last word about this very claim', () => {
    const event = (reason: string, uid = 'u1'): StoredObject =>
      object(
        'v1',
        'Event',
        { name: reason },
        {
          reason,
          message: 'it said so',
          involvedObject: { kind: 'PersistentVolumeClaim', name: 'deckwatch-data', uid },
        },
      )
    assert.equal(claimTrouble(CLAIM, []), undefined)
    assert.equal(claimTrouble(CLAIM, [event('WaitForFirstConsumer')]), undefined)
    assert.equal(claimTrouble(CLAIM, [event('ProvisioningFailed', 'another')]), undefined)
    assert.equal(
      claimTrouble(CLAIM, [event('FailedBinding'), event('ProvisioningFailed')])?.why,
      'ProvisioningFailed: it said so',
    )
    const bound = { ...CLAIM, status: { phase: 'Bound' } }
    assert.equal(claimTrouble(bound, [event('ProvisioningFailed')]), undefined)
    assert.equal(claimTrouble({ ...CLAIM, status: { phase: 'Lost' } }, [])?.why, 'Lost')
  })
})
