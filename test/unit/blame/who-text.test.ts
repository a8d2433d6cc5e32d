import assert from 'node:assert/strict'
import {
  accountText,
  actorWords,
  sourceText,
  viaText,
  whoText,
} from '../../../src/cli/features/blame/who-text.ts'
import type { ChangeCause } from '../../../src/core/wire/change.ts'
import { userNamed } from '../../kit/sample-change.ts'
import { change } from './changes.ts'

const GC = 'system:serviceaccount:kube-system:generic-garbage-collector'

describe('who made a change', () => {
  it('is a person by name, a service account by namespace and name, a node as such', () => {
    assert.equal(accountText('dev-1@example.org'), 'dev-1@example.org')
    assert.equal(
      accountText('system:serviceaccount:argocd:argocd-application-controller'),
      'argocd/argocd-application-controller',
    )
    assert.equal(accountText('system:node:worker-1'), 'node worker-1')
    assert.equal(accountText('system:admin'), 'system:admin')
    assert.equal(accountText('system:serviceaccount:'), 'system:serviceaccount:')
  })

  it('is on whose behalf a tool wrote', () => {
    const via = { tool: 'argo-cd', initiatedBy: 'dev-2@example.org' }
    assert.equal(
      whoText(change({ user: 'system:serviceaccount:argocd:x', via })),
      'dev-2@example.org via Argo CD',
    )
    assert.equal(
      whoText(change({ user: 'system:serviceaccount:ci:deployer', via: { ...via, tool: '' } })),
      'dev-2@example.org via ci/deployer',
    )
  })

  it('is a question where nobody knows, with all that may have been where several may', () => {
    assert.equal(whoText(change({ user: null, state: 'unattributed' })), '? (manager: kubectl-edit)')
    assert.equal(whoText(change({ user: null, state: 'unattributed', via: { manager: '' } })), '?')
    const candidates = [userNamed('a'), userNamed('b'), userNamed('a')]
    assert.equal(whoText(change({ user: 'a', state: 'ambiguous', candidates })), 'one of: a, b')
  })

  it('is who stood behind what a controller did', () => {
    const caused = (
      type: ChangeCause['type'],
      object: string,
      user: string | null = GC,
      username = 'dev-1',
    ) => whoText(change({ user, cause: { type, object, change: '1-1', username } }))
    assert.equal(caused('namespace', 'Namespace shop'), 'dev-1 (deleted namespace/shop)')
    assert.equal(caused('eviction', 'Pod web-1'), 'dev-1 (eviction)')
    assert.equal(caused('owner', 'Deployment web'), 'dev-1 via the garbage collector')
    assert.equal(caused('owner', 'Deployment web', null), 'dev-1 (by deployment/web)')
    assert.equal(caused('autoscaler', 'HorizontalPodAutoscaler web'), 'the autoscaler web')
  })

  it('is the controller where nobody is known to have stood behind it', () => {
    const alone = (type: ChangeCause['type'], object: string, username = '') =>
      whoText(change({ user: GC, cause: { type, object, change: '', username } }))
    assert.equal(alone('owner', 'Deployment web'), 'kube-system/generic-garbage-collector')
    assert.equal(alone('owner', 'Deployment web', GC), 'kube-system/generic-garbage-collector')
    assert.equal(alone('namespace', 'Namespace shop'), 'the garbage collector (namespace/shop was deleted)')
    assert.equal(alone('eviction', 'Pod web-1'), 'kube-system/generic-garbage-collector')
  })

  it('is a controller by its trade within a sentence', () => {
    assert.equal(actorWords(GC), 'the garbage collector')
    assert.equal(
      actorWords('system:serviceaccount:kube-system:deployment-controller'),
      'the deployment controller',
    )
    assert.equal(actorWords('system:serviceaccount:kube-system:horizontal-pod-autoscaler'), 'the autoscaler')
    assert.equal(actorWords('system:kube-scheduler'), 'the scheduler')
    assert.equal(actorWords('system:serviceaccount:ops:deployment-controller'), 'ops/deployment-controller')
    assert.equal(actorWords('system:node:worker-1'), 'node worker-1')
  })
})

describe('with what a change was made', () => {
  const via = (seed: Parameters<typeof change>[0]) => viaText(change(seed).via)

  it('is a source with its revision, else the field manager, else the tool', () => {
    const revision = '9f3c2e1d'.repeat(5)
    assert.equal(via({ via: { source: 'Application argocd/shop', revision } }), 'shop@9f3c2e1')
    assert.equal(
      via({ via: { source: 'Kustomization flux-system/apps', revision: `main@sha1:${revision}` } }),
      'apps@9f3c2e1',
    )
    assert.equal(via({ via: { source: 'release shop/web', revision: '12' } }), 'web@12')
    assert.equal(via({ via: { source: 'Application shop' } }), 'shop')
    assert.equal(via({}), 'kubectl-edit')
    assert.equal(via({ via: { manager: '', tool: 'helm' } }), 'helm')
    assert.equal(via({ via: { manager: 'kube-controller-manager', tool: 'kubernetes' } }), '')
    assert.equal(via({ via: { manager: 'unknown', tool: '' } }), '')
  })

  it('names the tool of a source, unless whoever asked for it is named with it', () => {
    const source = (initiatedBy: string) =>
      sourceText(change({ via: { tool: 'argo-cd', source: 'Application argocd/shop', initiatedBy } }).via)
    assert.equal(source(''), 'Argo CD: shop')
    assert.equal(source('dev-2@example.org'), '')
    assert.equal(sourceText(change().via), '')
  })
})
