import assert from 'node:assert/strict'
import type { KubernetesObject } from '../../../src/core/wire/admission-review.ts'
import { gitOpsOwner } from '../../../src/core/model/change-via-owner.ts'
import { viaOf } from '../../../src/core/model/change-via.ts'

type Marks = { readonly annotations?: Record<string, string>; readonly labels?: Record<string, string> }

const deployment = (marks: Marks = {}, managers: readonly string[] = []): KubernetesObject => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: {
    name: 'web',
    namespace: 'shop',
    ...marks,
    managedFields: managers.map((manager) => ({ manager, operation: 'Update' })),
  },
})

const argoMarks = (app: string): Marks => ({
  annotations: { 'argocd.argoproj.io/tracking-id': `${app}:apps/Deployment:shop/web` },
})
const fluxMarks = (part: string): Marks => ({
  labels: {
    [`${part}.toolkit.fluxcd.io/name`]: 'web',
    [`${part}.toolkit.fluxcd.io/namespace`]: 'flux-system',
  },
})
const helmMarks: Marks = {
  labels: { 'app.kubernetes.io/managed-by': 'Helm' },
  annotations: { 'meta.helm.sh/release-name': 'web', 'meta.helm.sh/release-namespace': 'shop' },
}

const person = { username: 'dev-1@example.org' }
const argo = { username: 'system:serviceaccount:argocd:argocd-application-controller' }

describe('What a change was made with', () => {
  const tools: readonly (readonly [manager: string, tool: string, manual: boolean])[] = [
    ['kubectl-edit', 'kubectl', true],
    ['kubectl-client-side-apply', 'kubectl', true],
    ['kubectl-rollout', 'kubectl', true],
    ['kubectl', 'kubectl', true],
    ['kubectlish', '', true],
    ['k9s', 'k9s', true],
    ['node-fetch', 'lens', true],
    ['Lens', 'lens', true],
    ['headlamp-server', 'headlamp', true],
    ['dashboard', 'dashboard', true],
    ['Mozilla', 'browser', true],
    ['helm', 'helm', false],
    ['argocd-controller', 'argo-cd', false],
    ['argocd-application-controller', 'argo-cd', false],
    ['kustomize-controller', 'flux', false],
    ['helm-controller', 'flux', false],
    ['flux', 'flux', false],
    ['HashiCorp', 'terraform', false],
    ['Terraform', 'terraform', false],
    ['terraform-provider-helm_v2.17.0_x5', 'terraform', false],
    ['pulumi-kubernetes-8c2e91d0', 'pulumi', false],
    ['kube-controller-manager', 'kubernetes', false],
    ['kubelet', 'kubernetes', false],
    ['deckwatch-companion', 'deckwatch', false],
    ['ancient-changes', '', true],
  ]
  for (const [manager, tool, manual] of tools) {
    it(`calls manager ${manager} of a person ${tool || 'nothing'}, ${manual ? 'by' : 'not by'} hand`, () => {
      const via = viaOf({ manager, user: person, object: undefined })
      assert.deepEqual(via, { manager, tool, source: '', revision: '', initiatedBy: '', manual })
    })
  }

  it('goes by the account where a delete or a scale names no manager', () => {
    assert.equal(viaOf({ manager: undefined, user: person, object: undefined }).manual, true)
    const bot = { username: 'system:serviceaccount:shop:bot' }
    assert.equal(viaOf({ manager: undefined, user: bot, object: undefined }).manual, false)
    const gc = { username: 'system:serviceaccount:kube-system:generic-garbage-collector' }
    const byGc = viaOf({ manager: undefined, user: gc, object: undefined })
    assert.deepEqual([byGc.tool, byGc.manual], ['kubernetes', false])
    assert.deepEqual(viaOf({ manager: '', user: argo, object: deployment(argoMarks('web')) }), {
      manager: '',
      tool: 'argo-cd',
      source: 'Application argocd/web',
      revision: '',
      initiatedBy: '',
      manual: false,
    })
  })

  it('knows kubectl without knowing the user, and guesses nothing of a manager it does not know', () => {
    assert.equal(viaOf({ manager: 'kubectl-edit', user: undefined, object: undefined }).manual, true)
    assert.equal(viaOf({ manager: 'web-operator', user: undefined, object: undefined }).manual, false)
  })

  it('never takes a component or a node for a hand, whatever manager it claims', () => {
    for (const username of ['system:node:worker-1', 'system:kube-scheduler']) {
      assert.equal(viaOf({ manager: 'kubectl-edit', user: { username }, object: undefined }).manual, false)
    }
  })

  it('believes the account of Argo CD over a manager that says kubectl', () => {
    const via = viaOf({ manager: 'kubectl-client-side-apply', user: argo, object: deployment() })
    assert.deepEqual([via.tool, via.manual], ['argo-cd', false])
    const operator = {
      username: 'system:serviceaccount:gitops:openshift-gitops-argocd-application-controller',
    }
    assert.equal(viaOf({ manager: '', user: operator, object: undefined }).tool, 'argo-cd')
  })
})

