import type { ConnectionEnvironment } from './connection.ts'
import type { KubeconfigCluster, KubeconfigUser } from './kubeconfig-file.ts'
import { NO_CLUSTER, NO_USER } from './kubeconfig-overrides.ts'

const SERVICE_ACCOUNT = '/var/run/secrets/kubernetes.io/serviceaccount'

function readable(environment: ConnectionEnvironment, path: string): string | undefined {
  try {
    return environment.readFile(path).toString('utf8')
  } catch {
    return undefined
  }
}

/** The service account of the pod we run in, or undefined where we run in none. */
export function inClusterAccount(
  environment: ConnectionEnvironment,
): { readonly cluster: KubeconfigCluster; readonly user: KubeconfigUser } | undefined {
  const host = environment.variables['KUBERNETES_SERVICE_HOST']
  const port = environment.variables['KUBERNETES_SERVICE_PORT']
  if (!host || !port || readable(environment, `${SERVICE_ACCOUNT}/token`) === undefined) return undefined
  const authority = `${SERVICE_ACCOUNT}/ca.crt`
  return {
    cluster: {
      ...NO_CLUSTER,
      server: `https://${host.includes(':') ? `[${host}]` : host}:${port}`,
      certificateAuthority: readable(environment, authority) === undefined ? '' : authority,
    },
    // As a file: the kubelet replaces the token before it expires.
    user: { ...NO_USER, tokenFile: `${SERVICE_ACCOUNT}/token` },
  }
}

/** The namespace of the pod we run in. */
export function inClusterNamespace(environment: ConnectionEnvironment): string {
  return (
    environment.variables['POD_NAMESPACE'] ||
    readable(environment, `${SERVICE_ACCOUNT}/namespace`)?.trim() ||
    'default'
  )
}
