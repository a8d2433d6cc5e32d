import { connect } from '../../src/core/kube/connect.ts'
import { loadConnection } from '../../src/core/kube/kubeconfig.ts'
import type { KubeTransport } from '../../src/core/kube/transport.ts'
import { DEFAULT_VALUES, type DeployValues, manifests } from '../../server/deploy/index.ts'
import type { ControlPlane } from '../kit/kubernetes/control-plane.ts'
import { ensureNamespace } from '../kit/kubernetes/namespaces.ts'

const ACCESS = new Set(['ServiceAccount', 'Role', 'RoleBinding', 'ClusterRole', 'ClusterRoleBinding'])

/** Gives the companion's ServiceAccounts in the namespace exactly the rights that an installation gives them. */
export async function grantRights(
  cluster: ControlPlane,
  namespace: string,
  values: Partial<DeployValues> = {},
): Promise<void> {
  await ensureNamespace(cluster.admin, namespace)
  const items = manifests({ ...DEFAULT_VALUES, ...values, namespace })
    .map(({ object }) => object)
    .filter(({ kind }) => ACCESS.has(kind))
  const { exitCode, stderr } = await cluster.kubectl(
    ['apply', '--server-side', '--force-conflicts', '-f', '-'],
    { input: JSON.stringify({ apiVersion: 'v1', kind: 'List', items }) },
  )
  if (exitCode !== 0) throw new Error(stderr)
}

/** A transport as that ServiceAccount. */
export async function transportAs(
  cluster: ControlPlane,
  namespace: string,
  account: string,
): Promise<KubeTransport> {
  const kubeconfig = cluster.tokenKubeconfig(await cluster.token(namespace, account))
  return connect(await loadConnection({ kubeconfig }))
}

/** Asks again until there is an answer; rejects after a minute and a half, so that no loop outlives its test. */
export async function until<T>(ask: () => Promise<T | undefined> | T | undefined): Promise<T> {
  const limit = performance.now() + 90_000
  for (;;) {
    const answer = await ask()
    if (answer !== undefined) return answer
    if (performance.now() > limit) throw new Error(`waited in vain for ${String(ask)}`)
    await new Promise((resolve) => {
      setTimeout(resolve, 20)
    })
  }
}
