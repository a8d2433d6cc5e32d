/** A kind that an installation is made of, and where the API server keeps it. */
export interface Kind {
  /** Empty for the core group. */
  readonly group: string
  readonly version: string
  readonly kind: string
  readonly plural: string
  readonly namespaced: boolean
}

/** Every kind that manifests or the companion itself make, by its name. */
export const KINDS = {
  ValidatingWebhookConfiguration: kind(
    'admissionregistration.k8s.io',
    'v1',
    'ValidatingWebhookConfiguration',
    'validatingwebhookconfigurations',
    false,
  ),
  APIService: kind('apiregistration.k8s.io', 'v1', 'APIService', 'apiservices', false),
  Deployment: kind('apps', 'v1', 'Deployment', 'deployments', true),
  PodDisruptionBudget: kind('policy', 'v1', 'PodDisruptionBudget', 'poddisruptionbudgets', true),
  NetworkPolicy: kind('networking.k8s.io', 'v1', 'NetworkPolicy', 'networkpolicies', true),
  Service: kind('', 'v1', 'Service', 'services', true),
  ConfigMap: kind('', 'v1', 'ConfigMap', 'configmaps', true),
  Secret: kind('', 'v1', 'Secret', 'secrets', true),
  Lease: kind('coordination.k8s.io', 'v1', 'Lease', 'leases', true),
  PersistentVolumeClaim: kind('', 'v1', 'PersistentVolumeClaim', 'persistentvolumeclaims', true),
  RoleBinding: kind('rbac.authorization.k8s.io', 'v1', 'RoleBinding', 'rolebindings', true),
  Role: kind('rbac.authorization.k8s.io', 'v1', 'Role', 'roles', true),
  ClusterRoleBinding: kind(
    'rbac.authorization.k8s.io',
    'v1',
    'ClusterRoleBinding',
    'clusterrolebindings',
    false,
  ),
  ClusterRole: kind('rbac.authorization.k8s.io', 'v1', 'ClusterRole', 'clusterroles', false),
  ServiceAccount: kind('', 'v1', 'ServiceAccount', 'serviceaccounts', true),
  Namespace: kind('', 'v1', 'Namespace', 'namespaces', false),
} as const satisfies Readonly<Record<string, Kind>>

/** The name of a kind that an installation is made of. */
export type KindName = keyof typeof KINDS

/** The path of a collection, or of one object of it, on the API server. */
export function pathOf(
  { group, version, plural }: Kind,
  namespace: string | undefined,
  name?: string,
): string {
  const root = group === '' ? `/api/${version}` : `/apis/${group}/${version}`
  const within = namespace === undefined ? '' : `/namespaces/${namespace}`
  return `${root}${within}/${plural}${name === undefined ? '' : `/${name}`}`
}

function kind(group: string, version: string, name: string, plural: string, namespaced: boolean): Kind {
  return { group, version, kind: name, plural, namespaced }
}