describe('On whose behalf a change was made', () => {
  const source = (manager: string, object: KubernetesObject, user = person): string =>
    viaOf({ manager, user, object }).source

  it('names the Application of what Argo CD wrote, in its namespace where that is known', () => {
    assert.equal(source('argocd-controller', deployment(argoMarks('web'))), 'Application web')
    assert.equal(source('argocd-controller', deployment(argoMarks('web')), argo), 'Application argocd/web')
    assert.equal(
      source('argocd-controller', deployment(argoMarks('team-a_web')), argo),
      'Application team-a/web',
    )
  })

  it('names the Application by its label where Argo CD tracks by label', () => {
    const object = deployment({ labels: { 'app.kubernetes.io/instance': 'web' } }, ['argocd-controller'])
    assert.equal(source('argocd-controller', object), 'Application web')
    const custom = deployment({ labels: { 'argocd.argoproj.io/instance': 'web' } })
    assert.equal(source('argocd-controller', custom), 'Application web')
  })

  it('does not believe a tracking id that was copied from another object', () => {
    const replicaSet = {
      ...deployment(argoMarks('web')),
      kind: 'ReplicaSet',
    }
    assert.equal(gitOpsOwner(replicaSet), undefined)
  })

  it('reads tracking ids of cluster-scoped objects and of names with colons', () => {
    const role: KubernetesObject = {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRole',
      metadata: {
        name: 'system:web:read',
        annotations: {
          'argocd.argoproj.io/tracking-id': 'web:rbac.authorization.k8s.io/ClusterRole:shop/system:web:read',
        },
      },
    }
    assert.equal(source('argocd-controller', role), 'Application web')
    const service: KubernetesObject = {
      kind: 'Service',
      metadata: {
        name: 'web',
        namespace: 'shop',
        annotations: { 'argocd.argoproj.io/tracking-id': 'web:/Service:shop/web' },
      },
    }
    assert.equal(source('argocd-controller', service), 'Application web')
  })

  it('names the Kustomization or the HelmRelease of what Flux wrote, by the controller that did', () => {
    const both = deployment({
      labels: { ...fluxMarks('kustomize').labels, ...fluxMarks('helm').labels },
    })
    assert.equal(source('kustomize-controller', both), 'Kustomization flux-system/web')
    assert.equal(source('helm-controller', both), 'HelmRelease flux-system/web')
    const account = { username: 'system:serviceaccount:flux-system:helm-controller' }
    assert.equal(source('', both, account), 'HelmRelease flux-system/web')
  })

  it('names the release of what Helm wrote', () => {
    assert.equal(source('helm', deployment(helmMarks)), 'release shop/web')
  })

  it('names nobody behind an edit by hand of what a GitOps tool owns', () => {
    for (const marks of [argoMarks('web'), fluxMarks('kustomize'), helmMarks]) {
      const via = viaOf({ manager: 'kubectl-edit', user: person, object: deployment(marks) })
      assert.deepEqual([via.tool, via.source, via.manual], ['kubectl', '', true])
    }
  })

  it('names nobody behind Helm inside of Argo CD, which leaves no marks of Helm', () => {
    const object = deployment({ labels: { 'app.kubernetes.io/managed-by': 'Helm' } })
    assert.equal(source('helm', object), '')
  })
})

describe('Who owns an object', () => {
  it('tells the tool and its object from the marks', () => {
    assert.deepEqual(gitOpsOwner(deployment(argoMarks('web')), 'argocd'), {
      tool: 'argo-cd',
      source: 'Application argocd/web',
    })
    assert.deepEqual(gitOpsOwner(deployment(fluxMarks('helm'))), {
      tool: 'flux',
      source: 'HelmRelease flux-system/web',
    })
    assert.deepEqual(gitOpsOwner(deployment(fluxMarks('kustomize'))), {
      tool: 'flux',
      source: 'Kustomization flux-system/web',
    })
    assert.deepEqual(gitOpsOwner(deployment(helmMarks)), { tool: 'helm', source: 'release shop/web' })
  })

  it('takes the label that every Helm chart writes for Argo CD only where Argo CD wrote', () => {
    const marks = { labels: { 'app.kubernetes.io/instance': 'web' } }
    assert.equal(gitOpsOwner(deployment(marks, ['helm'])), undefined)
    assert.equal(gitOpsOwner(deployment(marks, ['argocd-controller']))?.source, 'Application web')
  })

  it('finds no owner of an object without marks, or without metadata', () => {
    assert.equal(gitOpsOwner(deployment()), undefined)
    assert.equal(gitOpsOwner({ kind: 'Deployment' }), undefined)
    const half = deployment({ annotations: { 'meta.helm.sh/release-name': 'web' } })
    assert.equal(gitOpsOwner(half), undefined)
  })
})
