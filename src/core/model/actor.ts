import type { ActorType, ChangeUser } from '../wire/change.ts'

// The controller manager's own controllers, as RBAC's default policy names their accounts
// (kubernetes plugin/pkg/auth/authorizer/rbac/bootstrappolicy/controller_policy.go), kubeadm's signers, and what the
// out-of-tree cloud providers run. Not every account of kube-system: people log in with some of them.
const BUILT_IN_CONTROLLERS = new Set(
  `attachdetach-controller bootstrap-signer certificate-controller cloud-controller-manager cloud-node-controller
  cloud-provider clusterrole-aggregation-controller cronjob-controller daemon-set-controller deployment-controller
  device-taint-eviction-controller disruption-controller endpoint-controller endpointslice-controller
  endpointslicemirroring-controller ephemeral-volume-controller expand-controller generic-garbage-collector
  horizontal-pod-autoscaler job-controller kube-proxy legacy-service-account-token-cleaner namespace-controller
  node-controller node-ipam-controller persistent-volume-binder pod-garbage-collector
  podcertificaterequestcleaner-controller pv-protection-controller pvc-protection-controller replicaset-controller
  replication-controller resource-claim-controller resourcequota-controller root-ca-cert-publisher route-controller
  selinux-warning-controller service-account-controller service-cidrs-controller service-controller
  statefulset-controller storage-version-migrator-controller taint-eviction-controller token-cleaner
  ttl-after-finished-controller ttl-controller validatingadmissionpolicy-status-controller`.split(/\s+/),
)

/** A service account by its username `system:serviceaccount:NAMESPACE:NAME`; undefined for any other user. */
export function serviceAccountOf(
  username: string,
): { readonly namespace: string; readonly name: string } | undefined {
  const [system, kind, namespace, name] = username.split(':')
  if (system !== 'system' || kind !== 'serviceaccount' || !namespace || !name) return undefined
  return { namespace, name }
}

/**
 * What kind of account made a change, by its name alone: `system:` names belong to Kubernetes itself
 * (https://kubernetes.io/docs/reference/access-authn-authz/rbac/#default-roles-and-role-bindings), but `system:admin`
 * is how k3s and OpenShift call their administrator.
 */
export function actorOf(user: Pick<ChangeUser, 'username'> | undefined): ActorType {
  const username = user?.username ?? ''
  if (username === '' || username === 'system:anonymous') return 'unknown'
  const account = serviceAccountOf(username)
  if (account) {
    const builtIn = account.namespace === 'kube-system' && BUILT_IN_CONTROLLERS.has(account.name)
    return builtIn ? 'control-plane' : 'service-account'
  }
  // A node that joins does so by a bootstrap token, as system:bootstrap:ID.
  if (/^system:(?:node|bootstrap):/.test(username)) return 'node'
  // EKS runs its own writers under eks: names, such as eks:addon-manager.
  if (/^(?:system|eks):/.test(username) && username !== 'system:admin') return 'control-plane'
  return 'person'
}
