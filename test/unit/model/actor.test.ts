import assert from 'node:assert/strict'
import { actorOf, serviceAccountOf } from '../../../src/core/model/actor.ts'

describe('Actors', () => {
  const cases: readonly (readonly [username: string, actor: string])[] = [
    ['dev-1@example.org', 'person'],
    ['kubernetes-admin', 'person'],
    ['oidc:dev:1', 'person'],
    // The administrator of k3s and OpenShift.
    ['system:admin', 'person'],
    ['system:serviceaccount:shop:deployer', 'service-account'],
    ['system:serviceaccount:kube-system:admin-user', 'service-account'],
    ['system:serviceaccount:shop:deployment-controller', 'service-account'],
    ['system:serviceaccount:kube-system:deployment-controller', 'control-plane'],
    ['system:serviceaccount:kube-system:generic-garbage-collector', 'control-plane'],
    ['system:serviceaccount:kube-system:namespace-controller', 'control-plane'],
    ['system:kube-controller-manager', 'control-plane'],
    ['system:kube-scheduler', 'control-plane'],
    ['system:apiserver', 'control-plane'],
    ['eks:addon-manager', 'control-plane'],
    ['system:node:worker-1', 'node'],
    ['system:bootstrap:07401b', 'node'],
    ['system:anonymous', 'unknown'],
    ['', 'unknown'],
  ]
  for (const [username, actor] of cases) {
    it(`takes ${username || 'no name'} for ${actor}`, () => {
      assert.equal(actorOf({ username }), actor)
    })
  }

  it('knows nobody where there was no review', () => {
    assert.equal(actorOf(undefined), 'unknown')
  })

  it('reads a service account only from a whole name', () => {
    assert.deepEqual(serviceAccountOf('system:serviceaccount:shop:bot'), { namespace: 'shop', name: 'bot' })
    assert.equal(serviceAccountOf('system:serviceaccount:shop:'), undefined)
    assert.equal(serviceAccountOf('system:node:shop:bot'), undefined)
  })
})
