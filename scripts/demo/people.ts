import { writeFileSync } from 'node:fs'
import { delimiter } from 'node:path'
import { ARGO_CD_ACCOUNT, ARGO_CD_APPLICATIONS, syncedApplication } from '../../test/kit/argo-cd.ts'
import type { ControlPlane } from '../../test/kit/kubernetes/control-plane.ts'
import { kubectlOutput } from '../../test/kit/kubernetes/kubectl.ts'
import { applyManifests } from '../../test/kit/shop/deploy-shop.ts'

const GROUP = 'shop-developers'
/**
 * Lets several people work in a namespace: developers with client certificates of their own (contexts `dev-1` and
 * `dev-2`), and what plays Argo CD with its ServiceAccount (`argocd`). No more Deployments than `deployments` are
 * allowed there. Gives the path of a kubeconfig with these contexts, the administrator's one being current.
 */
export async function inviteDevelopers(
  cluster: ControlPlane,
  { namespace, deployments }: { readonly namespace: string; readonly deployments: number },
): Promise<string> {
  await applyManifests(cluster, [
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: ARGO_CD_ACCOUNT.namespace } },
    ARGO_CD_APPLICATIONS,
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'RoleBinding',
      metadata: { name: GROUP, namespace },
      subjects: [
        { kind: 'Group', name: GROUP, apiGroup: 'rbac.authorization.k8s.io' },
        { kind: 'ServiceAccount', ...ARGO_CD_ACCOUNT },
      ],
      roleRef: { kind: 'ClusterRole', name: 'edit', apiGroup: 'rbac.authorization.k8s.io' },
    },
    {
      apiVersion: 'v1',
      kind: 'ResourceQuota',
      metadata: { name: 'shop', namespace },
      spec: { hard: { 'count/deployments.apps': String(deployments) } },
    },
  ] as Parameters<typeof applyManifests>[1])
  const users = { 'dev-1': 'dev-1@example.org', 'dev-2': 'dev-2@example.org', argocd: 'token' }
  const contexts = cluster.folder.file('contexts.kubeconfig')
  writeFileSync(
    contexts,
    JSON.stringify({
      apiVersion: 'v1',
      kind: 'Config',
      contexts: Object.entries(users).map(([name, user]) => ({
        name,
        context: { cluster: 'kit', user, namespace },
      })),
    }),
  )
  const kubeconfig = [
    cluster.adminKubeconfig,
    cluster.user(users['dev-1'], [GROUP]),
    cluster.user(users['dev-2'], [GROUP]),
    cluster.tokenKubeconfig(await cluster.token(ARGO_CD_ACCOUNT.namespace, ARGO_CD_ACCOUNT.name)),
    contexts,
  ].join(delimiter)
  const merged = await kubectlOutput(cluster, ['config', 'view', '--raw', '--flatten'], { kubeconfig })
  const path = cluster.folder.file('people.kubeconfig')
  writeFileSync(path, merged, { mode: 0o600 })
  return path
}

/** Writes down that a sync of the Application `shop` begins now, as Argo CD does, and who asked for it. */
export async function beginSync(
  cluster: ControlPlane,
  { revision, username }: { readonly revision: string; readonly username: string },
): Promise<void> {
  const startedAt = new Date().toISOString().replace(/\.\d+Z$/, 'Z')
  await applyManifests(cluster, [
    syncedApplication(ARGO_CD_ACCOUNT.namespace, { startedAt, revision, username }),
  ])
}

/** What Argo CD applies: the part of deployment/web that the Application `shop` says, with its tracking annotation. */
export function syncedWeb(namespace: string): object {
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: {
      name: 'web',
      namespace,
      annotations: { 'argocd.argoproj.io/tracking-id': `shop:apps/Deployment:${namespace}/web` },
    },
    spec: {
      template: { spec: { containers: [{ name: 'app', env: [{ name: 'LOG_LEVEL', value: 'debug' }] }] } },
    },
  }
}
