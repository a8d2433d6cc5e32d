import { KUBE_SYSTEM, NAMES } from './names.ts'
import { labelsOf } from './labels.ts'
import { makeManifest, type Manifest } from './manifest.ts'
import { chosenComponents, podGroups, type PodGroup } from './pods.ts'
import type { GivenRole, Right } from './rights.ts'
import type { DeployValues } from './values.ts'

const RBAC = 'rbac.authorization.k8s.io'

/** One ServiceAccount for each group of pods; its token is mounted only where a pod asks for it. */
export function accounts(values: DeployValues): readonly Manifest[] {
  return podGroups(values).map(({ part, name }) =>
    makeManifest('accounts', {
      kind: 'ServiceAccount',
      name,
      namespace: values.namespace,
      labels: labelsOf(part),
      fields: { automountServiceAccountToken: false },
    }),
  )
}

/** Roles and bindings: exactly the rights of what runs in each group of pods, and those of readers. */
export function access(values: DeployValues): readonly Manifest[] {
  return [...podGroups(values).flatMap((group) => groupAccess(group, values.namespace)), viewRole(values)]
}

function groupAccess({ part, name, rights }: PodGroup, namespace: string): Manifest[] {
  const labels = labelsOf(part)
  const subjects = [{ kind: 'ServiceAccount', name, namespace }]
  const { cluster, namespace: local, clusterRoles = [], kubeSystemRoles = [] } = rights
  return [
    ...(cluster.length === 0
      ? []
      : [
          makeManifest('rights', {
            kind: 'ClusterRole',
            name,
            labels,
            fields: { rules: rules(cluster, namespace) },
          }),
          makeManifest('rights', {
            kind: 'ClusterRoleBinding',
            name,
            labels,
            fields: { roleRef: roleRef('ClusterRole', name), subjects },
          }),
        ]),
    ...(local.length === 0
      ? []
      : [
          makeManifest('rights', {
            kind: 'Role',
            name,
            namespace,
            labels,
            fields: { rules: rules(local, namespace) },
          }),
          makeManifest('rights', {
            kind: 'RoleBinding',
            name,
            namespace,
            labels,
            fields: { roleRef: roleRef('Role', name), subjects },
          }),
        ]),
    ...clusterRoles.map((given) =>
      makeManifest('rights', {
        kind: 'ClusterRoleBinding',
        name: `${name}-${given.name.replace(/^system:/, '')}`,
        labels,
        fields: { roleRef: roleRef('ClusterRole', given.name), subjects },
      }),
    ),
    ...kubeSystemRoles.map((given) =>
      makeManifest('rights', {
        kind: 'RoleBinding',
        name: kubeSystemBinding(given),
        namespace: KUBE_SYSTEM,
        labels,
        fields: { roleRef: roleRef('Role', given.name), subjects },
      }),
    ),
  ]
}

/** Reading what the components serve; Kubernetes adds the rules to its own view, edit and admin. */
function viewRole(values: DeployValues): Manifest {
  const serves = chosenComponents(values).flatMap((component) => component.serves)
  return makeManifest('rights', {
    kind: 'ClusterRole',
    name: NAMES.view,
    labels: {
      ...labelsOf('api'),
      [`${RBAC}/aggregate-to-view`]: 'true',
      [`${RBAC}/aggregate-to-edit`]: 'true',
      [`${RBAC}/aggregate-to-admin`]: 'true',
    },
    fields: { rules: [{ apiGroups: ['deckwatch.dev'], resources: serves, verbs: ['get', 'list', 'watch'] }] },
  })
}

function rules(rights: readonly Right[], namespace: string): readonly unknown[] {
  return rights.map(({ apiGroups, resources, resourceNames, verbs }) => ({
    apiGroups,
    resources,
    ...(resourceNames
      ? { resourceNames: resourceNames.map((name) => (name === '{namespace}' ? namespace : name)) }
      : {}),
    verbs,
  }))
}

function roleRef(kind: 'Role' | 'ClusterRole', name: string): unknown {
  return { apiGroup: RBAC, kind, name }
}

function kubeSystemBinding({ name }: GivenRole): string {
  return `${NAMES.companion}-${name}`
}
