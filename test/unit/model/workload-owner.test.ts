import assert from 'node:assert/strict'
import { workloadOf, workloadRef } from '../../../src/core/model/workload-owner.ts'
import type { PodOwner, PodSlice } from '../../../src/core/wire/pod.ts'

function pod(owner: PodOwner | undefined, templateHash = ''): PodSlice {
  const base = { uid: 'u', namespace: 'shop', resourceVersion: '1', nodeName: 'n', phase: 'Running' }
  return { ...base, name: 'web-7d9c5b-x2x4q', templateHash, owner, images: [] }
}
const owner = (apiVersion: string, kind: string, name: string): PodOwner => ({
  apiVersion,
  kind,
  name,
  uid: 'o',
})
const ref = (slice: PodSlice): string => workloadRef(workloadOf(slice))

describe('the workload of a pod', () => {
  it('is the Deployment behind its ReplicaSet, read from the pod-template-hash', () => {
    assert.equal(ref(pod(owner('apps/v1', 'ReplicaSet', 'web-7d9c5b'), '7d9c5b')), 'deploy/web')
  })

  it('is the ReplicaSet where no Deployment made it', () => {
    assert.equal(ref(pod(owner('apps/v1', 'ReplicaSet', 'web-7d9c5b'))), 'rs/web-7d9c5b')
    assert.equal(ref(pod(owner('apps/v1', 'ReplicaSet', 'own'), '7d9c5b')), 'rs/own')
  })

  it('is the CronJob behind a scheduled Job, and a Job by itself otherwise', () => {
    assert.equal(ref(pod(owner('batch/v1', 'Job', 'report-29386740'))), 'cj/report')
    assert.equal(ref(pod(owner('batch/v1', 'Job', 'migrate-2'))), 'job/migrate-2')
    assert.equal(ref(pod(owner('batch/v1', 'Job', 'import-20261121'))), 'job/import-20261121')
  })

  it('is the owner itself for other kinds, custom ones by kind and group', () => {
    assert.equal(ref(pod(owner('apps/v1', 'StatefulSet', 'db'))), 'sts/db')
    assert.equal(ref(pod(owner('apps/v1', 'DaemonSet', 'agent'))), 'ds/agent')
    assert.equal(ref(pod(owner('argoproj.io/v1alpha1', 'Workflow', 'build'))), 'workflow.argoproj.io/build')
  })

  it('is the pod itself where nothing controls it, or only its node does', () => {
    assert.equal(ref(pod(undefined)), 'pod/web-7d9c5b-x2x4q')
    assert.equal(ref(pod(owner('v1', 'Node', 'node-1'))), 'pod/web-7d9c5b-x2x4q')
  })

  it('is what was looked up, where it was', () => {
    const rollout = owner('argoproj.io/v1alpha1', 'Rollout', 'web')
    const ofReplicaSet = pod(owner('apps/v1', 'ReplicaSet', 'web-7d9c5b'), '7d9c5b')
    assert.equal(workloadRef(workloadOf(ofReplicaSet, new Map([['o', rollout]]))), 'rollout.argoproj.io/web')
    assert.equal(workloadRef(workloadOf(ofReplicaSet, new Map())), 'rs/web-7d9c5b')
  })
})
