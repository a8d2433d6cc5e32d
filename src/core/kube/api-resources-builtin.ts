import type { ApiResource } from './api-resource.ts'

/**
 * Kubernetes' own types in the version that its servers prefer (1.25 and later), in the order of discovery, one line
 * for each: plural, kind, short names; `*` before the plural where it has no namespaces.
 */
const TABLE: Readonly<Record<string, string>> = {
  '/v1': `
    *componentstatuses ComponentStatus cs
    configmaps ConfigMap cm
    endpoints Endpoints ep
    events Event ev
    limitranges LimitRange limits
    *namespaces Namespace ns
    *nodes Node no
    persistentvolumeclaims PersistentVolumeClaim pvc
    *persistentvolumes PersistentVolume pv
    pods Pod po
    podtemplates PodTemplate
    replicationcontrollers ReplicationController rc
    resourcequotas ResourceQuota quota
    secrets Secret
    serviceaccounts ServiceAccount sa
    services Service svc`,
  'apiregistration.k8s.io/v1': `
    *apiservices APIService`,
  'apps/v1': `
    controllerrevisions ControllerRevision
    daemonsets DaemonSet ds
    deployments Deployment deploy
    replicasets ReplicaSet rs
    statefulsets StatefulSet sts`,
  'autoscaling/v2': `
    horizontalpodautoscalers HorizontalPodAutoscaler hpa`,
  'batch/v1': `
    cronjobs CronJob cj
    jobs Job`,
  'certificates.k8s.io/v1': `
    *certificatesigningrequests CertificateSigningRequest csr`,
  'networking.k8s.io/v1': `
    *ingressclasses IngressClass
    ingresses Ingress ing
    networkpolicies NetworkPolicy netpol`,
  'policy/v1': `
    poddisruptionbudgets PodDisruptionBudget pdb`,
  'rbac.authorization.k8s.io/v1': `
    *clusterrolebindings ClusterRoleBinding
    *clusterroles ClusterRole
    rolebindings RoleBinding
    roles Role`,
  'storage.k8s.io/v1': `
    *csidrivers CSIDriver
    *csinodes CSINode
    csistoragecapacities CSIStorageCapacity
    *storageclasses StorageClass sc
    *volumeattachments VolumeAttachment`,
  'admissionregistration.k8s.io/v1': `
    *mutatingwebhookconfigurations MutatingWebhookConfiguration
    *validatingwebhookconfigurations ValidatingWebhookConfiguration`,
  'apiextensions.k8s.io/v1': `
    *customresourcedefinitions CustomResourceDefinition crd crds`,
  'scheduling.k8s.io/v1': `
    *priorityclasses PriorityClass pc`,
  'coordination.k8s.io/v1': `
    leases Lease`,
  'node.k8s.io/v1': `
    *runtimeclasses RuntimeClass`,
  'discovery.k8s.io/v1': `
    endpointslices EndpointSlice`,
}

/**
 * Kubernetes' own types, known without asking: they come before all others in discovery, whose order kubectl obeys, so
 * that the same name in a group of someone else's is never the one that a plain name means.
 */
export function builtinResources(): readonly ApiResource[] {
  return Object.entries(TABLE).flatMap(([groupVersion, lines]) => {
    const [group = '', version = ''] = groupVersion.split('/')
    return lines
      .trim()
      .split('\n')
      .map((line) => {
        const [plural = '', kind = '', ...shortNames] = line.trim().split(' ')
        const namespaced = !plural.startsWith('*')
        const resource = namespaced ? plural : plural.slice(1)
        return { group, version, resource, singular: kind.toLowerCase(), kind, namespaced, shortNames }
      })
  })
}
