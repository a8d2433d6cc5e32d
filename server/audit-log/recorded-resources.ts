import type { AuditLogConfig, RecordedResource } from './config.ts'

const WRITES = ['CREATE', 'UPDATE', 'DELETE'] as const

/** A built-in one as most are: all writes, watched whole. */
function watched(
  group: string,
  version: string,
  resource: string,
  kind: string,
  more: Partial<RecordedResource> = {},
): RecordedResource {
  return {
    group,
    version,
    resource,
    kind,
    namespaced: true,
    subresources: [],
    operations: WRITES,
    watch: 'full',
    ...more,
  }
}

/** Leader elections and node heartbeats are there: whoever waits for those waits for the cluster. */
const NEVER_IN = ['kube-system', 'kube-node-lease']

/** Where nothing is recorded, whatever the options say: neither reviewed, nor missed by the watch. */
export function unrecordedNamespaces(own: readonly string[]): readonly string[] {
  return [...NEVER_IN, ...own]
}

const RBAC = 'rbac.authorization.k8s.io'

/**
 * What is recorded where nothing is said. Pods: people create and delete them, but what nodes and controllers write into
 * them is not recorded, so their metadata is enough to see what landed.
 */
export const RECORDED_RESOURCES: readonly RecordedResource[] = [
  watched('apps', 'v1', 'deployments', 'Deployment', { subresources: ['scale'] }),
  watched('apps', 'v1', 'statefulsets', 'StatefulSet', { subresources: ['scale'] }),
  watched('apps', 'v1', 'daemonsets', 'DaemonSet'),
  watched('batch', 'v1', 'jobs', 'Job'),
  watched('batch', 'v1', 'cronjobs', 'CronJob'),
  watched('', 'v1', 'pods', 'Pod', {
    operations: ['CREATE', 'DELETE'],
    subresources: ['ephemeralcontainers', 'resize', 'eviction'],
    watch: 'metadata',
  }),
  watched('', 'v1', 'services', 'Service'),
  watched('networking.k8s.io', 'v1', 'ingresses', 'Ingress'),
  watched('', 'v1', 'configmaps', 'ConfigMap'),
  watched('', 'v1', 'secrets', 'Secret', { watch: 'none' }),
  watched('', 'v1', 'serviceaccounts', 'ServiceAccount'),
  watched(RBAC, 'v1', 'roles', 'Role'),
  watched(RBAC, 'v1', 'rolebindings', 'RoleBinding'),
  watched(RBAC, 'v1', 'clusterroles', 'ClusterRole', { namespaced: false }),
  watched(RBAC, 'v1', 'clusterrolebindings', 'ClusterRoleBinding', { namespaced: false }),
  watched('', 'v1', 'namespaces', 'Namespace', { namespaced: false }),
  watched('autoscaling', 'v2', 'horizontalpodautoscalers', 'HorizontalPodAutoscaler'),
  watched('', 'v1', 'persistentvolumeclaims', 'PersistentVolumeClaim'),
  watched('apiextensions.k8s.io', 'v1', 'customresourcedefinitions', 'CustomResourceDefinition', {
    namespaced: false,
  }),
]

/** By which operation the API server sends the reviews of each subresource that can be recorded. */
export const SUBRESOURCE_OPERATIONS: Readonly<Record<string, 'CREATE' | 'UPDATE'>> = {
  scale: 'UPDATE',
  ephemeralcontainers: 'UPDATE',
  resize: 'UPDATE',
  eviction: 'CREATE',
}

/** A resource as `auditResources` names it. */
export type AuditedName = Pick<RecordedResource, 'resource' | 'version' | 'group'>

/** What the cluster's discovery says of a resource; undefined where it is not served. */
export type DiscoveredResource = Pick<RecordedResource, 'kind' | 'namespaced' | 'replicas'> & {
  /** Without the resource's name: `scale`, `status`. */
  readonly subresources: readonly string[]
}

/** Reads `certificates.v1.cert-manager.io` or, of the core group, `endpoints.v1`; undefined for what is neither. */
export function parseAuditedName(text: string): AuditedName | undefined {
  const [, resource, version, group = ''] =
    /^([a-z0-9-]+)\.(v\d+(?:(?:alpha|beta)\d+)?)(?:\.([a-z0-9.-]+))?$/.exec(text) ?? []
  return resource === undefined || version === undefined ? undefined : { resource, version, group }
}

/**
 * The built-in resources and those that the options add, each with kind and scope by discovery; one that is built in is
 * replaced, so that `pods.v1` records every write of pods. Secrets are never watched beyond their metadata. What the
 * cluster does not serve (yet) is left out: who calls looks again.
 */
export function recordedResources(
  config: Pick<AuditLogConfig, 'auditResources' | 'auditWatchSecrets'>,
  discovered: (name: AuditedName) => DiscoveredResource | undefined,
): readonly RecordedResource[] {
  const recorded = new Map(RECORDED_RESOURCES.map((resource) => [key(resource), resource]))
  for (const text of config.auditResources) {
    const name = parseAuditedName(text)
    const found = name && discovered(name)
    if (!name || !found) continue
    const subresources = found.subresources.filter((subresource) => subresource in SUBRESOURCE_OPERATIONS)
    recorded.set(key(name), { ...name, ...found, subresources, operations: WRITES, watch: 'full' })
  }
  return [...recorded.values()].map((resource) =>
    isSecrets(resource) ? { ...resource, watch: config.auditWatchSecrets ? 'metadata' : 'none' } : resource,
  )
}

function isSecrets({ group, resource }: AuditedName): boolean {
  return group === '' && resource === 'secrets'
}

function key({ group, resource }: AuditedName): string {
  return `${resource}.${group}`
}
